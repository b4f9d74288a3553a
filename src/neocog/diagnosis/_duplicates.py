"""Copies: files with the same bytes, images with the same pixels, and the same picture stored otherwise."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neocog.data import load_image
from neocog.diagnosis._candidates import find_candidates
from neocog.diagnosis._look import Looks, Progress
from neocog.diagnosis._register import fit_pairs
from neocog.exceptions import DataError

Array = np.ndarray[Any, Any]

# Of 1,536 altered copies of photographs all that were fitted reach 0.90 but one, of 0.88; other photographs
# of the same thing come to 0.88 too (smooth ones: the heads of two dandelions; small planes of CIFAR-10).
LEAST_EDGES, LEAST_GREY = 0.89, 0.75
LEAST_CONTRAST = 4.0  # grey levels; a flatter picture has nothing to compare
_MOST_PIXEL_CHECKS = 2000


@dataclass(frozen=True, slots=True)
class Pair:
    """Two images that are one.

    Attributes:
        first, second: positions.
        kind: `"file"`: the same bytes; `"pixels"`: the same image in another file; `"near"`: stored at
            another size or quality, cropped, turned, mirrored, lighter or darker.
        likeness: 0 to 1; 1 for the same file or pixels.
    """

    first: int
    second: int
    kind: str
    likeness: float


@dataclass(frozen=True, slots=True)
class Duplicates:
    """All pairs, and the groups that they join (positions, sorted)."""

    pairs: tuple[Pair, ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()

    @staticmethod
    def joined(pairs: Sequence[Pair]) -> tuple[tuple[int, ...], ...]:
        """Return the groups that pairs join."""
        return _groups(pairs)

    def group_of(self, count: int) -> list[int]:
        """Return a number for each of `count` images, the same for images of one group."""
        found = list(range(count))
        for group in self.groups:
            for member in group:
                found[member] = group[0]
        return found


def find_duplicates(
    looks: Looks,
    paths: Sequence[str | os.PathLike[str]] | None = None,
    progress: Progress | None = None,
    *,
    near: bool = True,
) -> Duplicates:
    """Find copies among images.

    Args:
        looks: what was found of each image.
        paths: their files, to tell the same pixels in two files; None leaves that out.
        progress: told how far it is.
        near: look for images that are alike too, not for the same files alone.
    """
    pairs: list[Pair] = []
    first_of: dict[str, int] = {}
    for index in looks.readable.tolist():
        other = first_of.setdefault(looks.sha256[index], index)
        if other != index:
            pairs.append(Pair(other, index, "file", 1.0))
    if not near:
        return Duplicates(tuple(pairs), _groups(pairs))
    unique = np.array([i for i in first_of.values() if looks.contrast[i] >= LEAST_CONTRAST], dtype=np.int64)
    pairs += _near(looks, unique, paths, progress)
    return Duplicates(tuple(pairs), _groups(pairs))


def _near(looks: Looks, unique: Array, paths: Any, progress: Progress | None) -> list[Pair]:
    if len(unique) < 2:
        return []
    thumbs = looks.thumbs[unique]
    candidates = find_candidates(thumbs, progress)
    fits = fit_pairs(thumbs, candidates, progress)
    accepted = np.flatnonzero((fits.edges >= LEAST_EDGES) & (fits.grey >= LEAST_GREY))
    best: dict[tuple[int, int], float] = {}
    for number in accepted.tolist():
        one, two = int(unique[candidates.first[number]]), int(unique[candidates.second[number]])
        key = (min(one, two), max(one, two))
        best[key] = max(best.get(key, 0.0), float(fits.edges[number]))
    found, checks = [], 0
    for (one, two), likeness in sorted(best.items()):
        same = False
        if paths is not None and checks < _MOST_PIXEL_CHECKS and _may_be_equal(looks, one, two):
            checks += 1
            same = _same_pixels(paths[one], paths[two])
        found.append(Pair(one, two, "pixels" if same else "near", 1.0 if same else min(likeness, 1.0)))
    return found


def _may_be_equal(looks: Looks, one: int, two: int) -> bool:
    same_size = looks.height[one] == looks.height[two] and looks.width[one] == looks.width[two]
    return bool(same_size and abs(looks.brightness[one] - looks.brightness[two]) < 1.0)


def _same_pixels(one: str | os.PathLike[str], two: str | os.PathLike[str]) -> bool:
    try:
        return bool(np.array_equal(load_image(one), load_image(two)))
    except (DataError, OSError, MemoryError):
        return False


def _groups(pairs: Sequence[Pair]) -> tuple[tuple[int, ...], ...]:
    parent: dict[int, int] = {}

    def root(index: int) -> int:
        while parent.setdefault(index, index) != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for pair in pairs:
        one, two = root(pair.first), root(pair.second)
        parent[max(one, two)] = min(one, two)
    members: dict[int, list[int]] = {}
    for index in sorted(parent):
        members.setdefault(root(index), []).append(index)
    return tuple(tuple(group) for group in members.values())
