"""The report's tables and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neocog.workflows._data import ImageData, Part
from neocog.workflows._percent import percent
from neocog.workflows._report._html import Markup, el, join
from neocog.workflows._report._numbers import number_data
from neocog.workflows._report._pictures import MOST_MISTAKES, picture_item
from neocog.workflows._scores import ClassScore, Scores
from neocog.workflows._task import MULTI, REGRESSION

MOST_CLASSES_IN_MATRIX = 30
MOST_BROKEN = 200


def confusion(scores: Scores) -> Markup:
    """Return the confusion matrix as a table; with very many classes, the most frequent confusions."""
    names = [item.name for item in scores.classes]
    if len(names) > MOST_CLASSES_IN_MATRIX:
        return _confusion_list(scores, names)
    head = el("tr", el("td"), *(el("th", _short(name), scope="col") for name in names))
    rows = [
        el("tr", el("th", _short(names[i]), scope="row"), *(_cell(row, i, j) for j in range(len(row))))
        for i, row in enumerate(scores.confusion)
    ]
    note = el("p", "Each row is a true class, each column what its images were taken for.", class_="note")
    table = el("table", el("thead", head), el("tbody", *rows), class_="matrix")
    return join(note, el("div", table, class_="scroll", tabindex=0))


def _short(name: str) -> Markup:
    """Return a class's name, cut by the page where it is long, so that the numbers stay in sight."""
    return el("span", name, class_="long", title=name)


def _cell(row: Sequence[int], i: int, j: int) -> Markup:
    strength = 0.7 * row[j] / max(1, sum(row))
    if i != j and row[j]:
        strength = max(strength, 0.12)  # a mistake is never invisible
    color = "var(--cell)" if i == j else "var(--miss)"
    style = f"background: rgba({color}, {strength:.2f})" if row[j] else None
    return el("td", row[j] or "", style=style)


def _confusion_list(scores: Scores, names: Sequence[str]) -> Markup:
    pairs = sorted(
        (-count, i, j)
        for i, row in enumerate(scores.confusion)
        for j, count in enumerate(row)
        if i != j and count
    )
    head = el("tr", *(el("th", name, scope="col") for name in ("true class", "taken for", "images")))
    rows = [el("tr", el("th", names[i], scope="row"), el("td", names[j]), el("td", -n)) for n, i, j in pairs]
    note = el("p", "The most frequent confusions; confusion.png shows all of them.", class_="note")
    table = el("table", el("thead", head), el("tbody", *rows[:30]))
    return join(note, el("div", table, class_="scroll", tabindex=0))


def class_table(scores: Scores) -> Markup:
    """Return precision, recall, F1 and count of each class, the recall also as a bar."""
    head = el(
        "tr",
        *(el("th", name, scope="col") for name in ("class", "precision", "recall")),
        el("td", class_="recall"),
        *(el("th", name, scope="col") for name in ("F1", "images")),
    )
    rows = [
        el(
            "tr",
            el("th", item.name, scope="row"),
            el("td", _share(item.precision)),
            el("td", _share(item.recall)),
            el("td", _bar(item), class_="recall"),
            el("td", _share(item.f1)),
            el("td", item.count),
        )
        for item in scores.classes
    ]
    note = el(
        "p",
        "Precision: how much of what is called so is right. Recall: how much of the class is found. "
        "F1: their harmonic mean.",
        class_="note",
    )
    table = el("table", el("thead", head), el("tbody", *rows))
    return join(note, el("div", table, class_="scroll", tabindex=0))


def _share(value: float | None) -> str:
    return "–" if value is None else percent(value)


def _bar(item: ClassScore) -> Markup:
    return el("span", class_="bar", style=f"width: {100 * (item.recall or 0):.0f}%")


def mistakes(part: Part, chances: Any, class_names: Sequence[str]) -> Markup:
    """Return the wrong predictions that the model was surest of, as pictures."""
    predicted, confidence = chances.argmax(-1), chances.max(-1)
    wrong = np.flatnonzero(predicted != part.labels)
    if not len(wrong):
        return el("p", f"None: all {len(part.ids)} images were recognised.")
    order = wrong[np.argsort(-confidence[wrong], kind="stable")][:MOST_MISTAKES]
    count = "1 image was" if len(wrong) == 1 else f"{len(wrong)} images were"
    shown = f" The {len(order)} that the model was surest of:" if len(order) < len(wrong) else ""
    items = [
        _mistake(part, int(i), class_names[part.labels[i]], class_names[predicted[i]], float(confidence[i]))
        for i in order
    ]
    lead = f"{count} taken for something else.{shown}" + ("" if shown else " The surest first:")
    return join(el("p", lead), el("ul", *items, class_="mistakes"))


def _mistake(part: Part, index: int, truth: str, guess: str, confidence: float) -> Markup:
    words = join(
        el("span", truth, class_="true"),
        " → ",
        el("span", guess, class_="wrong"),
        el("small", f"{percent(confidence)} sure"),
    )
    return picture_item(part, index, f"{part.ids[index]}: {truth}, taken for {guess}", words)


def data_section(data: ImageData) -> Markup:
    """Return the number of images by class and part, and the files that were left out."""
    table = number_data(data) if data.info.task == REGRESSION else _counts(data)
    roles = (
        "The model learned from train; validation chose the epoch that was kept; test was looked at once, at "
        "the end. split.csv says which image was in which part."
    )
    parts = [el("p", roles, class_="note"), table]
    if data.skipped:
        parts.append(el("p", f"{data.skipped} files that are no images were ignored.", class_="note"))
    if data.broken:
        parts.append(_broken(data.broken))
    return join(*parts)


def _counts(data: ImageData) -> Markup:
    names = data.info.class_names
    counts = {part: found.counts(len(names)) for part, found in data.parts.items()}
    what = "label" if data.info.task == MULTI else "class"
    head = el("tr", *(el("th", name, scope="col") for name in (what, *counts)))
    rows = [
        el("tr", el("th", name, scope="row"), *(el("td", numbers[i]) for numbers in counts.values()))
        for i, name in enumerate(names)
    ]
    # With several labels an image the rows sum to more than there are images.
    total = el(
        "tr", el("th", "all images", scope="row"), *(el("td", len(part.ids)) for part in data.parts.values())
    )
    table = el("table", el("thead", head), el("tbody", *rows, total))
    return el("div", table, class_="scroll", tabindex=0)


def _broken(broken: Sequence[tuple[str, str]]) -> Markup:
    items = [el("li", el("code", file), f": {reason}") for file, reason in broken[:MOST_BROKEN]]
    more = len(broken) - MOST_BROKEN
    if more > 0:
        items.append(el("li", f"and {more} more: see config.json"))
    count = "1 broken image was" if len(broken) == 1 else f"{len(broken)} broken images were"
    return el("details", el("summary", f"{count} left out"), el("ul", *items), open="")
