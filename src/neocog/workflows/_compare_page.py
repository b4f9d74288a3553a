"""The page of a comparison: what counts at a glance, the curves over each other, what differs."""

from __future__ import annotations

from typing import Any

from neocog.workflows._percent import percent
from neocog.workflows._report._html import Markup, el, join, text
from neocog.workflows._report._overlay import STYLE as RUN_COLORS
from neocog.workflows._report._overlay import overlay
from neocog.workflows._report._style import STYLE

MARK = "neocog comparison"
_TITLES = {"accuracy": "Accuracy", "macro_f1": "Macro F1", "r2": "R²"}


def shown(metric: str, value: float | None, *, signed: bool = False) -> str:
    """Return a value of a metric as people read it."""
    if value is None:
        return "–"
    if metric == "r2":
        return f"{value:+.3f}" if signed else f"{value:.3f}"
    return f"{100 * value:+.1f} points" if signed else percent(value)


def tested(run: Any) -> str:
    """Return the test value of a run, with its interval where there is one."""
    value = shown(run.metric, run.test)
    return value if run.low is None else f"{value} ({percent(run.low)} to {percent(run.high)})"


def page(result: Any) -> str:
    """Return the comparison (`CompareResult`) as HTML."""
    metric = result.runs[0].metric
    best = max(result.runs, key=lambda run: -1e9 if run.test is None else run.test)
    headline = f"{best.name} is ahead on the test images: {shown(metric, best.test)}"
    sections = (
        ("What they are worth", _table(result, metric)),
        ("How they learned", _curves(result, metric)),
        ("What differs", _differing(result)),
    )
    header = el(
        "header",
        el("p", f"{MARK} · {len(result.runs)} runs", class_="name"),
        el("h1", headline),
        el("p", _lead(result, best), class_="lead"),
        el("ul", *(el("li", note) for note in result.notes), class_="hints") if result.notes else "",
    )
    body = [header, *(el("section", el("h2", title), part) for title, part in sections)]
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="generator", content=MARK),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", http_equiv="Content-Security-Policy",
           content="default-src 'none'; style-src 'unsafe-inline'"),
        el("title", f"Comparison of {len(result.runs)} runs"),
        el("style", Markup(STYLE + RUN_COLORS)),
    )  # fmt: skip
    return f"<!DOCTYPE html>\n{el('html', head, el('body', el('main', *body)), lang='en')}\n"


def _lead(result: Any, best: Any) -> str:
    overlapping = [
        run.name
        for run in result.runs
        if run is not best and run.high is not None and best.low is not None and run.high >= best.low
    ]
    if best.low is None:
        return "Differences of a few images are chance."
    if not overlapping:
        return "Its 95 % interval lies above those of the others."
    return f"Its 95 % interval overlaps with that of {', '.join(overlapping)}: the order may be chance."


def _table(result: Any, metric: str) -> Markup:
    common = result.common_epochs
    names = (
        *("run", "epochs", "kept", "training", "validation", "gap"),
        *(f"gap after {common}", "test", "seconds"),
    )
    rows = [
        el(
            "tr",
            el("th", _swatch(number), run.name, scope="row"),
            el("td", len(run.epochs)),
            el("td", run.best_epoch or "–"),
            el("td", shown(metric, run.training)),
            el("td", shown(metric, run.validation)),
            el("td", shown(metric, run.gap, signed=True)),
            el("td", shown(metric, run.gap_after(common), signed=True)),
            el("td", _tested(run)),
            el("td", f"{run.seconds:.0f}"),
        )
        for number, run in enumerate(result.runs)
    ]
    head = el("tr", *(el("th", name, scope="col") for name in names))
    note = (
        f"{_TITLES[metric]} at the epoch that was kept. The gap is training minus validation: what was "
        "learned by heart and does not carry over; it grows with training, so that it is shown after as many "
        "epochs as every run has, too. Training values are taken with dropout and varied "
        "images, and may lie below those of validation."
    )
    table = el("table", el("thead", head), el("tbody", *rows))
    return join(el("div", table, class_="scroll", tabindex=0), el("p", note, class_="note"))


def _tested(run: Any) -> Markup:
    """Return the test value, its interval on a line below: the table is as wide as the page."""
    value = text(shown(run.metric, run.test))
    if run.low is None:
        return value
    return join(value, el("br"), el("span", f"{percent(run.low)} to {percent(run.high)}", class_="note"))


def _swatch(number: int) -> Markup:
    style = (
        f"display: inline-block; width: .7rem; height: .7rem; border-radius: 2px; margin-right: .5rem; "
        f"background: var(--run{number})"
    )
    return el("i", style=style)


def _curves(result: Any, metric: str) -> Markup:
    runs = [(run.name, run.epochs, run.best_epoch) for run in result.runs]
    legend = el(
        "p",
        *(el("span", _swatch(number), run.name) for number, run in enumerate(result.runs)),
        el("span", "drawn through: validation · dashed: training · dot: the kept epoch"),
        class_="legend",
    )
    charts = el(
        "div",
        overlay(_TITLES[metric], metric, runs, share=metric != "r2"),
        overlay("Loss", "loss", runs, share=False),
        class_="charts",
    )
    return join(legend, charts)


def _differing(result: Any) -> Markup:
    if not result.differing:
        return el("p", "No setting: the runs differ by chance alone, or by the machine.")
    head = el("tr", *(el("th", name, scope="col") for name in ("setting", *(r.name for r in result.runs))))
    rows = [
        el("tr", el("th", name, scope="row"), *(el("td", written(value)) for value in values))
        for name, values in result.differing.items()
    ]
    return el("div", el("table", el("thead", head), el("tbody", *rows)), class_="scroll", tabindex=0)


def written(value: Any) -> str:
    """Return a setting's value as people read it."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = "×".join(map(str, value)) if isinstance(value, list) and len(value) <= 4 else str(value)
    return text if len(text) <= 60 else text[:59] + "…"
