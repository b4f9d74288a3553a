"""What all other images say of each image: kernel ridge regression, each image's own part taken out.

With the kernel's matrix K, weights w of the images and targets Y, regression by K with penalty `_PENALTY` has
the coefficients A = M Y, where M = (K + penalty / w)⁻¹. What it would say of the images G without having
learned from them is Y_G - M_GG⁻¹ A_G: one inverse leaves every image out in turn, with its copies, and other
targets cost a product.

Letters: N images, D features, C classes.

Reference: Cawley and Talbot, Efficient leave-one-out cross-validation of kernel Fisher discriminant
classifiers, 2003.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_PENALTY = 1.0
_NARROW = 4.0  # of the kernel exp(narrow (x · y - 1)) of features of length 1
_EVEN = 0.5  # power of a class's size by which its images weigh less


class LeftOut:
    """Opinions on images from all others.

    Args:
        drawn: features (N, D) of length 1.
        weights: of the images (N,), see `even_weights`.
        groups: number of each image's group: a group is left out as one.
    """

    def __init__(self, drawn: Array, weights: Array, groups: Sequence[int]) -> None:
        kernel = np.exp(np.float32(_NARROW) * (drawn @ drawn.T - 1), dtype=np.float32)
        kernel.flat[:: len(kernel) + 1] += (_PENALTY / weights).astype(np.float32)
        self._inverse = np.linalg.inv(kernel)
        self._shares = (weights / weights.sum()).astype(np.float32)
        self._joined = [rows for rows in members_of(groups) if len(rows) > 1]

    def opinions(self, taught: Array) -> Array:
        """Return scores (N, C) from the classes (N, C) that are taught, each image's own left out."""
        targets = taught.astype(np.float32)
        targets -= self._shares @ targets
        strengths = self._inverse @ targets
        found = targets - strengths / self._inverse.diagonal()[:, None]
        for rows in self._joined:
            found[rows] = targets[rows] - np.linalg.solve(self._inverse[np.ix_(rows, rows)], strengths[rows])
        return found.astype(np.float64)


def members_of(groups: Sequence[int]) -> list[list[int]]:
    """Return the positions of each group, groups in the order of their first."""
    members: dict[int, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(int(group), []).append(index)
    return list(members.values())


def even_weights(labels: Array) -> Array:
    """Return weights (N,), 1 in the mean class, that let small classes speak up."""
    counts = np.bincount(labels)
    mean = len(labels) / np.count_nonzero(counts)
    return np.asarray((mean / counts[labels]) ** _EVEN)
