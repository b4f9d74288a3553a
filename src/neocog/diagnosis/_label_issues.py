"""Likely wrong labels: a classifier that never saw the image is sure of another class (confident learning).

Letters: N images, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neocog.exceptions import DataError, ShapeError, message

Array = np.ndarray[Any, Any]

# Of the other class's probability to that of the given one: as many times the share of images whose label the
# classifier does not find, so that its own errors stay few among what is named; and no less than the other.
_RATIO_PER_ERROR, _LEAST_RATIO = 500.0, 5.0
_FIRST_RATIO = 12.0  # what passes it teaches neither temperature nor errors; repeated, that runs away
_LEAST_TO_CALIBRATE = 100  # images


@dataclass(frozen=True, slots=True)
class LabelIssue:
    """An image whose label is likely wrong.

    Attributes:
        index: position of the image.
        given: its label.
        suggested: the class that it is likely of.
        confidence: probability of the suggested class against the given one, 0.83 to 1.
    """

    index: int
    given: int
    suggested: int
    confidence: float


def find_label_issues(probabilities: Any, labels: Sequence[int] | Any) -> list[LabelIssue]:
    """Find the images whose labels are likely wrong, the surest first.

    Probabilities are first brought to the temperature that explains the labels best (from 100 images on), and
    those of class j divided by the mean t_j that the images labelled j and recognised as j have, so that
    classes that are recognised more or less surely count alike. An image is an issue when another class's
    p_j / t_j is at least 500 e times that of its label, and 5 times; e is the share of images whose label is
    not the likeliest class: a classifier that errs more must be surer. Images that reach 12 times are left
    out of temperature and e.

    Args:
        probabilities: (N, C), of a model that was not trained on the image: out-of-fold, or held-out images.
        labels: (N,), class numbers.

    Raises:
        ShapeError: not one row of probabilities an image.
        DataError: values that are no probabilities, labels that are no class.

    Example:
        >>> chances = [[0.95, 0.05], [0.9, 0.1], [0.1, 0.9], [0.02, 0.98], [0.98, 0.02]]
        >>> [(issue.index, issue.suggested) for issue in find_label_issues(chances, [0, 0, 1, 1, 1])]
        [(4, 0)]

    Reference: Northcutt, Jiang and Chuang, Confident learning, 2021.
    """
    chances, given = _checked(probabilities, labels)
    if not len(given):
        return []
    trusted = np.ones(len(given), dtype=bool)
    suggested, sure, _ = _judged(chances, given, trusted)
    trusted[(suggested != given) & (sure >= _FIRST_RATIO / (1 + _FIRST_RATIO))] = False
    suggested, sure, errors = _judged(chances, given, trusted)
    ratio = max(_RATIO_PER_ERROR * errors, _LEAST_RATIO)
    wrong = np.flatnonzero((suggested != given) & (sure >= ratio / (1 + ratio)))
    order = wrong[np.argsort(-sure[wrong], kind="stable")]
    return [LabelIssue(int(i), int(given[i]), int(suggested[i]), float(sure[i])) for i in order]


def _judged(chances: Array, given: Array, trusted: Array) -> tuple[Array, Array, float]:
    """Return suggested classes, how sure they are (N,), and the share of trusted labels not found."""
    rows = np.arange(len(given))
    if len(given) >= _LEAST_TO_CALIBRATE:
        chances = calibrated(chances, given, trusted)
    right = chances.argmax(1) == given
    relative = chances / _usual(chances, given, right)
    relative[:, np.setdiff1d(np.arange(chances.shape[1]), given)] = 0.0
    suggested = relative.argmax(1)
    sure = relative[rows, suggested] / np.maximum(relative[rows, suggested] + relative[rows, given], 1e-12)
    errors = float((~right[trusted]).mean()) if trusted.any() else 0.0
    return suggested, sure, errors


def _usual(chances: Array, given: Array, right: Array) -> Array:
    """Return the mean probability (C,) of each class among the images that are recognised as it."""
    own = chances[np.arange(len(given)), given]
    found = np.ones(chances.shape[1])
    for number in np.unique(given).tolist():
        members = given == number
        found[number] = max(float(own[members & right if (members & right).any() else members].mean()), 1e-6)
    return found


def calibrated(chances: Array, given: Array, trusted: Array | None = None) -> Array:
    """Return probabilities at the temperature at which the labels, or those trusted, are likeliest."""
    powers = np.log(np.maximum(chances, 1e-12))
    rows = np.arange(len(given)) if trusted is None or not trusted.any() else np.flatnonzero(trusted)
    best, found = np.inf, chances
    for temperature in 1.3 ** np.arange(-6, 14):
        scaled = powers / temperature
        shares = np.exp(scaled - scaled.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        loss = float(-np.log(np.maximum(shares[rows, given[rows]], 1e-12)).mean())
        if loss < best:
            best, found = loss, shares
    return found


def _checked(probabilities: Any, labels: Any) -> tuple[Array, Array]:
    where = "find_label_issues"
    chances = np.asarray(probabilities, dtype=np.float64)
    given = np.asarray(labels).reshape(-1)
    if chances.ndim != 2 or len(chances) != len(given) or chances.shape[1] < 2:
        got = f"probabilities {chances.shape} and {len(given)} labels"
        raise ShapeError(message(where, expected="a row of 2 or more probabilities for each label", got=got))
    if len(given) == 0:
        return chances, given.astype(np.int64)
    if not np.isfinite(chances).all() or chances.min() < -1e-6 or chances.max() > 1 + 1e-6:
        do = "Apply softmax to logits first."
        raise DataError(message(where, expected="probabilities from 0 to 1", got="other values", do=do))
    whole = given.astype(np.int64)
    if not np.array_equal(whole, given) or whole.min() < 0 or whole.max() >= chances.shape[1]:
        expected = f"labels from 0 to {chances.shape[1] - 1}"
        raise DataError(message(where, expected=expected, got=f"{given.min()} to {given.max()}"))
    return chances, whole
