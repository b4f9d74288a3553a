"""Probabilities of each image from a classifier that was not trained on it: k folds over features.

Letters: N images, D features, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neocog.diagnosis._label_issues import calibrated, find_label_issues
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
    seed: int = 0,
    progress: Progress | None = None,
) -> Array:
    """Return probabilities (N, C) from features (N, D) by classifiers that did not learn from the image.

    Linear discriminants and the votes of the nearest images, multiplied; the mean over several divisions into
    folds. What the first round finds to be wrongly labelled is left out of the training of the second, so
    that wrong labels do not vouch for each other. Images of one group share a fold.
    """
    drawn = _evened(features)
    kept = np.ones(len(labels), dtype=bool)
    repeats = _REPEATS if len(labels) <= _MANY else 1
    chances = np.zeros((len(labels), int(labels.max()) + 1))
    for number in range(_ROUNDS):
        logs = np.zeros_like(chances)
        for repeat in range(repeats):
            folds = stratified_folds(labels, groups, FOLDS, seed + repeat)
            logs += np.log(np.maximum(_held_out(drawn, labels, folds, kept, chances.shape[1]), 1e-12))
            if progress is not None:
                progress("looking for wrong labels", number * repeats + repeat + 1, _ROUNDS * repeats)
        chances = _softmax(logs / repeats)
        kept[[issue.index for issue in find_label_issues(chances, labels)]] = False
    return chances


def _held_out(drawn: Array, labels: Array, folds: Array, kept: Array, classes: int) -> Array:
    """Return probabilities of each fold from what the other folds teach."""
    scores, votes = np.zeros((len(labels), classes)), np.ones((len(labels), classes))
    for fold in range(FOLDS):
        trained, asked = np.flatnonzero((folds != fold) & kept), np.flatnonzero(folds == fold)
        if not len(trained) or not len(asked):
            continue
        scores[asked] = _scored(drawn, labels, trained, asked, classes)
        if len(labels) <= _MANY:
            votes[asked] = _voted(drawn, labels, trained, asked, classes)
    found = calibrated(_softmax(scores), labels) * votes
    return np.asarray(found / found.sum(1, keepdims=True))


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


def _scored(features: Array, labels: Array, trained: Array, asked: Array, classes: int) -> Array:
    """Return the discriminant of each class (A, C) by linear discriminant analysis with equal priors.

    The covariance is drawn towards a multiple of the identity: there are about as many features as images.
    """
    known, given = features[trained], labels[trained]
    counts = np.bincount(given, minlength=classes)
    means = np.zeros((classes, features.shape[1]))
    np.add.at(means, given, known)
    means /= np.maximum(counts, 1)[:, None]
    rest = known - means[given]
    spread = rest.T @ rest / max(len(known), 1)
    size = len(spread)
    level = max(float(np.trace(spread)) / size, 1e-12)
    drawn = (1 - _SHRINKAGE) * spread + _SHRINKAGE * level * np.eye(size)
    weights = np.linalg.solve(drawn, means.T)  # (D, C)
    scores = features[asked] @ weights - 0.5 * (means.T * weights).sum(0)
    scores[:, counts == 0] = -1e9  # nothing was learned of them
    return np.asarray(scores)


def _evened(features: Array) -> Array:
    """Return features with their large values drawn in and the length 1 of every image."""
    drawn = np.sign(features) * np.sqrt(np.abs(features.astype(np.float64)))
    return np.asarray(drawn / np.maximum(np.linalg.norm(drawn, axis=1, keepdims=True), 1e-9))


def _softmax(scores: Array) -> Array:
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))
