"""Splits that keep the share of every class, the same for the same seed on every machine and version."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from neocog.core import check_number
from neocog.exceptions import ArgumentError, DataError, message


def stratified_split(
    labels: Any,
    fractions: Sequence[float],
    seed: int = 0,
    *,
    class_names: Sequence[str] | None = None,
) -> list[np.ndarray[Any, np.dtype[np.int64]]]:
    """Split positions so that every class is in every part, in about the same share.

    Args:
        labels: class number of each sample.
        fractions: share of each part, above 0, with the sum 1.
        seed: whole number; another one gives another split.
        class_names: for the error text.

    Returns:
        One sorted array of positions a part; together they hold each position once.

    Raises:
        DataError: a class has fewer samples than there are parts; it names the class and its count. Labels of
            another shape, or missing ones.

    Example:
        >>> train, test = stratified_split([0, 0, 0, 0, 1, 1, 1, 1], (0.75, 0.25), seed=1)
        >>> len(train), len(test)
        (6, 2)
    """
    shares = check_fractions("stratified_split", fractions)
    numbers = class_numbers("stratified_split", labels)
    parts: list[list[int]] = [[] for _ in shares]
    for label in np.unique(numbers):
        members = np.flatnonzero(numbers == label)
        counts = _counts(len(members), shares, _name(label, class_names))
        order = sorted(members.tolist(), key=lambda position: rank(seed, position))
        first = 0
        for part, count in zip(parts, counts, strict=True):
            part.extend(order[first : first + count])
            first += count
    return [np.array(sorted(part), dtype=np.int64) for part in parts]


def class_numbers(where: str, labels: Any) -> np.ndarray[Any, Any]:
    """Return the class of each sample, (samples,), from one in a row or in a column each.

    Raises:
        DataError: another shape, such as columns of 0 and 1; a sample without a class.
    """
    expected = "the class number of each sample, (samples,)"
    try:
        found = np.asarray(labels)
    except ValueError as error:
        raise DataError(message(where, expected=expected, got="rows of different lengths")) from error
    if found.ndim == 0 or found.size != len(found):
        do = "Columns of 0 and 1 become numbers by argmax(axis=1)." if found.ndim == 2 else ""
        raise DataError(message(where, expected=expected, got=f"shape {found.shape}", do=do))
    found = found.reshape(-1)
    missing = next((i for i, label in enumerate(found.tolist()) if label is None or label != label), None)
    if missing is not None:
        raise DataError(message(where, expected=expected, got=f"{found[missing]} at position {missing}"))
    return found


def check_fractions(where: str, fractions: Sequence[float]) -> list[float]:
    """Return the shares of the parts, which must be above 0 and have the sum 1."""
    if isinstance(fractions, (int, float)):
        raise ArgumentError(message(where, expected="fractions above 0 with the sum 1", got=fractions))
    shares = [check_number(where, "each fraction", share) for share in fractions]
    if not shares or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6:
        raise ArgumentError(message(where, expected="fractions above 0 with the sum 1", got=tuple(fractions)))
    return shares


def _counts(total: int, shares: list[float], name: str) -> list[int]:
    """Return how many of `total` go to each part: at least one, the rest by largest remainder."""
    if total < len(shares):
        noun = "image" if total == 1 else "images"
        raise DataError(
            message(
                f"class {name!r}",
                expected=f"at least {len(shares)} images (one for each of the {len(shares)} parts)",
                got=f"{total} {noun}",
                do="Add images, or leave the class out.",
            )
        )
    exact = [share * total for share in shares]
    counts = [max(int(value + 1e-9), 1) for value in exact]
    while sum(counts) > total:  # the ones that the minimum added come from the largest part
        counts[counts.index(max(counts))] -= 1
    while sum(counts) < total:
        gaps = [value - count for value, count in zip(exact, counts, strict=True)]
        counts[gaps.index(max(gaps))] += 1
    return counts


def rank(seed: int, position: int) -> bytes:
    """Return the sort key of a position: a hash, as random generators may change between versions."""
    return hashlib.blake2b(f"{seed}:{position}".encode(), digest_size=8).digest()


def _name(label: Any, class_names: Sequence[str] | None) -> str:
    return str(label) if class_names is None else class_names[int(label)]
