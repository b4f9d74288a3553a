"""The page of a search: the best over the trials, each setting against the score, what mattered."""

from __future__ import annotations

import base64
import io
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neocog.core import optional_import
from neocog.workflows._compare_page import shown
from neocog.workflows._report._html import Markup, el, join
from neocog.workflows._report._style import STYLE
from neocog.workflows._search_config import Settings
from neocog.workflows._search_plan import LEVELS
from neocog.workflows._search_space import Axis, Value
from neocog.workflows._search_study import COMPLETE, PRUNED, Row

PAGE, MARK = "search.html", "neocog search"
COLORS = ("#8a94a3", "#1f6fb2", "#c8561f")  # of the levels
_LEAST = 4  # trials from which settings can be weighed
_SPREAD = 1e-12
_TITLES = {"accuracy": "accuracy", "macro_f1": "macro F1", "r2": "R²"}


def importances(settings: Settings, rows: Sequence[Row]) -> dict[str, float]:
    """Return which share of the differences in score each setting explains, the largest first (fANOVA).

    Scores are compared within a level, by what they lie above its median: more epochs are no setting.
    """
    done = [row for row in rows if row.state == COMPLETE and row.score is not None]
    if len(done) < _LEAST:
        return {}
    optuna = optional_import("optuna", extra="search", what="neocog search")
    medians = {
        level: float(np.median([row.score for row in done if row.level == level and row.score is not None]))
        for level in {row.level for row in done}
    }
    study = optuna.create_study(direction="maximize")
    known = {axis.name: axis.distribution(optuna) for axis in settings.space}
    for row in done:
        if set(row.params) == set(known) and row.score is not None:
            value = row.score - medians[row.level]
            study.add_trial(
                optuna.trial.create_trial(params=dict(row.params), distributions=known, value=value)
            )
    values = [trial.value for trial in study.trials]
    if len(values) < _LEAST or max(values) - min(values) < _SPREAD:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {name: round(float(value), 4) for name, value in found.items() if math.isfinite(value)}


def search_page(
    name: str,
    settings: Settings,
    rows: Sequence[Row],
    best: Row | None,
    metrics: Any,
    importance: Mapping[str, float],
) -> str:
    """Return the page as HTML; nothing in it is fetched and nothing runs."""
    metric = settings.metric
    title = f"Search of {settings.data[0]}"
    sections = [
        ("What was best", _best(settings, best, rows, metrics)),
        ("How it came", _picture(_progress(rows, metric), "The score of every trial, and the best so far")),
        ("Each setting against the score", _slices(settings, rows, best)),
        ("What mattered", _weights(importance)),
        ("All trials", _table(settings, rows, best)),
    ]
    header = el(
        "header",
        el("p", f"{MARK} · {name}", class_="name"),
        el("h1", _headline(metric, best, settings)),
        el("p", _lead(settings, rows), class_="lead"),
    )
    body = [header, *(el("section", el("h2", text), part) for text, part in sections)]
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="generator", content=MARK),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", http_equiv="Content-Security-Policy",
           content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"),
        el("title", title),
        el("style", Markup(STYLE + _STYLE)),
    )  # fmt: skip
    return f"<!DOCTYPE html>\n{el('html', head, el('body', el('main', *body)), lang='en')}\n"


_STYLE = """figure img { width: 100%; height: auto; border-radius: 8px; background: #fff; }
.won { font-weight: 600; }"""


def _headline(metric: str, best: Row | None, settings: Settings) -> str:
    if best is None:
        return f"No trial of {settings.data[0]} has come to its end yet"
    return f"Best {_TITLES[metric]} on the validation images: {shown(metric, best.score)}"


def _lead(settings: Settings, rows: Sequence[Row]) -> str:
    counts = [f"{sum(row.state == s for row in rows)} {s}" for s in dict.fromkeys(row.state for row in rows)]
    text = f"{len(rows)} of {settings.trials} trials: {', '.join(counts)}." if rows else "No trial yet."
    return f"{text} Small networks and short trainings came first, the better ones grew."


def _best(settings: Settings, best: Row | None, rows: Sequence[Row], metrics: Any) -> Markup:
    if best is None:
        return el("p", "There is no winner yet: the same command goes on.")
    metric = settings.metric
    default = next((r for r in rows if r.is_default and r.level == best.level and r.score is not None), None)
    header = el("tr", *(el("th", text, scope="col") for text in ("setting", "winner", "recipe")))
    table = [
        el(
            "tr",
            el("th", axis.name, scope="row"),
            el("td", _value(best.params.get(axis.name))),
            el("td", _value(axis.default)),
        )
        for axis in settings.space
    ]
    scores = el(
        "tr",
        el("th", f"validation {_TITLES[metric]}", scope="row"),
        el("td", shown(metric, best.score)),
        el("td", "–" if default is None else shown(metric, default.score)),
    )
    level = LEVELS[best.level].name
    words = [f"Trial {best.number}, at the budget {level!r}."]
    test = None if metrics is None else (metrics.get("test") or {}).get(metric)
    if test is not None:
        words.append(
            f"Trained in full in best/, it reaches {shown(metric, test)} on the test images, which no "
            "trial has seen. The best of many trials is a little lucky: the test value is the one to quote."
        )
    else:
        words.append("It has not been trained in full yet: the same command goes on.")
    rows_of = el("table", el("thead", header), el("tbody", scores, *table))
    return join(el("p", " ".join(words)), el("div", rows_of, class_="scroll", tabindex=0))


