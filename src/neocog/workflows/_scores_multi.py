"""How good a model is that says several labels of an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from neocog.workflows._scores import wilson_interval
from neocog.workflows._task import THRESHOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelScore:
    """One label.

    Attributes:
        name: of the label.
        count: images that have it.
        precision, recall, f1: at the threshold; None where they are not defined.
        average_precision: area below the curve of precision over recall, for all thresholds; None without an
            image that has the label.
    """

    name: str
    count: int
    precision: float | None
    recall: float | None
    f1: float | None
    average_precision: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiLabelScores:
    """What predictions of several labels are worth.

    Attributes:
        count: images.
        macro_f1, micro_f1: F1 as the mean over labels that are there, and over all decisions together.
        mean_ap: mean average precision of the labels that are there.
        chance_ap: what random guesses would reach: the mean share of images that have a label.
        binary_accuracy: share of the yes/no decisions that are right.
        exact: share of images all of whose labels are right.
        low, high: 95 % Wilson interval of `exact`.
        loss: mean binary cross-entropy.
        threshold: probability from which a label is taken as there.
        labels: one score a label.
    """

    count: int
    macro_f1: float
    micro_f1: float
    mean_ap: float
    chance_ap: float
    binary_accuracy: float
    exact: float
    low: float
    high: float
    loss: float
    threshold: float
    labels: tuple[LabelScore, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def average_precision(truth: Any, probabilities: Any) -> float | None:
    """Return Σ (Rₙ − Rₙ₋₁) Pₙ over the thresholds, equal probabilities together; None without a positive.

    Example:
        >>> average_precision([0, 1, 1], [0.1, 0.9, 0.4])
        1.0
    """
    positive = np.asarray(truth) > 0
    if not positive.any():
        return None
    order = np.argsort(-np.asarray(probabilities, dtype=np.float64), kind="stable")
    sorted_chances = np.asarray(probabilities)[order]
    hits = np.cumsum(positive[order])
    last = np.flatnonzero(np.append(np.diff(sorted_chances) != 0, True))  # of each group of equal ones
    found = hits[last]
    precision = found / (last + 1)
    steps = np.diff(np.concatenate([[0], found])) / positive.sum()
    return float((steps * precision).sum())


def score_labels(
    probabilities: Any, labels: Any, names: Sequence[str], threshold: float = THRESHOLD
) -> MultiLabelScores:
    """Return what predictions are worth.

    Args:
        probabilities: (count, labels).
        labels: 0 and 1, (count, labels).
        names: of the labels.
        threshold: probability from which a label is taken as there.
    """
    chances = np.asarray(probabilities, dtype=np.float64)
    truth = np.asarray(labels) > 0
    called = chances > threshold
    scores = tuple(_label(name, truth[:, i], called[:, i], chances[:, i]) for i, name in enumerate(names))
    there = [item for item in scores if item.count]
    hits, said, real = int((truth & called).sum()), int(called.sum()), int(truth.sum())
    exact = int((truth == called).all(1).sum())
    low, high = wilson_interval(exact, len(truth))
    clipped = np.clip(np.where(truth, chances, 1 - chances), 1e-7, 1)
    return MultiLabelScores(
        count=len(truth),
        macro_f1=_mean([item.f1 or 0.0 for item in there]),
        micro_f1=2 * hits / (said + real) if said + real else 0.0,
        mean_ap=_mean([item.average_precision or 0.0 for item in there]),
        chance_ap=_mean([item.count / len(truth) for item in there]),
        binary_accuracy=float((truth == called).mean()),
        exact=exact / len(truth),
        low=low,
        high=high,
        loss=float(-np.log(clipped).mean()),
        threshold=threshold,
        labels=scores,
    )


def _label(name: str, truth: Any, called: Any, chances: Any) -> LabelScore:
    hits, said, real = int((truth & called).sum()), int(called.sum()), int(truth.sum())
    return LabelScore(
        name=name,
        count=real,
        precision=hits / said if said else None,
        recall=hits / real if real else None,
        f1=2 * hits / (said + real) if said + real else None,
        average_precision=average_precision(truth, chances),
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0
