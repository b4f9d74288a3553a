"""Likely wrong labels: a classifier that never saw the image is sure of another class (confident learning).

Letters: N images, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neocog.diagnosis._label_noise import LabelNoise, weigh
from neocog.exceptions import DataError, ShapeError, message

Array = np.ndarray[Any, Any]

LEAST_WRONG = 0.04  # share of wrong labels that is reckoned with where fewer seem to be
_LEAST_DOUBT = 0.15  # chance of being wrong of a label that is listed
_FALSE = 0.016  # of the images: how many labels of a list may be right, as far as can be foreseen
_FALSE_OF_LIST = 0.18  # or of the list, where that is more
_LEAST_TO_CALIBRATE = 100  # images


@dataclass(frozen=True, slots=True)
class LabelIssue:
    """An image whose label is likely wrong.

    Attributes:
        index: position of the image.
        given: its label.
        suggested: the class that it is likely of.
        confidence: chance that the label is wrong, 0.15 to 1.
    """

    index: int
    given: int
    suggested: int
    confidence: float


def find_label_issues(probabilities: Any, labels: Sequence[int] | Any) -> list[LabelIssue]:
    """Find the images whose labels are likely wrong, the surest first.

    An image of class k is taken to be labelled k with chance 1 - e, and any other class with chance
    e / (C - 1). From 100 images on, e, the temperature of the probabilities and a factor a class are
    those at which the labels are likeliest; below, e is 0.04, as where it comes out smaller. By Bayes a label
    y with p_y is wrong with chance e (1 - p_y) / (e (1 - p_y) + (C - 1) (1 - e) p_y). Listed are images whose
    likeliest class is another, which are wrong with chance 0.15 or more, until as many are listed that are
    right, as these chances foresee, as are 1.6 % of all images, or 18 % of the list, or one.

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
    noise = LabelNoise(chances, 0.0)
    if len(given) >= _LEAST_TO_CALIBRATE:
        noise = weigh(np.log(np.maximum(chances, 1e-12))[None], given)
    likely = noise.chances.copy()
    likely[:, np.setdiff1d(np.arange(chances.shape[1]), given)] = 0.0  # nothing is labelled so
    doubts, suggested = noise.doubts(given, max(noise.wrong, LEAST_WRONG)), likely.argmax(1)
    order = np.argsort(-doubts, kind="stable")
    order = order[(suggested[order] != given[order]) & (doubts[order] >= _LEAST_DOUBT)]
    allowed = np.maximum(_FALSE_OF_LIST * np.arange(1, len(order) + 1), max(_FALSE * len(given), 1.0))
    order = order[np.cumsum(1 - doubts[order]) <= allowed]
    return [LabelIssue(int(i), int(given[i]), int(suggested[i]), float(doubts[i])) for i in order]


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
