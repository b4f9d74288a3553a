"""Batch normalisation over steps, in every layout and mode; the other normalisations against definitions."""

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


@given(st.lists(st.integers(1, 5), min_size=2, max_size=5), st.integers(0, 4), st.integers(0, 99))
def test_batch_statistics_after_steps(shape: list[int], place: int, seed: int) -> None:
    axis = place % len(shape)
    ours = layers.BatchNormalization(axis=axis, momentum=0.7)
    theirs = keras.layers.BatchNormalization(axis=axis, momentum=0.7)
    rng = np.random.default_rng(seed)
    for step in range(4):
        batch = (rng.normal(size=shape) * (step + 1) + 3).astype("float32")
        got, want = ours(batch, training=True), theirs(batch, training=True)
        assert_close("outputs", got, want, rtol=1e-4)
    for view, weight in zip(ours.weights, theirs.weights, strict=True):
        assert_close(view.name, view.numpy(), weight.value, rtol=1e-5)
    assert_close("inference", ours(batch), theirs(batch), rtol=2e-5)


def test_frozen_uses_and_keeps_the_moving_statistics() -> None:
    layer = layers.BatchNormalization()
    inputs = torch.randn(8, 3) * 4 + 1
    layer(inputs, training=True)
    kept = layer.get_weights()
    layer.trainable = False
    outputs = layer(inputs, training=True)
    assert torch.equal(outputs, layer(inputs, training=False))
    for before, after in zip(kept, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert layer.trainable_weights == []


def test_two_passes_before_one_backward() -> None:
    layer = layers.BatchNormalization()
    a, b = torch.randn(4, 3, requires_grad=True), torch.randn(4, 3, requires_grad=True)
    (layer(a, training=True).square().sum() + layer(b, training=True).square().sum()).backward()
    assert a.grad is not None
    assert b.grad is not None


def test_images_stay_in_channels_last_memory() -> None:
    layer = layers.BatchNormalization()
    images = torch.randn(2, 5, 6, 3)
    outputs = layer(images, training=True)
    assert outputs.is_contiguous()
    assert layers.BatchNormalization()(torch.randn(2, 6, 3), training=True).is_contiguous()


def test_state_is_torchs() -> None:
    layer, twin = layers.BatchNormalization(axis=1), torch.nn.BatchNorm2d(3, eps=1e-3)
    layer.build((None, 3, 4, 4))
    assert list(layer.state_dict()) == ["weight", "bias", "running_mean", "running_var"]
    twin(torch.randn(4, 3, 4, 4))
    layer.load_state_dict(twin.state_dict())
    images = torch.randn(2, 3, 4, 4)
    torch.testing.assert_close(layer(images), twin.eval()(images))
    assert layer.gamma.shape == (3,)
    assert layer.moving_variance.numpy().shape == (3,)


@pytest.mark.parametrize("shape", [(6, 4), (2, 5, 4), (2, 3, 5, 4)])
def test_autocast(shape: Any) -> None:
    layer = layers.BatchNormalization()
    inputs = torch.randn(shape)
    expected = layer(inputs, training=True)
    other = layers.BatchNormalization()
    with torch.autocast("cpu", torch.bfloat16):
        got = other(inputs.bfloat16(), training=True)
    assert got.dtype == torch.bfloat16
    torch.testing.assert_close(got.float(), expected, atol=0.05, rtol=0.05)
    torch.testing.assert_close(other.running_var, layer.running_var, atol=0.01, rtol=0.01)
    assert other.running_var.dtype == torch.float32


@pytest.mark.parametrize(
    "arguments", [{"axis": 1}, {"axis": 1, "scale": False}, {"axis": [1], "center": False}]
)
def test_layer_normalisation_on_an_inner_axis(arguments: Any) -> None:
    """Keras's torch backend fails on these; the definition is the oracle."""
    layer = layers.LayerNormalization(**arguments)
    inputs = torch.randn(2, 5, 3)
    expected = torch.nn.functional.layer_norm(inputs.mT, (5,), eps=1e-3).mT
    torch.testing.assert_close(layer(inputs), expected)


def test_rms_on_an_inner_axis() -> None:
    inputs = torch.randn(2, 5, 3)
    layer = layers.RMSNormalization(axis=1)
    layer.build((None, 5, 3))
    layer.set_weights([np.arange(5, dtype="float32")])
    scale = torch.arange(5.0)[:, None]
    expected = inputs / (inputs.square().mean(1, keepdim=True) + 1e-6).sqrt() * scale
    torch.testing.assert_close(layer(inputs), expected)


def test_unit_normalisation_of_zeros() -> None:
    inputs = torch.zeros(2, 3, requires_grad=True)
    outputs = layers.UnitNormalization()(inputs)
    outputs.sum().backward()
    assert torch.equal(outputs, torch.zeros(2, 3))
    assert bool(torch.isfinite(inputs.grad).all())


def test_rms_scaling_warns_and_agrees() -> None:
    with pytest.warns(DeprecationWarning, match="RMSNormalization"):
        layer = layers.LayerNormalization(rms_scaling=True)
    inputs = torch.randn(4, 6)
    expected = inputs / (inputs.var(-1, correction=0, keepdim=True) + 1e-3).sqrt()
    torch.testing.assert_close(layer(inputs), expected)
    assert [view.name for view in layer.weights] == ["gamma"]


@pytest.mark.parametrize(
    ("make", "shape", "text"),
    [
        (lambda: layers.GroupNormalization(4), (2, 6), "divide the 6 channels"),
        (lambda: layers.GroupNormalization(0), None, "groups"),
        (lambda: layers.BatchNormalization(), (None, None), "known size on axis -1"),
        (lambda: layers.BatchNormalization(axis=4), (2, 3), "axis from -2 to 1"),
        (lambda: layers.BatchNormalization(renorm=True), None, "renorm"),
        (lambda: layers.LayerNormalization(axis="last"), None, "one axis or several"),
        (lambda: layers.BatchNormalization(momentum=1.5), None, "momentum"),
    ],
)
def test_refuses(make: Any, shape: Any, text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        make().build(shape)
