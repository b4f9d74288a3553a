"""The report's parts for models that say several labels of an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from neocog.workflows._data import Part
from neocog.workflows._percent import percent
from neocog.workflows._report._html import Markup, el, join
from neocog.workflows._report._pictures import MOST_MISTAKES, picture_item
from neocog.workflows._scores_multi import LabelScore, MultiLabelScores


def labels_headline(scores: MultiLabelScores) -> str:
    """Return the report's title line."""
    labels = f"{len(scores.labels)} labels on {scores.count} test images"
    return f"Macro F1 {percent(scores.macro_f1)} over {labels}"


def labels_lead(scores: MultiLabelScores) -> str:
    """Return what the headline means."""
    return (
        f"Mean average precision {scores.mean_ap:.3f} (random guesses: {scores.chance_ap:.3f}). All labels "
        f"are right on {percent(scores.exact)} of the images (95 % confidence interval: "
        f"{percent(scores.low)} to {percent(scores.high)}); of all yes/no "
        f"decisions {percent(scores.binary_accuracy)} are right. "
    )


def label_table(scores: MultiLabelScores) -> Markup:
    """Return precision, recall, F1 and average precision of each label."""
    titles = ("label", "precision", "recall", "F1", "average precision")
    head = el(
        "tr",
        *(el("th", name, scope="col") for name in titles),
        el("td", class_="recall"),
        el("th", "images", scope="col"),
    )
    rows = [_row(item) for item in scores.labels]
    note = el(
        "p",
        f"A label is taken as there above a probability of {scores.threshold:g}. Precision: how much of what "
        "is called so is right. Recall: how much of the label is found. F1: their harmonic mean. Average "
        "precision looks at all thresholds: how well the images are ordered, 1 at best.",
        class_="note",
    )
    table = el("table", el("thead", head), el("tbody", *rows))
    return join(note, el("div", table, class_="scroll", tabindex=0))


def _row(item: LabelScore) -> Markup:
    shares = (item.precision, item.recall, item.f1)
    width = 100 * (item.average_precision or 0)
    return el(
        "tr",
        el("th", item.name, scope="row"),
        *(el("td", "–" if value is None else percent(value)) for value in shares),
        el("td", "–" if item.average_precision is None else f"{item.average_precision:.3f}"),
        el("td", el("span", class_="bar", style=f"width: {width:.0f}%"), class_="recall"),
        el("td", item.count),
    )


def label_mistakes(part: Part, chances: Any, scores: MultiLabelScores) -> Markup:
    """Return the images with the worst decision: a label that was surely missed or surely invented."""
    truth = np.asarray(part.labels) > 0
    called = np.asarray(chances) > scores.threshold
    wrong = np.flatnonzero((truth != called).any(1))
    if not len(wrong):
        return el("p", f"None: all labels of all {len(part.ids)} images are right.")
    surprise = np.abs(truth - np.asarray(chances, dtype=np.float64)).max(1)
    order = wrong[np.argsort(-surprise[wrong], kind="stable")][:MOST_MISTAKES]
    count = "1 image has" if len(wrong) == 1 else f"{len(wrong)} images have"
    lead = f"{count} a label too many or too few. The surest mistakes first:"
    names = [item.name for item in scores.labels]
    items = [_mistake(part, int(i), truth[i], called[i], chances[i], names) for i in order]
    return join(el("p", lead), el("ul", *items, class_="mistakes"))


def _mistake(part: Part, index: int, truth: Any, called: Any, chances: Any, names: list[str]) -> Markup:
    right = [names[i] for i in np.flatnonzero(truth & called)]
    missed = [f"{names[i]} missed ({percent(float(chances[i]))})" for i in np.flatnonzero(truth & ~called)]
    invented = [f"wrongly {names[i]} ({percent(float(chances[i]))})" for i in np.flatnonzero(~truth & called)]
    words = join(
        el("span", ", ".join(right) or "no label found", class_="true" if right else None),
        *(el("small", el("span", text, class_="wrong")) for text in (*missed, *invented)),
    )
    alt = f"{part.ids[index]}: {', '.join((*missed, *invented))}"
    return picture_item(part, index, alt, words)
