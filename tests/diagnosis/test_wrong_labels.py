"""Wrong labels: what a perfect and a hopeless classifier must lead to, folds, bad input."""

from __future__ import annotations

import numpy as np
import pytest

from neocog.diagnosis import Samples, find_label_issues, label_findings
from neocog.diagnosis._out_of_fold import out_of_fold, stratified_folds
from neocog.exceptions import DataError, ShapeError


def clouds(count: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    centres = rng.normal(size=(classes, 24)) * 1.4
    return (centres[labels] + rng.normal(size=(count, 24))).astype(np.float32), labels


@pytest.mark.parametrize("classes", [2, 5])
def test_flipped_labels_are_found_out_of_fold(classes: int) -> None:
    features, labels = clouds(500, classes, 0)
    given = labels.copy()
    given[:20] = (given[:20] + 1) % classes
    chances = out_of_fold(features, given, range(500))
    issues = find_label_issues(chances, given)
    found = {issue.index for issue in issues}
    assert len(found & set(range(20))) >= 16
    assert len(found - set(range(20))) <= 10
    right = [issue.suggested == labels[issue.index] for issue in issues if issue.index < 20]
    assert all(right)
    sure = [issue.confidence for issue in issues]
    assert sure == sorted(sure, reverse=True)


def test_the_same_seed_gives_the_same_numbers() -> None:
    features, labels = clouds(120, 3, 1)
    one, two = (out_of_fold(features, labels, range(120), seed=4) for _ in range(2))
    assert np.array_equal(one, two)


def test_folds_keep_groups_together_and_classes_even() -> None:
    labels = np.repeat([0, 1, 2], [100, 40, 10])
    groups = [i // 2 for i in range(150)]
    folds = stratified_folds(labels, groups, 5, 0)
    assert all(folds[i] == folds[i + 1] for i in range(0, 150, 2))
    for label, size in enumerate((100, 40, 10)):
        counts = np.bincount(folds[labels == label], minlength=5)
        assert counts.max() - counts.min() <= 2
        assert counts.sum() == size


def test_guesses_list_nothing_and_say_so() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    chances = rng.dirichlet([1, 1], 200)
    samples = Samples(paths=("x",) * 200, labels=labels, class_names=("a", "b"))
    found, trust = label_findings(samples, range(200), chances, "Guesses")
    assert found == []
    assert not trust.listed
    assert "none are listed" in trust.text


def test_classes_that_are_mixed_up_are_named() -> None:
    labels = np.repeat([0, 1, 2], 100)
    chances = np.full((300, 3), 0.02)
    chances[np.arange(300), labels] = 0.96
    chances[:30] = (0.3, 0.68, 0.02)
    chances[100:130] = (0.68, 0.3, 0.02)
    samples = Samples(paths=("x",) * 300, labels=labels, class_names=("rose", "tulip", "oak"))
    found, trust = label_findings(samples, range(300), chances, "A model")
    alike = next(finding for finding in found if finding.kind == "alike-classes")
    assert trust.listed
    assert [item.classes for item in alike.items] == [(0, 1)]


@pytest.mark.parametrize(
    ("chances", "labels", "kind"),
    [
        ([[0.5, 0.5]], [0, 1], ShapeError),
        ([0.5, 0.5], [0, 1], ShapeError),
        ([[0.5, 0.5]], [2], DataError),
        ([[0.5, 0.5]], [-1], DataError),
        ([[2.0, -1.0]], [0], DataError),
        ([[float("nan"), 0.5]], [0], DataError),
    ],
)
def test_bad_input(chances: object, labels: object, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="find_label_issues: expected"):
        find_label_issues(chances, labels)


def test_nothing_has_no_issues() -> None:
    assert find_label_issues(np.zeros((0, 3)), []) == []


def test_a_classifier_that_errs_more_must_be_surer() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 1000)
    for errors, named in ((0.02, True), (0.3, False)):
        chances = np.full((1000, 2), 0.04)
        chances[np.arange(1000), labels] = 0.96
        given = labels.copy()
        given[: int(1000 * errors)] ^= 1  # where it is as sure as ever
        issues = {issue.index for issue in find_label_issues(chances, given)}
        assert bool(issues) is named
        assert issues <= set(range(int(1000 * errors)))


def test_wrong_labels_in_a_small_class_do_not_hide_one_another() -> None:
    features, labels = clouds(400, 2, 3)
    kept = np.flatnonzero((labels == 0) | (np.cumsum(labels == 1) <= 25))
    features, given = features[kept], labels[kept].copy()
    wrong = np.flatnonzero(given == 0)[:10]
    given[wrong] = 1
    found = {
        issue.index for issue in find_label_issues(out_of_fold(features, given, range(len(given))), given)
    }
    assert len(found & set(wrong.tolist())) >= 8
    assert len(found - set(wrong.tolist())) <= 4
