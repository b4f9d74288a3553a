"""How good a classifier is: counts, shares, and how far they may be off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

Z95 = 1.959963984540054  # 97.5 % point of the normal distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScore:
    """One class: how much of what is called so is right, how much of it is found, and their harmonic mean.

    `precision` is None where nothing was called so, `recall` where no image of the class was there.
    """

    name: str
    count: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What a set of predictions is worth.

    Attributes:
        count: images.
        correct: of them right.
        accuracy: correct / count.
        low, high: 95 % Wilson interval of the accuracy.
        loss: mean of −ln p(true class).
        macro_f1: mean F1 of the classes that are there.
        majority: share of the most frequent class: what guessing it always would reach.
        classes: one score a class.
        confusion: counts by true class (row) and predicted class (column).
    """

    count: int
    correct: int
    accuracy: float
    low: float
    high: float
    loss: float
    macro_f1: float
    majority: float
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def wilson_interval(correct: int, count: int, z: float = Z95) -> tuple[float, float]:
    """Return the interval that covers the true share with the confidence that `z` stands for.

    (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n), with p = correct / n.

    Args:
        correct: number of hits.
        count: number of trials, n; 0 gives (0, 1).
        z: point of the normal distribution; default 1.96, for 95 %.

    Example:
        >>> low, high = wilson_interval(9, 10)
        >>> round(low, 3), round(high, 3)
        (0.596, 0.982)

    Reference:
        E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    if count == 0:
        return 0.0, 1.0
    share = correct / count
    scale = 1 + z * z / count
    centre = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    # at the ends the formula gives exactly 0 and 1; rounding may not
    low = 0.0 if correct == 0 else (centre - spread) / scale
    high = 1.0 if correct == count else (centre + spread) / scale
    return low, high


def confusion_matrix(labels: Any, predicted: Any, classes: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return counts by true class (row) and predicted class (column).

    Example:
        >>> confusion_matrix([0, 0, 1], [0, 1, 1], 2).tolist()
        [[1, 1], [0, 1]]
    """
    cells = np.asarray(labels, dtype=np.int64) * classes + np.asarray(predicted, dtype=np.int64)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes).astype(np.int64)


def score(probabilities: Any, labels: Any, class_names: Sequence[str]) -> Scores:
    """Return what predictions are worth.

    Args:
        probabilities: (count, classes).
        labels: true class numbers (count,).
        class_names: in the order of the columns.
    """
    chances = np.asarray(probabilities, dtype=np.float64)
    numbers = np.asarray(labels, dtype=np.int64)
    matrix = confusion_matrix(numbers, chances.argmax(-1), len(class_names))
    count, correct = int(matrix.sum()), int(np.trace(matrix))
    low, high = wilson_interval(correct, count)
    classes = tuple(_class_score(name, matrix, index) for index, name in enumerate(class_names))
    present = [item.f1 for item in classes if item.count and item.f1 is not None]
    of_truth = chances[np.arange(count), numbers]
    return Scores(
        count=count,
        correct=correct,
        accuracy=correct / count,
        low=low,
        high=high,
        loss=float(-np.log(np.clip(of_truth, 1e-7, 1)).mean()),
        macro_f1=float(np.mean(present)),
        majority=float(matrix.sum(1).max() / count),
        classes=classes,
        confusion=tuple(tuple(int(cell) for cell in row) for row in matrix),
    )


def _class_score(name: str, matrix: np.ndarray[Any, np.dtype[np.int64]], index: int) -> ClassScore:
    hits = int(matrix[index, index])
    there, called = int(matrix[index].sum()), int(matrix[:, index].sum())
    return ClassScore(
        name=name,
        count=there,
        precision=hits / called if called else None,
        recall=hits / there if there else None,
        f1=2 * hits / (there + called) if there + called else None,
    )
