"""Scores against scipy and scikit-learn, and what the intervals promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix as sklearn_confusion
from sklearn.metrics import log_loss, precision_recall_fscore_support

from neocog.workflows._scores import confusion_matrix, score, wilson_interval


@given(count=st.integers(1, 5000), share=st.floats(0, 1))
def test_the_interval_is_scipys(count: int, share: float) -> None:
    correct = round(share * count)
    expected = binomtest(correct, count).proportion_ci(0.95, method="wilson")
    assert wilson_interval(correct, count) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_the_interval_of_nothing_says_nothing() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_ends_are_exact() -> None:
    assert wilson_interval(0, 7)[0] == 0.0
    assert wilson_interval(7, 7)[1] == 1.0


@given(seed=st.integers(0, 10**6), classes=st.integers(2, 7), count=st.integers(1, 80))
def test_scores_are_scikit_learns(seed: int, classes: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.ones(classes), count)
    labels = rng.integers(0, classes, count)
    names = [f"class {i}" for i in range(classes)]
    found = score(chances.astype(np.float32), labels, names)

    predicted = chances.astype(np.float32).argmax(1)
    matrix = sklearn_confusion(labels, predicted, labels=range(classes))
    assert (np.array(found.confusion) == matrix).all()
    assert found.accuracy == pytest.approx((labels == predicted).mean())
    assert found.majority == pytest.approx(np.bincount(labels).max() / count)
    assert found.loss == pytest.approx(log_loss(labels, chances, labels=range(classes)), rel=1e-4)
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predicted, labels=range(classes), zero_division=np.nan
    )
    for index, item in enumerate(found.classes):
        assert item.count == support[index]
        for mine, theirs in ((item.precision, precision), (item.recall, recall)):
            value = theirs[index]
            assert (mine is None) == bool(np.isnan(value))
            assert mine is None or mine == pytest.approx(value)
        assert item.f1 is None or item.f1 == pytest.approx(f1[index])
    there = [f1[i] for i in range(classes) if support[i]]
    assert found.macro_f1 == pytest.approx(np.mean(there))


def test_a_wrong_matrix_would_be_noticed() -> None:
    turned = confusion_matrix([0, 0, 1], [1, 1, 1], 2).T
    assert not (turned == sklearn_confusion([0, 0, 1], [1, 1, 1])).all()
