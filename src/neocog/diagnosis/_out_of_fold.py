"""Probabilities of each image from a classifier that was not trained on it: k folds over features.

Letters: N images, D features, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neocog.diagnosis._label_issues import find_label_issues
from neocog.diagnosis._look import Progress

Array = np.ndarray[Any, Any]

FOLDS = 5
_SHRINKAGE = 0.6


def out_of_fold(
    features: Array,
    labels: Array,
    groups: Sequence[int],
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Array:
    """Return probabilities (N, C) by discriminant analysis of features (N, D), each image held out once.

    What the first round finds to be wrongly labelled is left out of the training of the second, so that wrong
    labels do not vouch for each other. Images of one group share a fold.
    """
    folds = stratified_folds(labels, groups, FOLDS, seed)
    drawn = _evened(features)
    kept = np.ones(len(labels), dtype=bool)
    scores = np.zeros((len(labels), int(labels.max()) + 1))
    chances, rounds = scores, 2
    for number in range(rounds):
        for fold in range(FOLDS):
            trained = np.flatnonzero((folds != fold) & kept)
            scores[folds == fold] = _scored(drawn, labels, trained, folds == fold, scores.shape[1])
            if progress is not None:
                progress("looking for wrong labels", number * FOLDS + fold + 1, rounds * FOLDS)
        chances = _softmax(scores)
        issues = find_label_issues(chances, labels)
        kept[[issue.index for issue in issues]] = False
    return chances


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
