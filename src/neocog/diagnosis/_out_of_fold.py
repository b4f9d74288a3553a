"""Probabilities of each image from classifiers that were not trained on it: k folds over features.

Letters: N images, D features, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neocog.diagnosis._label_issues import find_label_issues
from neocog.diagnosis._label_noise import weigh
from neocog.diagnosis._look import Progress

Array = np.ndarray[Any, Any]

FOLDS = 5
_ROUNDS, _REPEATS = 2, 3
_SHRINKAGE = 0.6
_NEAREST = 12  # images that vote
_MANY = 10_000  # images from which on one division and the discriminants are enough


def out_of_fold(
    features: Array,
    labels: Array,
    groups: Sequence[int],
    *,
    parts: Sequence[int] = (),
    seed: int = 0,
    progress: Progress | None = None,
) -> Array:
    """Return probabilities (N, C) from features (N, D) by classifiers that did not learn from the image.

    Linear discriminants and the votes of the nearest images, of each network's features and of all together,
    the mean over several divisions into folds, weighed so that the labels are likeliest. What the first round
    finds to be wrongly labelled is left out of the training of the second, so that wrong labels do not vouch
    for each other. Images of one group share a fold.

    Args:
        parts: how many of the features are each network's; none: all are one's.
    """
    views = _views(features, parts)
    kept = np.ones(len(labels), dtype=bool)
    repeats = _REPEATS if len(labels) <= _MANY else 1
    chances = np.zeros((len(labels), int(labels.max()) + 1))
    done, total = 0, _ROUNDS * repeats * len(views)
    for _ in range(_ROUNDS):
        opinions: list[Array] = []
        divisions = [stratified_folds(labels, groups, FOLDS, seed + repeat) for repeat in range(repeats)]
        for view in views:
            found = []
            for folds in divisions:
                found.append(_held_out(view, labels, folds, kept, chances.shape[1]))
                done += 1
                if progress is not None:
                    progress("looking for wrong labels", done, total)
            opinions += list(np.mean(found, 0))
        chances = weigh(np.stack(opinions), labels).chances
        kept[[issue.index for issue in find_label_issues(chances, labels)]] = False
    return chances


def _views(features: Array, parts: Sequence[int]) -> list[Array]:
    """Return each network's features, and all of them side by side, each image at length 1."""
    ends = np.cumsum(parts)[:-1].tolist() if len(parts) > 1 else []
    views = [_evened(part) for part in np.split(features, ends, axis=1)]
    if len(views) == 1:
        return views
    return [*views, np.concatenate(views, axis=1) / np.sqrt(np.float32(len(views)))]


def _held_out(drawn: Array, labels: Array, folds: Array, kept: Array, classes: int) -> list[Array]:
    """Return opinions (N, C) of each fold from what the other folds teach: discriminants, and votes."""
    scores = _scored(drawn, labels, folds, kept, classes)
    if len(labels) > _MANY:
        return [scores]
    votes = np.zeros((len(labels), classes))
    for fold in range(FOLDS):
        trained, asked = np.flatnonzero((folds != fold) & kept), np.flatnonzero(folds == fold)
        if len(trained) and len(asked):
            votes[asked] = np.log(_voted(drawn, labels, trained, asked, classes))
    return [scores, votes]


def _voted(drawn: Array, labels: Array, trained: Array, asked: Array, classes: int) -> Array:
    """Return the shares of the classes among the nearest images, the nearer the heavier."""
    found = np.full((len(asked), classes), 0.0)
    nearest = min(_NEAREST, len(trained))
    for first in range(0, len(asked), 1024):
        block = asked[first : first + 1024]
        likeness = drawn[block] @ drawn[trained].T
        best = np.argpartition(-likeness, nearest - 1, axis=1)[:, :nearest]
        weight = np.exp(20 * (np.take_along_axis(likeness, best, 1) - 1))
        rows = np.repeat(np.arange(first, first + len(block)), nearest)
        np.add.at(found, (rows, labels[trained[best]].ravel()), weight.ravel())
    found += 0.02 * found.sum(1, keepdims=True) + 1e-12
    return np.asarray(found / found.sum(1, keepdims=True))


def stratified_folds(labels: Array, groups: Sequence[int], folds: int, seed: int) -> Array:
    """Return the fold of each image (N,): classes in even shares, the images of a group together."""
    rng = np.random.default_rng(seed)
    members: dict[int, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(int(group), []).append(index)
    found = np.zeros(len(labels), dtype=np.int64)
    filled = np.zeros((int(labels.max(initial=0)) + 1, folds), dtype=np.int64)
    names = list(members)
    for place in rng.permutation(len(names)).tolist():
        together = members[names[place]]
        fold = int(filled[labels[together[0]]].argmin())
        found[together] = fold
        np.add.at(filled[:, fold], labels[together], 1)
    return found


def _scored(drawn: Array, labels: Array, folds: Array, kept: Array, classes: int) -> Array:
    """Return each class's discriminant (N, C), from the other folds, by linear discriminants of equal priors.

    The covariance is drawn towards a multiple of the identity: there are about as many features as images.
    Products and sums are made once a fold, and those of the other folds added.
    """
    size = drawn.shape[1]
    members = [np.flatnonzero((folds == fold) & kept) for fold in range(FOLDS)]
    counts = np.array([np.bincount(labels[rows], minlength=classes) for rows in members])
    sums = np.zeros((FOLDS, classes, size), dtype=np.float32)
    for fold, rows in enumerate(members):
        np.add.at(sums[fold], labels[rows], drawn[rows])
    products = [drawn[rows].T @ drawn[rows] for rows in members]
    whole, scores = np.sum(products, axis=0), np.zeros((len(labels), classes))
    for fold in range(FOLDS):
        asked = np.flatnonzero(folds == fold)
        count = counts.sum(0) - counts[fold]
        if not len(asked) or not count.sum():
            continue
        means = (sums.sum(0) - sums[fold]) / np.maximum(count, 1)[:, None].astype(np.float32)
        spread = (whole - products[fold] - (means.T * count.astype(np.float32)) @ means) / np.float32(
            count.sum()
        )
        level = max(float(np.trace(spread)) / size, 1e-12)
        spread *= np.float32(1 - _SHRINKAGE)
        spread.flat[:: size + 1] += np.float32(_SHRINKAGE * level)
        weights = np.linalg.solve(spread, means.T)  # (D, C)
        found = (drawn[asked] @ weights - 0.5 * (means.T * weights).sum(0)).astype(np.float64)
        found[:, count == 0] = found.min() - 10.0  # nothing was learned of them
        scores[asked] = found
    return scores


def _evened(features: Array) -> Array:
    """Return features with their large values drawn in and the length 1 of every image."""
    drawn = np.sign(features) * np.sqrt(np.abs(features.astype(np.float32)))
    return np.asarray(drawn / np.maximum(np.linalg.norm(drawn, axis=1, keepdims=True), 1e-9))
