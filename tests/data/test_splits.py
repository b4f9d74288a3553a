"""Splits by group, by several labels, by numbers, and folds; the same for the same seed everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neocog.data import grouped_split, kfold, multilabel_split, quantile_split, stratified_split
from neocog.exceptions import ArgumentError, DataError

SHARES = (0.7, 0.15, 0.15)
RANDOM = np.random.default_rng(0)
SEVERAL = (RANDOM.random((600, 5)) < [0.5, 0.2, 0.1, 0.05, 0.02]).astype(int)


def is_partition(parts: list[np.ndarray], count: int) -> bool:
    """Return whether each position is in one part and no part is empty or out of order."""
    everything = np.concatenate(parts)
    ordered = all(len(part) and (np.diff(part) > 0).all() for part in parts)
    return bool(ordered and np.array_equal(np.sort(everything), np.arange(count)))


def test_the_checker_fails_on_a_wrong_partition():
    assert is_partition([np.array([0, 2]), np.array([1])], 3)
    assert not is_partition([np.array([0, 2]), np.array([2])], 3)
    assert not is_partition([np.array([0, 1, 2]), np.array([], int)], 3)


def test_labels_have_their_share_in_every_part():
    parts = multilabel_split(SEVERAL, SHARES, seed=3)
    assert is_partition(parts, 600)
    for part, share in zip(parts, SHARES, strict=True):
        assert abs(len(part) - 600 * share) <= 1
        assert np.abs(SEVERAL[part].sum(0) - SEVERAL.sum(0) * share).max() <= 1.5


def test_iterative_stratification_beats_chance():
    ours = multilabel_split(SEVERAL, (0.5, 0.5))[0]
    gap = np.abs(2 * SEVERAL[ours].sum(0) - SEVERAL.sum(0)).sum()
    random = [np.random.default_rng(i).permutation(600)[:300] for i in range(20)]
    gaps = [np.abs(2 * SEVERAL[rows].sum(0) - SEVERAL.sum(0)).sum() for rows in random]
    assert gap < min(gaps)


@given(st.integers(3, 40), st.integers(1, 4), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_any_labels_are_split(count, labels, seed):
    matrix = (np.random.default_rng(seed).random((count, labels)) < 0.4).astype(int)
    parts = multilabel_split(matrix, SHARES, seed)
    assert is_partition(parts, count)
    again = multilabel_split(matrix, SHARES, seed)
    assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))


@given(st.integers(3, 60), st.integers(3, 12), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_no_group_is_in_two_parts(count, several, seed):
    random = np.random.default_rng(seed)
    groups = [f"g{i % several}" for i in range(max(count, several))]
    labels = random.integers(0, 3, len(groups))
    for task, values in (
        ("single-label", labels),
        ("multi-label", np.eye(3, dtype=int)[labels]),
        ("regression", random.normal(size=len(groups))),
    ):
        parts = grouped_split(values, groups, SHARES, seed, task=task)
        assert is_partition(parts, len(groups))
        assert sum(len({groups[i] for i in part}) for part in parts) == len(set(groups))


def test_groups_keep_the_shares_of_classes():
    groups = RANDOM.integers(0, 120, 1500)
    labels = np.array([0, 0, 0, 1, 2])[groups % 5]
    parts = grouped_split(labels, groups.tolist(), SHARES)
    for part, share in zip(parts, SHARES, strict=True):
        assert np.abs(np.bincount(labels[part]) / np.bincount(labels) - share).max() < 0.04


def test_a_class_of_one_group_is_trained_on():
    groups = ["a"] * 3 + [f"g{i}" for i in range(40)]
    labels = [2] * 3 + [i % 2 for i in range(40)]
    train = grouped_split(labels, groups, SHARES)[0]
    assert {0, 1, 2} == {labels[i] for i in train}


def test_ungrouped_samples_are_groups_of_their_own():
    parts = grouped_split([0, 1] * 20, [None] * 40, SHARES)
    assert [len(part) for part in parts] == [28, 6, 6]


def test_numbers_are_spread_over_the_parts():
    values = np.sort(RANDOM.normal(size=400)) ** 3
    parts = quantile_split(values, SHARES)
    assert is_partition(parts, 400)
    for part in parts[1:]:
        points = (0.1, 0.5, 0.9)
        assert np.abs(np.quantile(np.arange(400), points) - np.quantile(part, points)).max() < 40
    both = quantile_split(RANDOM.normal(size=(50, 2)), SHARES)
    assert is_partition(both, 50)
    assert is_partition(quantile_split([1.0, 1.0, 1.0], (0.4, 0.3, 0.3)), 3)


@pytest.mark.parametrize("task", ["single-label", "multi-label", "regression"])
@pytest.mark.parametrize("grouped", [False, True])
def test_folds(task, grouped):
    labels = RANDOM.integers(0, 4, 90)
    values = {"single-label": labels, "multi-label": np.eye(4, dtype=int)[labels], "regression": labels * 1.5}
    groups = [i // 3 for i in range(90)] if grouped else None
    folds = kfold(values[task], 5, seed=2, groups=groups, task=task)
    assert is_partition([test for _, test in folds], 90)
    for train, test in folds:
        assert is_partition([train, test], 90)
        assert 14 <= len(test) <= 22
        if not grouped:
            assert np.abs(np.bincount(labels[test], minlength=4) - np.bincount(labels) / 5).max() < 2
        if grouped:
            assert not {i // 3 for i in train} & {i // 3 for i in test}


KNOWN = [[1, 2, 4], [2, 4, 9], [4, 5], [2, 4]]


def test_known_splits_do_not_move():
    """Runs of today must be comparable with runs of another version: these are values, not properties."""
    several = [[1, 0], [1, 1], [0, 1], [1, 0], [0, 0], [0, 1]]
    assert multilabel_split(several, (0.5, 0.5), 1)[1].tolist() == KNOWN[0]
    assert quantile_split(np.arange(10.0), (0.7, 0.3), 1)[1].tolist() == KNOWN[1]
    assert grouped_split([0, 0, 1, 1, 0, 1], [1, 1, 2, 2, 3, 4], (0.6, 0.4), 1)[1].tolist() == KNOWN[2]
    assert stratified_split([0, 0, 0, 1, 1, 1], (2 / 3, 1 / 3), 1)[1].tolist() == KNOWN[3]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.eye(3)[[0, 1, 2, 0, 1, 2]], r"shape \(6, 3\).*argmax"),
        ([0, 1, None, 1], "None at position 2"),
        ([0.0, 1.0, 1.0, np.nan], "nan at position 3"),
        ([[0], [0, 1]], "different lengths"),
        (3, r"shape \(\)"),
    ],
)
def test_class_numbers_are_one_a_sample(labels, words):
    count = len(labels) if isinstance(labels, list | np.ndarray) else 1
    for split in (
        lambda: stratified_split(labels, (0.5, 0.5)),
        lambda: kfold(labels, 2),
        lambda: grouped_split(labels, range(count), (0.5, 0.5)),
    ):
        with pytest.raises(DataError, match=words):
            split()


def test_class_numbers_may_stand_in_a_column():
    column = [[0], [0], [1], [1]]
    assert [part.tolist() for part in stratified_split(column, (0.5, 0.5))] == [
        part.tolist() for part in stratified_split([0, 0, 1, 1], (0.5, 0.5))
    ]


def test_refusals():
    with pytest.raises(ArgumentError, match=r"fractions above 0 with the sum 1, got 0\.5"):
        stratified_split([0, 0, 1, 1], 0.5)
    with pytest.raises(DataError, match="at least 3 groups"):
        grouped_split([0, 1, 0], ["a", "a", "b"], SHARES)
    with pytest.raises(DataError, match="at least 2 samples"):
        multilabel_split([[1]], (0.5, 0.5))
    with pytest.raises(DataError, match="0 and 1"):
        multilabel_split([[2, 1], [0, 1]], (0.5, 0.5))
    with pytest.raises(DataError, match="row 1"):
        quantile_split([1.0, np.nan, 2.0], (0.5, 0.5))
    with pytest.raises(ArgumentError, match="sum 1"):
        quantile_split([1.0, 2.0], (0.5, 0.6))
    with pytest.raises(ArgumentError, match="one group a sample"):
        grouped_split([0, 1], ["a"], (0.5, 0.5))
    with pytest.raises(ArgumentError, match="k"):
        kfold([0, 1], 1)
    with pytest.raises(DataError, match="at least 3 samples"):
        kfold([0, 1], 3)
