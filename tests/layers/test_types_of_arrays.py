"""What a layer of another type than float32 makes of arrays: they take its type, as tensors do."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import neocog as keras
from neocog import layers

X = np.arange(6, dtype="float64").reshape(2, 3) / 3


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64", "float32"])
@pytest.mark.parametrize("given", ["float16", "float32", "float64"])
def test_arrays_take_the_layers_type(dtype: str, given: str) -> None:
    layer = layers.Dense(2, dtype=dtype)
    outputs = layer(X.astype(given))
    assert outputs.dtype == getattr(torch, dtype)
    torch.testing.assert_close(outputs, layer(torch.from_numpy(X.astype(given))))


def test_a_layer_of_float64_sees_all_digits() -> None:
    layer = layers.Dense(3, use_bias=False, kernel_initializer="identity", dtype="float64")
    np.testing.assert_array_equal(layer(X).detach().numpy(), X)


def test_arrays_of_whole_numbers_and_layers_that_take_any_type_are_left_alone() -> None:
    assert layers.Flatten(dtype="bfloat16")(np.array([[1, 2]])).dtype == torch.int64
    assert layers.Identity(dtype="float64", autocast=False)(X.astype("float32")).dtype == torch.float32


@pytest.mark.parametrize("dtype", ["bfloat16", "float64"])
def test_a_model_of_another_type(dtype: str) -> None:
    for first in (keras.Input((3,), dtype=dtype), keras.Input((3,))):
        model = keras.Sequential([first, layers.Dense(2, dtype=dtype), layers.Dense(1, dtype=dtype)])
        assert model(X).dtype == getattr(torch, dtype)
        assert model.predict(X, verbose=0).shape == (2, 1)
        model.compile("sgd", "mse")
        assert np.isfinite(model.fit(X, X[:, :1], verbose=0).history["loss"]).all()


def test_layers_of_several_types_in_one_model() -> None:
    inputs = keras.Input((3,))
    hidden = layers.Dense(4, dtype="float64")(inputs)
    model = keras.Model(inputs, layers.Dense(1)(layers.Dense(2, dtype="bfloat16")(hidden)))
    assert model(X).dtype == torch.float32
    assert model.layers[1](X).dtype == torch.float64
