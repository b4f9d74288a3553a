"""Probabilities of each image from classifiers that were not trained on it, over features.

Letters: N images, D features, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neocog.diagnosis._label_issues import LEAST_WRONG, find_label_issues
from neocog.diagnosis._label_noise import weigh
from neocog.diagnosis._left_out import LeftOut, even_weights, members_of
from neocog.diagnosis._look import Progress

Array = np.ndarray[Any, Any]

FOLDS = 5
_ROUNDS, _FOLDED_ROUNDS = 4, 2
_SHRINKAGE = 0.6
_MANY = 4000  # images from which on folds are enough: an inverse grows with the cube of their number


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

    Each kind of features, and all together, give an opinion on every image, learned from all others (of more
    than 4000: from the other folds); opinions are weighed so that the labels are likeliest. Later rounds
    teach what the opinions make of the labels instead of the labels as given, so that wrong ones do not
    vouch for each other. An image's group is left out with it.

    Args:
        parts: how many of the features are of each kind; none: all are of one.
        seed: of the folds.
    """
    views = _views(features, parts)
    classes = int(labels.max()) + 1
    if len(labels) > _MANY:
        return _by_folds(views, labels, groups, classes, seed, progress)
    judges, weights = [], even_weights(labels)
    for number, view in enumerate(views):
        judges.append(LeftOut(view, weights, groups))
        if progress is not None:
            progress("looking for wrong labels", number + 1, len(views))
    taught = np.eye(classes)[labels]
    for _ in range(_ROUNDS):
        noise = weigh(np.stack([judge.opinions(taught) for judge in judges]), labels)
        taught = noise.believed(labels, max(noise.wrong, LEAST_WRONG))
    return noise.chances


def _by_folds(
    views: list[Array],
    labels: Array,
    groups: Sequence[int],
    classes: int,
    seed: int,
    progress: Progress | None,
) -> Array:
    """Return probabilities (N, C) by discriminants; the second round does not teach what the first doubts."""
    kept, folds = np.ones(len(labels), dtype=bool), stratified_folds(labels, groups, FOLDS, seed)
    done = 0
    for _ in range(_FOLDED_ROUNDS):
        opinions = []
        for view in views:
            opinions.append(_scored(view, labels, folds, kept, classes))
            done += 1
            if progress is not None:
                progress("looking for wrong labels", done, _FOLDED_ROUNDS * len(views))
        chances = weigh(np.stack(opinions), labels).chances
        kept[[issue.index for issue in find_label_issues(chances, labels)]] = False
    return chances


def _views(features: Array, parts: Sequence[int]) -> list[Array]:
    """Return each kind of features, and all of them side by side, each image at length 1."""
    ends = np.cumsum(parts)[:-1].tolist() if len(parts) > 1 else []
    views = [_evened(part) for part in np.split(features, ends, axis=1)]
    if len(views) == 1:
        return views
    return [*views, np.concatenate(views, axis=1) / np.sqrt(np.float32(len(views)))]


def stratified_folds(labels: Array, groups: Sequence[int], folds: int, seed: int) -> Array:
    """Return the fold of each image (N,): classes in even shares, the images of a group together."""
    rng = np.random.default_rng(seed)
    members = members_of(groups)
    found = np.zeros(len(labels), dtype=np.int64)
    filled = np.zeros((int(labels.max(initial=0)) + 1, folds), dtype=np.int64)
    for place in rng.permutation(len(members)).tolist():
        together = members[place]
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