def _weights(importance: Mapping[str, float]) -> Markup:
    if not importance:
        return el("p", "Too few trials, or too equal ones, to tell.")
    most = max(importance.values()) or 1.0
    rows = [
        el(
            "tr",
            el("th", name, scope="row"),
            el("td", f"{value:.0%}"),
            el("td", el("i", class_="bar", style=f"width: {8 * value / most:.2f}rem"), class_="recall"),
        )
        for name, value in importance.items()
    ]
    note = (
        "The share of the differences between trials that each setting explains (fANOVA), compared within a "
        "budget. With few trials this is a hint, no measurement."
    )
    return join(el("table", el("tbody", *rows)), el("p", note, class_="note"))


def _table(settings: Settings, rows: Sequence[Row], best: Row | None) -> Markup:
    names = [axis.name for axis in settings.space]
    facts = ("trial", "budget", "state", _TITLES[settings.metric], "epochs", "seconds", "weights")
    header = el("tr", *(el("th", name, scope="col") for name in (*facts, *names)))
    body = []
    for row in rows:
        cells = (
            LEVELS[row.level].name, row.state, shown(settings.metric, row.score), row.epochs,
            f"{row.seconds:.1f}", f"{row.parameters:,}", *(_value(row.params.get(name)) for name in names),
        )  # fmt: skip
        won = "won" if best is not None and row.number == best.number else None
        label = f"{row.number} (recipe)" if row.is_default else str(row.number)
        body.append(el("tr", el("th", label, scope="row"), *(el("td", cell) for cell in cells), class_=won))
    return el("div", el("table", el("thead", header), el("tbody", *body)), class_="scroll", tabindex=0)


def _value(value: Value | None) -> str:
    return "–" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


def _picture(data: bytes, text: str) -> Markup:
    if not data:
        return el("p", "Nothing to draw yet.")
    address = "data:image/png;base64," + base64.b64encode(data).decode("ascii")
    return el("figure", el("img", src=address, alt=text), el("figcaption", text))


def _progress(rows: Sequence[Row], metric: str) -> bytes:
    """Draw the score of each trial over its number, and the best so far of each budget."""
    scored = [row for row in rows if row.score is not None]
    if not scored:
        return b""
    figure, (axis,) = _figure(1, 1, (9, 3.6))
    for level, color in zip(range(len(LEVELS)), COLORS, strict=True):
        whole = [row for row in scored if row.level == level and row.state == COMPLETE]
        left = [row for row in scored if row.level == level and row.state == PRUNED]
        if whole:
            numbers = [row.number for row in whole]
            scores = [float(row.score or 0.0) for row in whole]
            name = LEVELS[level].name
            axis.plot(numbers, scores, "o", color=color, markersize=5, label=name)
            axis.step(numbers, np.maximum.accumulate(scores), where="post", color=color, linewidth=1)
        axis.plot([r.number for r in left], [r.score for r in left], "x", color=color, markersize=5)
    axis.plot([], [], "kx", markersize=5, label="left early")
    axis.set_xlabel("trial")
    axis.set_ylabel(f"validation {_TITLES[metric]}")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False, ncols=4, fontsize=9)
    return _png(figure)


def _slices(settings: Settings, rows: Sequence[Row], best: Row | None) -> Markup:
    scored = [row for row in rows if row.score is not None]
    if not scored:
        return el("p", "Nothing to draw yet.")
    columns = min(len(settings.space), 3)
    lines = -(-len(settings.space) // columns)
    figure, axes = _figure(lines, columns, (3.1 * columns, 2.6 * lines))
    for place, panel in enumerate(axes):
        if place >= len(settings.space):
            panel.set_visible(False)
            continue
        _slice(panel, settings.space[place], scored, best)
        if place % columns == 0:
            panel.set_ylabel(_TITLES[settings.metric])
    colors = zip(LEVELS, ("grey", "blue", "orange"), strict=True)
    names = ", ".join(f"{level.name} {color}" for level, color in colors)
    text = f"A dot is a trial, a cross one that was left early, the circle the winner; budgets: {names}"
    return _picture(_png(figure), text)


def _slice(panel: Any, axis: Axis, rows: Sequence[Row], best: Row | None) -> None:
    names = [str(value) for value in axis.values()] if axis.choices else []

    def at(row: Row) -> float:
        value = row.params[axis.name]
        return float(names.index(str(value))) if names else float(value)

    known = [row for row in rows if axis.name in row.params]
    for level, color in zip(range(len(LEVELS)), COLORS, strict=True):
        for state, mark in ((COMPLETE, "o"), (PRUNED, "x")):
            chosen = [row for row in known if row.level == level and row.state == state]
            panel.plot([at(r) for r in chosen], [r.score for r in chosen], mark, color=color, markersize=4)
    if best is not None and axis.name in best.params:
        panel.plot(at(best), best.score, "o", markersize=11, fillstyle="none", color="#1b2430")
    if names:
        panel.set_xticks(range(len(names)), [name[:14] for name in names], parse_math=False)
    if axis.logarithmic:
        panel.set_xscale("log")
        panel.xaxis.set_minor_formatter("")  # numbers between the powers would lie over each other
    panel.set_title(axis.name, fontsize=10, parse_math=False)
    panel.grid(alpha=0.3)


def _figure(lines: int, columns: int, size: tuple[float, float]) -> tuple[Any, list[Any]]:
    # The object interface draws without a display and leaves the user's backend alone.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(lines, columns, squeeze=False, sharey=True).flat)


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
