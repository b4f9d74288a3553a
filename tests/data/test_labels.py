"""`to_categorical` and `normalize` against Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neocog.data import normalize, to_categorical
from neocog.exceptions import DataError


@given(
    labels=st.lists(st.integers(0, 6), min_size=1, max_size=12), extra=st.integers(0, 3), column=st.booleans()
)
def test_to_categorical_is_keras(labels, extra, column):
    x = np.array(labels)[:, None] if column else labels
    for classes in (None, max(labels) + 1 + extra):
        ours, oracle = to_categorical(x, classes), keras.utils.to_categorical(x, classes)
        assert ours.dtype == oracle.dtype
        assert np.array_equal(ours, oracle)


def test_to_categorical_shapes_and_tensors():
    grid = np.array([[0, 2], [1, 1]])
    assert np.array_equal(to_categorical(grid), keras.utils.to_categorical(grid))
    out = to_categorical(torch.tensor([0, 2]), 4)
    assert out.dtype == torch.float32
    assert out.tolist() == [[1, 0, 0, 0], [0, 0, 1, 0]]
    assert to_categorical(torch.tensor([1.0])).shape == (1, 2)


@pytest.mark.parametrize("wrong", [[0, -1], [0, 5], [0.5], ["cat"], [[0, 1], [2]]])
def test_to_categorical_refuses_what_is_no_class_number(wrong):
    with pytest.raises(DataError):
        to_categorical(wrong, 3)


@pytest.mark.parametrize("order", [1, 2, np.inf])
@pytest.mark.parametrize("axis", [-1, 1])
def test_normalize_is_keras(order, axis):
    x = np.random.RandomState(0).randn(4, 5)
    x[1] = 0
    assert np.allclose(normalize(x, axis, order), keras.utils.normalize(x, axis, order), rtol=1e-6)
    assert np.allclose(normalize(torch.tensor(x), axis, order).numpy(), keras.utils.normalize(x, axis, order))
    assert np.allclose(normalize(x, 0), x / np.linalg.norm(x, axis=0, keepdims=True))
