"""Splits of groups, of images with several labels, and of numbers; folds for cross-validation.

All of them depend on the seed and the positions alone: the same on every machine and version.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neocog.core import check_int, check_one_of
from neocog.data._scan import TASKS
from neocog.data._split import check_fractions, class_numbers, rank
from neocog.exceptions import ArgumentError, DataError, message

Positions = np.ndarray[Any, np.dtype[np.int64]]
_BINS = 10  # of equally many numbers each


def multilabel_split(labels: Any, fractions: Sequence[float], seed: int = 0) -> list[Positions]:
    """Split positions so that each label has about the same share in every part: iterative stratification.

    The label that is left on the fewest samples goes first; each of its samples goes to the part that lacks
    most of that label.

    Args:
        labels: 0 and 1, (samples, labels).
        fractions: share of each part, above 0, with the sum 1.
        seed: whole number; another one gives another split.

    Returns:
        One sorted array of positions a part; together they hold each position once.

    Raises:
        DataError: fewer samples than parts.

    Example:
        >>> train, test = multilabel_split([[1, 0], [1, 1], [0, 1], [1, 0], [1, 1], [0, 1]], (2 / 3, 1 / 3))
        >>> len(train), len(test)
        (4, 2)

    Reference:
        K. Sechidis, G. Tsoumakas, I. Vlahavas, "On the stratification of multi-label data", 2011.
    """
    shares = np.array(check_fractions("multilabel_split", fractions))
    matrix = _matrix("multilabel_split", labels)
    _check_enough("samples", len(matrix), len(shares))
    order = np.array(sorted(range(len(matrix)), key=lambda position: rank(seed, position)), dtype=np.int64)
    room = shares * len(matrix)  # samples that each part still wants
    wanted = np.outer(shares, matrix.sum(0))  # of each label
    part_of = np.full(len(matrix), -1)
    left = matrix.sum(0)
    while True:
        open_labels = np.flatnonzero(left > 0)
        if not len(open_labels):
            break
        label = int(open_labels[np.argmin(left[open_labels])])
        for position in order[(matrix[order, label] > 0) & (part_of[order] < 0)]:
            part_of[position] = _neediest(wanted[:, label], room)
            room[part_of[position]] -= 1
            wanted[part_of[position]] -= matrix[position]
            left -= matrix[position]
    for position in order[part_of[order] < 0]:  # samples without any label
        part_of[position] = _neediest(room, room)
        room[part_of[position]] -= 1
    _fill_empty(part_of, len(shares), order)
    return [np.flatnonzero(part_of == part) for part in range(len(shares))]


def quantile_split(values: Any, fractions: Sequence[float], seed: int = 0) -> list[Positions]:
    """Split positions so that small and large numbers have about the same share in every part.

    One column of numbers is cut into up to 10 ranges of equally many samples, and each part gets its share of
    each; of several columns the ranges (4 each) are the labels of `multilabel_split`.

    Args:
        values: numbers, (samples,) or (samples, targets).
        fractions: share of each part, above 0, with the sum 1.
        seed: whole number; another one gives another split.

    Returns:
        One sorted array of positions a part; together they hold each position once.

    Raises:
        DataError: fewer samples than parts, numbers that are not finite.

    Example:
        >>> train, test = quantile_split([5.0, 1.0, 9.0, 2.0, 8.0, 3.0], (0.5, 0.5))
        >>> len(train), len(test)
        (3, 3)
    """
    shares = check_fractions("quantile_split", fractions)
    numbers = np.asarray(values, dtype=np.float64)
    numbers = numbers[:, None] if numbers.ndim == 1 else numbers
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers).all(1))[0])
        raise DataError(message("quantile_split", expected="finite numbers", got=f"others in row {row}"))
    _check_enough("samples", len(numbers), len(shares))
    if numbers.shape[1] > 1:
        return multilabel_split(_range_columns(numbers, 4), shares, seed)
    least = max(len(shares), round(1 / min(shares)))  # samples of a range: one of the smallest part
    ranges = _ranges(numbers[:, 0], max(1, min(_BINS, len(numbers) // least)))
    part_of = np.full(len(numbers), -1)
    given = np.zeros(len(shares), dtype=np.int64)
    for number in range(int(ranges.max()) + 1):
        members = sorted(np.flatnonzero(ranges == number).tolist(), key=lambda i: rank(seed, i))
        # What rounding took from a part in one range it gets in the next.
        wanted = np.array(shares) * (int(given.sum()) + len(members)) - given
        counts = _rounded(wanted, len(members))
        part_of[members] = np.repeat(np.arange(len(shares)), counts)
        given += counts
    _fill_empty(part_of, len(shares), np.arange(len(numbers)))
    return [np.flatnonzero(part_of == part) for part in range(len(shares))]


def grouped_split(
    labels: Any, groups: Sequence[Any], fractions: Sequence[float], seed: int = 0, *, task: str = TASKS[0]
) -> list[Positions]:
    """Split positions so that no group is in two parts, and classes have about the same share in every part.

    The largest groups go first, each to the part that lacks most of its classes.

    Args:
        labels: class numbers (samples,), 0 and 1 (samples, labels), or numbers, as `task` says.
        groups: what the samples of one group share; None is a group of its own.
        fractions: share of each part, above 0, with the sum 1.
        seed: whole number; another one gives another split.
        task: one of `TASKS`.

    Returns:
        One sorted array of positions a part; together they hold each position once.

    Raises:
        DataError: fewer groups than parts, class numbers of another shape, missing ones.

    Example:
        >>> train, test = grouped_split([0, 0, 1, 1, 0, 1], ["a", "a", "b", "b", "c", "d"], (0.6, 0.4))
        >>> len({"aabbcd"[i] for i in train} & {"aabbcd"[i] for i in test})
        0
    """
    shares = np.array(check_fractions("grouped_split", fractions))
    counts = _indicators(labels, check_one_of("grouped_split", "task", task, TASKS))
    number = _group_numbers(groups, len(counts))
    several = int(number.max(initial=-1)) + 1
    _check_enough("groups", several, len(shares))
    sizes = np.bincount(number, minlength=several)
    inside = np.zeros((several, counts.shape[1]))
    np.add.at(inside, number, counts)
    # Rare classes weigh as much as frequent ones.
    inside = np.concatenate([inside / np.maximum(counts.sum(0), 1), (sizes / len(counts))[:, None]], axis=1)
    lacks = np.outer(shares, inside.sum(0))
    part_of = np.full(several, -1)
    order = sorted(range(several), key=lambda group: (-int(sizes[group]), rank(seed, group)))
    for group in order:
        gain = np.round((lacks * inside[group]).sum(1), 9)  # rounded: sums differ between processors
        part_of[group] = int(np.argmax(gain + 1e-12 * shares))
        lacks[part_of[group]] -= inside[group]
    _fill_empty(part_of, len(shares), np.array(order))
    _train_on_all(part_of, inside[:, :-1], order)
    return [np.flatnonzero(part_of[number] == part) for part in range(len(shares))]


def kfold(
    labels: Any, k: int, seed: int = 0, *, groups: Sequence[Any] | None = None, task: str = TASKS[0]
) -> list[tuple[Positions, Positions]]:
    """Return (training positions, test positions) of k folds: each position is in one test part.

    Classes, labels or ranges of numbers have about the same share in every fold, as `task` says.

    Args:
        labels: class numbers (samples,), 0 and 1 (samples, labels), or numbers.
        k: folds, 2 or more.
        seed: whole number; another one gives other folds.
        groups: what the samples of one group share: no group is in two folds. None groups nothing.
        task: one of `TASKS`.

    Raises:
        DataError: fewer samples or groups than folds, class numbers of another shape, missing ones.

    Example:
        >>> [test.tolist() for _, test in kfold([0, 0, 1, 1], 2, seed=1)]
        [[0, 3], [1, 2]]
    """
    check_int("kfold", "k", k, minimum=2)
    check_one_of("kfold", "task", task, TASKS)
    shares = [1 / k] * k
    if groups is not None:
        tests = grouped_split(labels, groups, shares, seed, task=task)
    elif task == "multi-label":
        tests = multilabel_split(labels, shares, seed)
    elif task == "regression":
        tests = quantile_split(labels, shares, seed)
    else:
        numbers = class_numbers("kfold", labels)
        _check_enough("samples", len(numbers), k)
        order = sorted(range(len(numbers)), key=lambda i: (numbers[i], rank(seed, i)))
        tests = [np.array(sorted(order[fold::k]), dtype=np.int64) for fold in range(k)]
    everything = np.arange(sum(len(test) for test in tests))
    return [(np.setdiff1d(everything, test), test) for test in tests]


def _rounded(wanted: Any, total: int) -> Positions:
    """Return whole numbers near `wanted` with the sum `total`, by largest remainder."""
    counts: Positions = np.floor(np.maximum(wanted, 0) + 1e-9).astype(np.int64)
    while counts.sum() != total:
        gaps = np.round(wanted - counts, 9)
        if counts.sum() < total:
            counts[int(np.argmax(gaps))] += 1
        else:
            counts[int(np.argmin(np.where(counts > 0, gaps, np.inf)))] -= 1
    return counts


def _neediest(wanted: Any, room: Any) -> int:
    """Return the part that wants most; of equals the one with most room, then the first."""
    best = wanted >= wanted.max() - 1e-9
    return int(np.argmax(np.where(best, room, -np.inf)))


def _fill_empty(part_of: Any, parts: int, order: Any) -> None:
    """Give every part something: the last (smallest) one of the part that has most."""
    for part in range(parts):
        if not (part_of == part).any():
            fullest = int(np.argmax(np.bincount(part_of, minlength=parts)))
            part_of[[item for item in order if part_of[item] == fullest][-1]] = part


def _train_on_all(part_of: Any, inside: Any, order: list[int]) -> None:
    """Move a group of each class that the first part lacks there, where its own part keeps another group."""
    for column in np.flatnonzero(inside[part_of == 0].sum(0) == 0):
        for group in reversed(order):
            if inside[group, column] > 0 and (part_of == part_of[group]).sum() > 1:
                part_of[group] = 0
                break


def _group_numbers(groups: Sequence[Any], samples: int) -> Positions:
    if len(groups) != samples:
        got = f"{len(groups)} for {samples} samples"
        raise ArgumentError(message("groups", expected="one group a sample", got=got))
    known: dict[Any, int] = {}
    keys = (("alone", i) if group is None else ("group", group) for i, group in enumerate(groups))
    return np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.int64)


def _indicators(labels: Any, task: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return 0 and 1, (samples, classes): what is to have the same share in every part."""
    if task == "multi-label":
        return _matrix("grouped_split", labels)
    if task == "regression":
        values = np.asarray(labels, dtype=np.float64)
        return _range_columns(values[:, None] if values.ndim == 1 else values, 5)
    _, numbers = np.unique(class_numbers("grouped_split", labels), return_inverse=True)
    return np.eye(int(numbers.max(initial=0)) + 1, dtype=np.int64)[numbers]


def _matrix(where: str, labels: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
    matrix = np.asarray(labels)
    if matrix.ndim != 2 or not np.isin(matrix, (0, 1)).all():
        expected = "0 and 1 in an array (samples, labels)"
        raise DataError(message(where, expected=expected, got=f"shape {matrix.shape}"))
    return matrix.astype(np.int64)


def _ranges(column: Any, bins: int) -> Positions:
    """Return the range of each number: `bins` of them, of equally many samples; equal numbers by position."""
    ranked = np.argsort(np.argsort(column, kind="stable"), kind="stable")
    return np.asarray(ranked * bins // len(column), dtype=np.int64)


def _range_columns(values: Any, bins: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    bins = max(1, min(bins, len(values) // 2))
    return np.concatenate([np.eye(bins, dtype=np.int64)[_ranges(column, bins)] for column in values.T], 1)


def _check_enough(noun: str, count: int, parts: int) -> None:
    if count < parts:
        expected = f"at least {parts} {noun}, one for each part"
        raise DataError(message("split", expected=expected, got=count))
