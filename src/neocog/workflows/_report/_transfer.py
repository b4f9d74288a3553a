"""The report's section on a pretrained base: feature extraction alone beside fine-tuning, and the advice."""

from __future__ import annotations

from typing import Any

from neocog.workflows._percent import percent
from neocog.workflows._pretrained import TransferFacts, headline_score
from neocog.workflows._report._html import Markup, el, join

_WIDTH, _LEFT, _ROW = 736, 300, 26


def transferred(facts: TransferFacts) -> Markup:
    """Return bars of both figures on validation and test, the advice, and what the kept features saved."""
    rows = _rows(facts)
    bars = [_bar(index, *row) for index, row in enumerate(rows)]
    label = "; ".join(f"{name}: {percent(value)}" for name, value, _ in rows)
    size = f"0 0 {_WIDTH} {_ROW * len(rows)}"
    drawing = el("svg", *bars, viewBox=size, role="img", aria_label=label)
    return join(
        el("figure", drawing), el("p", _verdict(facts)), el("p", f"Advice: {facts.advice}"), _cost(facts)
    )


def _rows(facts: TransferFacts) -> list[tuple[str, float, str]]:
    """Return (what, share, colour) of what was measured."""
    found: list[tuple[str, Any, str]] = []
    for title, values, scores in (
        ("features alone", facts.head, facts.head_test),
        ("fine-tuned", facts.tuned or {}, facts.tuned_test),
    ):
        shown = next((name for name in ("accuracy", "macro_f1", "r2") if name in values), None)
        found.append((f"{title}, validation", values.get(shown) if shown else None, "validation"))
        found.append((f"{title}, test", headline_score(scores) if scores else None, "train"))
    return [(name, float(value), color) for name, value, color in found if value is not None]


def _bar(index: int, name: str, value: float, color: str) -> Markup:
    y = index * _ROW
    width = max(min(value, 1.0), 0.0) * (_WIDTH - _LEFT - 80)
    return join(
        el("text", name, x=_LEFT - 10, y=y + 17, text_anchor="end"),
        el("rect", x=_LEFT, y=y + 5, width=f"{width:.1f}", height=16, rx=3, fill=f"var(--{color})"),
        el("text", percent(value), x=f"{_LEFT + width + 8:.1f}", y=y + 17),
    )


def _verdict(facts: TransferFacts) -> str:
    if facts.tuned is None:
        return f"A new head on the frozen features of {facts.base}; nothing below it was trained."
    blocks = ", ".join(facts.opened)
    end = (
        "was better on validation and is kept"
        if facts.kept
        else ("was not better on validation: the head on frozen features is kept")
    )
    return f"A new head on the frozen features of {facts.base}, then fine-tuning of {blocks}, which {end}."


def _cost(facts: TransferFacts) -> Markup:
    when = "in an earlier run" if facts.cached else "measured"
    text = (
        f"An epoch through the base takes {facts.base_seconds:.1f} s (its forward pass over {facts.images:,} "
        f"training images, {when}); the {facts.head_epochs} epochs on its kept features took "
        f"{facts.feature_seconds:.3f} s each: {facts.speedup:,.0f} × as fast."
    )
    return el("p", text, class_="note")
