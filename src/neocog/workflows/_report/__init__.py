"""The report of a run: one self-contained HTML file, without scripts and without the network."""

from neocog.workflows._report._page import Facts, report_html

__all__ = ["Facts", "report_html"]
