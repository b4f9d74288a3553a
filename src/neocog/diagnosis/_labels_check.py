"""Wrong labels and classes that look alike, from probabilities that each image's own label did not shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neocog.diagnosis._findings import Finding, Item, Samples
from neocog.diagnosis._label_issues import LabelIssue, find_label_issues

Array = np.ndarray[Any, Any]

# Of the way from guessing to perfection: below, the classifier's doubts say more of it than of the labels.
LEAST_SKILL = 0.6
_ALIKE = 0.1  # of a class's images taken for the other, and of the other's for it


@dataclass(frozen=True, kw_only=True)
class Trust:
    """How far the list of wrong labels can be trusted.

    Attributes:
        accuracy: of the classifier on images that it did not learn from, averaged over classes, labels
            that are doubted left out; None where there was none.
        guessing: what guessing would reach.
        listed: whether wrong labels are listed.
        text: in words.
    """

    accuracy: float | None
    guessing: float | None
    listed: bool
    text: str


_HOW_TO_READ = (
    "Look at each label that is listed: where labels are clean, most of a short list are hard images and "
    "not wrong."
)


def label_findings(
    samples: Samples, rows: Sequence[int] | Array, chances: Array, source: str
) -> tuple[list[Finding], Trust]:
    """Return wrong labels and classes that look alike.

    Args:
        samples: all images.
        rows: positions of the images that have probabilities.
        chances: (rows, classes), from a classifier that did not learn from the image.
        source: what the classifier looked at, in words.
    """
    where = np.asarray(rows)
    labels = samples.labels[where]
    found = chances.argmax(1)
    issues = find_label_issues(chances, labels)
    sure = np.ones(len(labels), dtype=bool)
    # A small class may hold more wrong labels than right ones: those that are doubted do not count.
    sure[[issue.index for issue in issues]] = False
    there = np.unique(labels[sure])
    recall = float(np.mean([(found[sure & (labels == k)] == k).mean() for k in there]))
    guessing = 1 / max(len(there), 2)
    skill = (recall - guessing) / (1 - guessing)
    known = (
        f"{source} tell{'s' if source.endswith('model') else ''} {recall:.0%} of the images' classes right"
    )
    if skill < LEAST_SKILL:
        text = (
            f"{known}, guessing {guessing:.0%}: too little to say which labels are wrong, so none are listed."
        )
        return [], Trust(accuracy=recall, guessing=guessing, listed=False, text=text)
    known = f"{known} (guessing: {guessing:.0%})"
    text = f"{known}. {_HOW_TO_READ}" if issues else f"{known}, and no label looks wrong by them."
    return [_wrong(samples, where, issues), _alike(samples, labels, found)], Trust(
        accuracy=recall, guessing=guessing, listed=True, text=text
    )


def _wrong(samples: Samples, rows: Array, issues: Sequence[LabelIssue]) -> Finding:
    names = samples.class_names
    return Finding(
        kind="wrong-labels",
        title="labels that are likely wrong",
        severity="warning",
        meaning="A model learns them, or is counted wrong where it is right.",
        advice="Look at them, the surest first; wrong-labels.csv has the suggested class.",
        items=tuple(
            Item(
                images=(int(rows[issue.index]),),
                note=f"{names[issue.given]}, looks like {names[issue.suggested]}",
                score=round(issue.confidence, 4),
                suggested=issue.suggested,
            )
            for issue in issues
        ),
    )


def _alike(samples: Samples, labels: Array, found: Array) -> Finding:
    classes = len(samples.class_names)
    table = np.zeros((classes, classes))
    np.add.at(table, (labels, found), 1)
    shares = table / np.maximum(table.sum(1, keepdims=True), 1)
    mixed = np.minimum(shares, shares.T)
    rows, columns = np.triu_indices(classes, 1)
    order = np.argsort(-mixed[rows, columns], kind="stable")
    pairs = [(int(rows[i]), int(columns[i])) for i in order[:50] if mixed[rows[i], columns[i]] >= _ALIKE]
    names = samples.class_names
    return Finding(
        kind="alike-classes",
        title="classes that look alike",
        severity="information",
        meaning="A model will mix them up more than others.",
        advice="Check that they are meant to be two classes; give them more images than the others.",
        items=tuple(
            Item(
                classes=(a, b),
                score=round(float(mixed[a, b]), 4),
                note=f"{names[a]} as {names[b]}: {shares[a, b]:.0%}, the other way: {shares[b, a]:.0%}",
            )
            for a, b in pairs
        ),
    )
