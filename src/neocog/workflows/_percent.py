"""Shares as people read them."""

from __future__ import annotations


def percent(share: float) -> str:
    """Return a share as a percentage with one decimal.

    Example:
        >>> percent(0.9715)
        '97.2 %'
    """
    return f"{100 * share:.1f} %"
