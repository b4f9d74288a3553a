"""What labels say of themselves: several opinions weighed, and how many labels are wrong, at their likeliest.

An image of class k is labelled k with chance 1 - e, and any other of the C classes with chance e / (C - 1).
Opinions are scores z_m (N, C); the class has the chances p = softmax(sum_m w_m z_m + b). The weights w > 0,
each class's b and e are those at which the labels given are likeliest, held lightly to where they begin: what
few images say of them counts little.

Letters: M opinions, N images, C classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

MOST_WRONG = 0.3  # of all labels; beyond, errors of the classifier pass for wrong labels
_WEIGHT_SPREAD, _BIAS_SPREAD = 1.5, 2.0  # standard deviations of log w and b
_USUAL_WRONG = (1.0, 49.0)  # wrong and right labels that count as seen before
_STEPS, _MEMORY, _MOST_AT_ONCE = 100, 10, 1.0


@dataclass(frozen=True)
class LabelNoise:
    """The classes' chances, and how many labels are wrong.

    Attributes:
        chances: (N, C) of the class that an image is of, its label not considered.
        wrong: share of labels that are wrong.
    """

    chances: Array
    wrong: float

    def doubts(self, given: Array, wrong: float) -> Array:
        """Return the chance (N,) that a label is wrong, given the chances and a share of wrong labels."""
        own = self.chances[np.arange(len(given)), given]
        other = wrong / (self.chances.shape[1] - 1) * (1 - own)
        return np.asarray(other / np.maximum(other + (1 - wrong) * own, 1e-300))

    def believed(self, given: Array, wrong: float) -> Array:
        """Return the classes' chances (N, C), given the labels and a share of wrong labels."""
        likely = np.full(self.chances.shape, wrong / (self.chances.shape[1] - 1))
        likely[np.arange(len(given)), given] = 1 - wrong
        found = self.chances * likely
        return np.asarray(found / np.maximum(found.sum(1, keepdims=True), 1e-300))


def weigh(opinions: Array, given: Array) -> LabelNoise:
    """Return the likeliest mixture of opinions (M, N, C), log-probabilities or scores, for labels (N,)."""
    count, _, classes = opinions.shape
    spread = np.maximum(opinions.std((1, 2), keepdims=True), 1e-9) if count > 1 else np.ones((1, 1, 1))
    scaled = opinions / spread
    start = np.zeros(count + classes + 1)
    start[:count] = np.log(2.0 / count) if count > 1 else 0.0
    start[-1] = -2.5  # logit of the share of MOST_WRONG that is wrong
    found = _lowest(lambda values: _unlikelihood(values, start, scaled, given), start)
    weights, bias = np.exp(found[:count]), found[count:-1]
    chances = _softmax(np.einsum("m,mnc->nc", weights, scaled) + bias)
    return LabelNoise(chances, MOST_WRONG * _sigmoid(float(found[-1])))


def _unlikelihood(values: Array, start: Array, opinions: Array, given: Array) -> tuple[float, Array]:
    """Return minus the mean log-likelihood of the labels with what holds the values, and its slope."""
    count, images, classes = opinions.shape
    rows = np.arange(images)
    weights, bias = np.exp(values[:count]), values[count:-1]
    share = _sigmoid(float(values[-1]))
    wrong = MOST_WRONG * share
    chances = _softmax(np.einsum("m,mnc->nc", weights, opinions) + bias)
    own = chances[rows, given]
    stray = wrong / (classes - 1)
    likely = stray + (1 - wrong - stray) * own
    pull = -(1 - wrong - stray) * own / likely / images  # of the score of the given class
    slope_z = -pull[:, None] * chances
    slope_z[rows, given] += pull
    slope_wrong = float(-((1 - own) / (classes - 1) - own)[likely > 0] @ (1 / likely[likely > 0])) / images
    before, right = _USUAL_WRONG
    held = (values[:-1] - start[:-1]) / np.repeat([_WEIGHT_SPREAD, _BIAS_SPREAD], [count, classes]) ** 2
    slope_wrong += (right / (1 - wrong) - before / wrong) / images
    loss = -float(np.log(likely).mean()) + 0.5 * float((held * (values[:-1] - start[:-1])).sum()) / images
    loss -= (before * np.log(wrong) + right * np.log(1 - wrong)) / images
    slope = np.concatenate(
        [
            weights * np.einsum("mnc,nc->m", opinions, slope_z) + held[:count] / images,
            slope_z.sum(0) + held[count:] / images,
            [slope_wrong * wrong * (1 - share)],
        ]
    )
    return loss, slope


def _lowest(function: Callable[[Array], tuple[float, Array]], values: Array) -> Array:
    """Return where a smooth function is lowest, by L-BFGS with halved steps.

    Reference: Nocedal, Updating quasi-Newton matrices with limited storage, 1980.
    """
    height, slope = function(values)
    pairs: list[tuple[Array, Array]] = []
    for _ in range(_STEPS):
        step = -_newton(slope, pairs)
        step *= min(1.0, _MOST_AT_ONCE / max(float(np.abs(step).max()), 1e-300))
        fall = float((slope * step).sum())
        if fall > -1e-12:
            break
        size = 1.0
        while size > 1e-6:
            there, steeper = function(values + size * step)
            if np.isfinite(there) and there <= height + 1e-4 * size * fall:
                break
            size /= 2
        else:
            break
        moved, turned = size * step, steeper - slope
        if float((moved * turned).sum()) > 1e-14:
            pairs = [*pairs[1 - _MEMORY :], (moved, turned)]
        small = height - there < 1e-9
        values, height, slope = values + moved, there, steeper
        if small:
            break
    return values


def _newton(slope: Array, pairs: list[tuple[Array, Array]]) -> Array:
    """Return the slope times the inverse of the curvature that the last steps showed."""
    left = slope.copy()
    shares = []
    for moved, turned in reversed(pairs):
        shares.append(float((moved * left).sum()) / float((moved * turned).sum()))
        left -= shares[-1] * turned
    if pairs:
        moved, turned = pairs[-1]
        left *= float((moved * turned).sum()) / float((turned * turned).sum())
    for (moved, turned), share in zip(pairs, reversed(shares), strict=True):
        left += (share - float((turned * left).sum()) / float((moved * turned).sum())) * moved
    return left


def _sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(value, -30, 30))))


def _softmax(scores: Array) -> Array:
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))
