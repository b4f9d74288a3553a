"""Wrong labels: what a perfect and a hopeless classifier must lead to, folds, bad input."""

from __future__ import annotations

import numpy as np
import pytest

from neocog.diagnosis import Samples, find_label_issues, label_findings
from neocog.diagnosis._label_noise import LabelNoise, _unlikelihood, weigh
from neocog.diagnosis._left_out import LeftOut, even_weights
from neocog.diagnosis._out_of_fold import out_of_fold, stratified_folds
from neocog.exceptions import DataError, ShapeError


def clouds(count: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    centres = rng.normal(size=(classes, 24)) * 1.4
    return (centres[labels] + rng.normal(size=(count, 24))).astype(np.float32), labels


@pytest.mark.parametrize("many", [10, 4000])  # by folds, and each image left out
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("classes", [2, 5])
def test_flipped_labels_are_found_out_of_fold(
    classes: int, seed: int, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neocog.diagnosis._out_of_fold._MANY", many)
    features, labels = clouds(500, classes, seed)
    given = labels.copy()
    given[:20] = (given[:20] + 1) % classes
    chances = out_of_fold(features, given, range(500))
    issues = find_label_issues(chances, given)
    found = {issue.index for issue in issues}
    assert len(found & set(range(20))) >= 16
    assert len(found - set(range(20))) <= 8
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


def test_leaving_out_is_learning_without() -> None:
    """The closed form against the regression solved anew without each group."""
    features, labels = clouds(40, 3, 5)
    drawn = features / np.linalg.norm(features, axis=1, keepdims=True)
    groups = [0, 0, 0, 1, 1, *range(2, 37)]
    weights, taught = even_weights(labels), np.eye(3)[labels]
    found = LeftOut(drawn, weights, groups).opinions(taught)
    kernel = np.exp(4.0 * (drawn @ drawn.T - 1))
    targets = taught - weights @ taught / weights.sum()
    for group in (0, 1, 7):
        out = np.array(groups) == group
        known = kernel[np.ix_(~out, ~out)] + np.diag(1 / weights[~out])
        expected = kernel[np.ix_(out, ~out)] @ np.linalg.solve(known, targets[~out])
        np.testing.assert_allclose(found[out], expected, atol=1e-4)
        assert np.abs(found[out] - targets[out]).max() > 0.05


def test_what_is_believed_follows_bayes() -> None:
    noise = LabelNoise(np.array([[0.2, 0.8], [0.9, 0.1]]), 0.1)
    found = noise.believed(np.array([0, 0]), 0.1)
    expected = [0.2 * 0.9 / (0.2 * 0.9 + 0.8 * 0.1), 0.9 * 0.9 / (0.9 * 0.9 + 0.1 * 0.1)]
    assert found[:, 0] == pytest.approx(expected)
    assert found.sum(1) == pytest.approx(1.0)


def test_guesses_list_nothing_and_say_so() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    chances = rng.dirichlet([1, 1], 200)
    samples = Samples(paths=("x",) * 200, labels=labels, class_names=("a", "b"))
    found, trust = label_findings(samples, range(200), chances, "Guesses")
    assert found == []
    assert not trust.listed
    assert "none are listed" in trust.text


def test_wrong_labels_in_a_small_class_do_not_make_the_classifier_look_bad() -> None:
    labels = np.repeat([0, 1], [300, 60])
    truth = np.repeat([0, 1], [335, 25])
    sure = 1 / (1 + np.exp(-np.random.default_rng(0).normal(6, 2, 360)))[:, None]
    chances = np.where(truth[:, None] == [0, 1], sure, 1 - sure)
    samples = Samples(paths=("x",) * 360, labels=labels, class_names=("a", "b"))
    found, trust = label_findings(samples, range(360), chances, "Features")
    assert trust.listed
    wrong = next(finding for finding in found if finding.kind == "wrong-labels")
    assert len({item.images[0] for item in wrong.items} & set(range(300, 335))) >= 30
    assert len(wrong.items) <= 37


@pytest.mark.parametrize("wrong", [0, 3])
def test_a_list_is_spoken_of_only_where_there_is_one(wrong: int) -> None:
    truth = np.repeat([0, 1], 60)
    labels = truth.copy()
    labels[:wrong] = 1
    chances = np.where(truth[:, None] == [0, 1], 0.97, 0.03)
    samples = Samples(paths=("x",) * 120, labels=labels, class_names=("a", "b"))
    found, trust = label_findings(samples, range(120), chances, "Features")
    listed = next(finding for finding in found if finding.kind == "wrong-labels")
    assert len(listed.items) == wrong
    assert ("each label that is listed" in trust.text) is bool(wrong)
    assert ("no label looks wrong" in trust.text) is not bool(wrong)


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


@pytest.mark.parametrize("blur", [0.5, 1.5])
@pytest.mark.parametrize("share", [0.0, 0.04, 0.2])
def test_right_labels_are_seldom_named_however_many_are_wrong(share: float, blur: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2000, 4)) * 4 / blur
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = np.array([rng.choice(4, p=row) for row in chances])  # as sure as it ought to be
    given = truth.copy()
    given[: int(2000 * share)] += 1
    given %= 4
    found = np.array([issue.index for issue in find_label_issues(chances, given)], dtype=np.int64)
    wrong = found < 2000 * share
    assert (~wrong).sum() <= max(0.025 * 2000, 0.2 * len(found))
    if share and blur < 1:
        assert wrong.sum() >= 0.6 * 2000 * share


def test_the_share_of_wrong_labels_is_found() -> None:
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(2000, 3)) * 6
    truth = scores.argmax(1)
    given = np.where(rng.random(2000) < 0.1, (truth + rng.integers(1, 3, 2000)) % 3, truth)
    noise = weigh(np.stack([scores, rng.normal(size=(2000, 3))]), given)
    assert 0.07 <= noise.wrong <= 0.13
    assert (noise.chances.argmax(1) == truth).mean() >= 0.97


def test_the_slope_of_the_likelihood_is_its_difference() -> None:
    rng = np.random.default_rng(0)
    opinions, given = rng.normal(size=(3, 40, 4)), rng.integers(0, 4, 40)
    values, start = rng.normal(size=8) / 2, np.zeros(8)
    _, slope = _unlikelihood(values, start, opinions, given)
    for place, step in enumerate(np.eye(8) * 1e-5):
        above, below = (_unlikelihood(values + s, start, opinions, given)[0] for s in (step, -step))
        assert (above - below) / 2e-5 == pytest.approx(slope[place], abs=1e-8)


def test_networks_are_heard_one_by_one() -> None:
    features, labels = clouds(400, 3, 2)
    noise = np.random.default_rng(0).normal(size=(400, 200)).astype(np.float32)
    both = np.concatenate([noise, features], axis=1)
    apart, together = (out_of_fold(both, labels, range(400), parts=p) for p in ((200, 24), ()))
    right = [float((chances.argmax(1) == labels).mean()) for chances in (apart, together)]
    assert right[0] >= right[1]
    assert right[0] >= 0.97


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
