"""CategoryEncoding and Discretization against real Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from parity import assert_close

from neocog import layers
from neocog.data import Dataset
from neocog.exceptions import ArgumentError, DataError, NeocogError

RNG = np.random.default_rng(3)
SHAPES = st.sampled_from([(4,), (3, 1), (3, 4), (2, 3, 4), (2, 3, 1), ()])


def assert_same(ours: Any, theirs: Any, inputs: Any, **arguments: Any) -> None:
    got, want = ours(inputs, **arguments), theirs(inputs, **arguments)
    assert_close("output", got, want)
    assert got.dtype == want.dtype
    if inputs.ndim > 1:
        symbolic = ours(layers.Input(batch_shape=(None, *inputs.shape[1:]), dtype="float32"))
        assert symbolic.shape[1:] == tuple(want.shape[1:])
        assert symbolic.dtype == str(want.dtype).removeprefix("torch.")
    assert type(theirs).from_config(ours.get_config()).get_config().keys() == theirs.get_config().keys()
    assert torch.equal(layers.deserialize(layers.serialize(ours))(inputs, **arguments), got)


@given(SHAPES, st.sampled_from(["multi_hot", "one_hot", "count", "binary"]), st.integers(0, 99))
def test_category_encoding(shape: tuple[int, ...], mode: str, seed: int) -> None:
    numbers = np.random.default_rng(seed).integers(-1, 5, shape)
    arguments = {"num_tokens": 5, "output_mode": mode}
    assert_same(
        layers.CategoryEncoding(**arguments), keras.layers.CategoryEncoding(**arguments), np.asarray(numbers)
    )


def test_weighted_counts_and_lists() -> None:
    layer = layers.CategoryEncoding(num_tokens=4, output_mode="count")
    weights = np.array([[0.1, 0.2], [0.1, 0.1], [0.2, 0.3], [0.4, 0.2]])
    expected = [[0.1, 0.2, 0, 0], [0.2, 0, 0, 0], [0, 0.2, 0.3, 0], [0, 0.2, 0, 0.4]]
    np.testing.assert_allclose(
        layer([[0, 1], [0, 0], [1, 2], [3, 1]], count_weights=weights), expected, rtol=1e-6
    )
    assert layers.CategoryEncoding(num_tokens=4, output_mode="one_hot")([3, 2]).tolist() == [
        [0, 0, 0, 1],
        [0, 0, 1, 0],
    ]


def test_bad_categories() -> None:
    with pytest.raises(DataError, match="from 0 to 3, got 4"):
        layers.CategoryEncoding(num_tokens=4)([4])
    with pytest.raises(ArgumentError, match="num_tokens"):
        layers.CategoryEncoding()
    with pytest.raises(ArgumentError, match="count_weights"):
        layers.CategoryEncoding(num_tokens=4)([1], count_weights=[1.0])


@given(SHAPES, st.sampled_from(["int", "multi_hot", "one_hot", "count"]), st.integers(0, 99))
def test_discretization(shape: tuple[int, ...], mode: str, seed: int) -> None:
    values = np.asarray(np.random.default_rng(seed).normal(size=shape).astype("float32"))
    arguments = {"bin_boundaries": [-1.0, 0.0, 0.5], "output_mode": mode}
    assert_same(layers.Discretization(**arguments), keras.layers.Discretization(**arguments), values)


def test_a_boundary_belongs_to_the_bin_above() -> None:
    values = np.array([[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, 0.0]])
    assert layers.Discretization([0.0, 1.0, 2.0])(values).tolist() == [[0, 2, 3, 1], [1, 3, 2, 1]]


@given(st.integers(1, 500), st.integers(1, 3), st.integers(1, 8), st.sampled_from([0.01, 0.1, 0.3]))
def test_adapted_boundaries(size: int, batches: int, bins: int, epsilon: float) -> None:
    data = [np.random.default_rng(size + i).normal(size=(size, 2)).astype("float32") for i in range(batches)]
    ours, theirs = (
        layers.Discretization(num_bins=bins, epsilon=epsilon),
        keras.layers.Discretization(num_bins=bins, epsilon=epsilon),
    )
    ours.adapt(iter(data))
    for batch in data:  # its `adapt` asks for TensorFlow
        theirs.update_state(batch)
    theirs.finalize_state()
    assert ours.bin_boundaries == theirs.bin_boundaries
    again = layers.deserialize(layers.serialize(ours))
    assert again.bin_boundaries == ours.bin_boundaries
    assert keras.layers.Discretization.from_config(ours.get_config()).bin_boundaries == ours.bin_boundaries


def test_adapting_to_data_sets() -> None:
    values = RNG.normal(size=(60, 2)).astype("float32")
    whole, parts = layers.Discretization(num_bins=4), layers.Discretization(num_bins=4)
    whole.adapt(values)
    parts.adapt(Dataset.from_tensor_slices((values, np.zeros(60))).batch(60))
    assert whole.bin_boundaries == parts.bin_boundaries
    for wrong in ({}, {"bin_boundaries": [1.0], "num_bins": 2}, {"num_bins": 2, "output_mode": "sum"}):
        with pytest.raises(ArgumentError):
            layers.Discretization(**wrong)
    with pytest.raises(NeocogError, match="adapt"):
        layers.Discretization(num_bins=2)(values)
    with pytest.raises(ArgumentError, match="num_bins"):
        layers.Discretization([1.0]).adapt(values)
