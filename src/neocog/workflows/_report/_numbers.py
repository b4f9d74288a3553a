"""The report's parts for models that predict numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from neocog.workflows._data import ImageData, Part
from neocog.workflows._report._html import Markup, el, join
from neocog.workflows._report._pictures import MOST_MISTAKES, picture_item
from neocog.workflows._scores_numbers import RegressionScores, written

_SIDE, _LEFT, _BOTTOM, _EDGE = 360, 52, 34, 10
_MOST_POINTS = 2000
_MOST_TARGETS = 12


def numbers_headline(scores: RegressionScores) -> str:
    """Return the report's title line."""
    first = scores.targets[0]
    if len(scores.targets) == 1:
        return f"{first.name} is predicted to ± {first.mae:.3g} on {scores.count} test images"
    share = "–" if scores.r2 is None else f"{scores.r2:.3f}"
    return f"R² {share} over {len(scores.targets)} targets on {scores.count} test images"


def numbers_lead(scores: RegressionScores) -> str:
    """Return what the headline means."""
    first = scores.targets[0]
    if len(scores.targets) > 1:
        return "The table says how far each target is off. "
    share = "–" if first.r2 is None else f"{first.r2:.3f}"
    return (
        f"Mean absolute error {first.mae:.4g} (95 % confidence interval: {first.low:.4g} to "
        f"{first.high:.4g}); always saying the mean would be off by {first.guess:.4g}. R² {share}. "
    )


def target_table(scores: RegressionScores) -> Markup:
    """Return the errors of each target, in its own units."""
    titles = ("target", "MAE", "95 % interval", "RMSE", "R²", "bias", "MAE of the mean")
    head = el("tr", *(el("th", name, scope="col") for name in titles))
    rows = [
        el(
            "tr",
            el("th", item.name, scope="row"),
            el("td", f"{item.mae:.4g}"),
            el("td", f"{item.low:.4g} to {item.high:.4g}"),
            el("td", f"{item.rmse:.4g}"),
            el("td", "–" if item.r2 is None else f"{item.r2:.3f}"),
            el("td", f"{item.bias:+.3g}"),
            el("td", f"{item.guess:.4g}"),
        )
        for item in scores.targets
    ]
    note = el(
        "p",
        "In the targets' own units. MAE: mean absolute error. RMSE: root of the mean squared error, larger "
        "where single errors are large. R²: share of the variance that is explained. Bias: mean of predicted "
        "minus true. The last column: the error of always saying the mean of the test images.",
        class_="note",
    )
    table = el("table", el("thead", head), el("tbody", *rows))
    return join(note, el("div", table, class_="scroll", tabindex=0))


def scatter(part: Part, outputs: Any, scores: RegressionScores) -> Markup:
    """Return predicted against true numbers, a drawing for each target."""
    names = [item.name for item in scores.targets][:_MOST_TARGETS]
    drawings = [_scatter(name, part.labels[:, i], np.asarray(outputs)[:, i]) for i, name in enumerate(names)]
    words = "Each point is a test image; on the dotted line prediction and truth agree."
    note = el("p", words, class_="note")
    return join(note, el("div", *drawings, class_="charts"))


def _scatter(name: str, truth: Any, found: Any) -> Markup:
    low = float(min(truth.min(), found.min()))
    high = float(max(truth.max(), found.max()))
    span = (high - low) or 1.0

    def x(value: float) -> str:
        return f"{_LEFT + (value - low) / span * (_SIDE - _LEFT - _EDGE):.1f}"

    def y(value: float) -> str:
        return f"{_SIDE - _BOTTOM - (value - low) / span * (_SIDE - _BOTTOM - _EDGE):.1f}"

    ticks = []
    for value in (low, low + span / 2, low + span):
        common = {"stroke": "var(--line)"}
        ticks.append(el("line", x1=_LEFT, x2=_SIDE - _EDGE, y1=y(value), y2=y(value), **common))
        ticks.append(el("line", x1=x(value), x2=x(value), y1=_EDGE, y2=_SIDE - _BOTTOM, **common))
        anchor = "start" if value == low else "end" if value == low + span else "middle"
        ticks.append(el("text", written(value, span), x=x(value), y=_SIDE - 18, text_anchor=anchor))
        height = f"{float(y(value)) + 4:.1f}"
        ticks.append(el("text", written(value, span), x=_LEFT - 6, y=height, text_anchor="end"))
    step = -(-len(truth) // _MOST_POINTS)
    points = [
        el("circle", cx=x(float(a)), cy=y(float(b)), r=3, fill="var(--train)", fill_opacity=0.55)
        for a, b in zip(truth[::step], found[::step], strict=True)
    ]
    diagonal = el(
        "line", x1=x(low), y1=y(low), x2=x(low + span), y2=y(low + span), stroke="var(--soft)",
        stroke_dasharray="3 3",
    )  # fmt: skip
    drawing = el(
        "svg",
        *ticks,
        diagonal,
        *points,
        el("text", "true", x=_SIDE / 2, y=_SIDE - 4, text_anchor="middle"),
        el("text", "predicted", x=_LEFT + 4, y=_EDGE + 10),
        viewBox=f"0 0 {_SIDE} {_SIDE}",
        role="img",
        aria_label=f"{name}: predicted against true values of {len(truth)} images",
    )
    return el("figure", el("figcaption", name), drawing)


def number_mistakes(part: Part, outputs: Any, scores: RegressionScores) -> Markup:
    """Return the images whose prediction is farthest off, counted in the targets' RMSE."""
    error = np.asarray(outputs, dtype=np.float64) - part.labels
    scale = np.array([max(item.rmse, 1e-12) for item in scores.targets])
    order = np.argsort(-np.abs(error / scale).max(1), kind="stable")[:MOST_MISTAKES]
    worst = np.abs(error / scale).argmax(1)
    items = []
    for i in order:
        k = int(worst[i])
        name = scores.targets[k].name
        spread = scores.targets[k].guess or scale[k]
        truth, found = written(part.labels[i, k], spread), written(float(outputs[i, k]), spread)
        words = join(
            el("span", truth, class_="true"),
            " → ",
            el("span", found, class_="wrong"),
            el("small", f"{name}: off by {error[i, k]:+.3g}"),
        )
        items.append(picture_item(part, int(i), f"{part.ids[i]}: {name} {truth}, predicted {found}", words))
    return join(el("p", "True → predicted, the largest errors first:"), el("ul", *items, class_="mistakes"))


def number_data(data: ImageData) -> Markup:
    """Return the range of each target in each part."""
    titles = ("target", "part", "images", "least", "mean", "largest")
    head = el("tr", *(el("th", name, scope="col") for name in titles))
    rows = [
        el(
            "tr",
            el("th", name, scope="row"),
            el("td", part.name),
            el("td", len(part.ids)),
            *(el("td", text) for text in _range(part.labels[:, i])),
        )
        for i, name in enumerate(data.info.class_names)
        for part in data.parts.values()
    ]
    return el("div", el("table", el("thead", head), el("tbody", *rows)), class_="scroll", tabindex=0)


def _range(column: Any) -> list[str]:
    spread = float(column.std())
    return [written(float(value), spread) for value in (column.min(), column.mean(), column.max())]
