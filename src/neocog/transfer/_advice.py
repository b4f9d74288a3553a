"""How much of a pretrained network to train: by the number of images, and how well it knows their like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neocog.core import check_int, check_number

_SMALL, _LARGE = 250.0, 2500.0  # images a class
_SIMILAR = 0.7  # share of what guessing leaves open that a linear head gets right
_FOLDS = 5
_RIDGES = (0.03, 0.3, 3.0)  # of the features' variance
_MOST_ROWS = 20_000
# share of the blocks to open, by amount of data and similarity
_SHARES = {
    ("small", True): 0.0,
    ("small", False): 0.1,
    ("medium", True): 0.15,
    ("medium", False): 0.3,
    ("large", True): 0.35,
    ("large", False): 1.0,
}


@dataclass(frozen=True, kw_only=True)
class Advice:
    """How much of a base to train.

    Attributes:
        share: of its blocks, counted from the top; 0 is the head alone, 1 all.
        size: `"small"`, `"medium"` or `"large"`: the data.
        similarity: 0 to 1, or None where it is not known.
        words: the advice with its reasons.
    """

    share: float
    size: str
    similarity: float | None
    words: str

    def count(self, blocks: int) -> int:
        """Return the number of top blocks to open out of so many."""
        return 0 if not self.share else max(1, round(self.share * blocks))


def advise(samples: int, classes: int, similarity: float | None = None) -> Advice:
    """Return how much of a pretrained network to train, in words and as a share of its blocks.

    Few images of the like that the network knows: the head alone. Few others: a little of the top, or a head
    on an earlier block. Many images carry more: the top for similar ones, all for different ones.

    Args:
        samples: training images.
        classes: number of classes, 1 for numbers.
        similarity: what `similarity` found, 0 to 1; None counts as similar.

    Raises:
        ArgumentError: a number below 1, or a similarity out of its range.

    Example:
        >>> advise(samples=200, classes=5, similarity=0.9).share
        0.0
        >>> advise(samples=100_000, classes=10, similarity=0.2).share
        1.0
    """
    check_int("advise", "samples", samples, minimum=1)
    check_int("advise", "classes", classes, minimum=1)
    if similarity is not None:
        similarity = check_number("advise", "similarity", similarity, minimum=0.0, maximum=1.0)
    each = samples / classes
    size = "small" if each < _SMALL else "large" if each >= _LARGE else "medium"
    similar = similarity is None or similarity >= _SIMILAR
    share = _SHARES[size, similar]
    return Advice(share=share, size=size, similarity=similarity, words=_words(size, each, similarity, share))


def _words(size: str, each: float, similarity: float | None, share: float) -> str:
    amount = {"small": "few", "medium": "a fair number", "large": "many"}[size]
    count = f"{each:,.0f} training images a class are {amount}"
    if similarity is None:
        known = "how like they are to what the network learned from was not measured"
    elif similarity >= _SIMILAR:
        known = f"the features tell the classes apart already (similarity {similarity:.2f} of 1)"
    else:
        known = f"the features tell the classes apart only in part (similarity {similarity:.2f} of 1)"
    if not share:
        do = "train the head alone: more weights would learn these images by heart"
    elif share == 1:
        do = "train the whole network, with lower rates below"
    elif size == "small":
        do = "open the last block with a low rate, or let the head start at an earlier block"
    else:
        do = f"open about {share:.0%} of the blocks, from the top, with a low rate"
    return f"{count}, and {known}: {do}."


def similarity(features: Any, labels: Any) -> float:
    """Return how well features tell classes apart that they were not made for, from 0 to 1.

    A linear head is fitted by ridge regression in five folds, each image judged by a head that has not seen
    it. Class numbers: the accuracy; 0 and 1 in columns: the mean over the labels of the accuracy; both
    between what guessing reaches (0) and everything right (1). Numbers: R².

    Args:
        features: (count, features), or feature maps (count, H, W, C), which are averaged.
        labels: class numbers (count,), or columns (count, labels) of 0 and 1 or of numbers.
    """
    x = np.asarray(features[:_MOST_ROWS], dtype=np.float64)
    x = x.mean(axis=tuple(range(1, x.ndim - 1))) if x.ndim > 2 else x
    y = np.asarray(labels[:_MOST_ROWS])
    single = y.ndim == 1 or y.shape[1] == 1
    classes = single and np.issubdtype(y.dtype, np.integer)
    targets = np.eye(int(y.max()) + 1)[y.reshape(-1)] if classes else y.reshape(len(y), -1).astype(np.float64)
    if len(x) < 2 * _FOLDS:
        return 0.0
    scores = [_score(_out_of_fold(x, targets, ridge), targets, classes) for ridge in _RIDGES]
    return float(np.clip(max(scores), 0.0, 1.0))


def _out_of_fold(x: Any, targets: Any, ridge: float) -> Any:
    """Return predictions for each row by a linear head that was fitted without its fold."""
    fold = np.random.default_rng(0).permutation(len(x)) % _FOLDS
    found = np.zeros_like(targets)
    for number in range(_FOLDS):
        rest, held = fold != number, fold == number
        mean, scale = x[rest].mean(0), x[rest].std(0) + 1e-6
        known, level = (x[rest] - mean) / scale, targets[rest].mean(0)
        gram = known.T @ known + ridge * len(known) * np.eye(x.shape[1])
        weights = np.linalg.solve(gram, known.T @ (targets[rest] - level))
        found[held] = (x[held] - mean) / scale @ weights + level
    return found


def _score(found: Any, targets: Any, classes: bool) -> float:
    if classes:
        share = float((found.argmax(1) == targets.argmax(1)).mean())
        guess = float(targets.mean(0).max())
        return (share - guess) / max(1 - guess, 1e-9)
    if np.isin(targets, (0.0, 1.0)).all():
        right = ((found > 0.5) == (targets > 0.5)).mean(0)
        guess_each = np.maximum(targets.mean(0), 1 - targets.mean(0))
        return float(((right - guess_each) / np.maximum(1 - guess_each, 1e-9)).mean())
    spread = ((targets - targets.mean(0)) ** 2).sum(0)
    return float((1 - ((found - targets) ** 2).sum(0) / np.maximum(spread, 1e-12)).mean())
