"""Noise layers: moments in training, identity in inference, seeds of their own."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

from neocog import layers

SHAPE = (200, 500)
NOISE: dict[str, dict[str, Any]] = {
    "Dropout": {"rate": 0.3},
    "AlphaDropout": {"rate": 0.3},
    "GaussianNoise": {"stddev": 0.3},
    "GaussianDropout": {"rate": 0.3},
}
SPATIAL = {
    "SpatialDropout1D": (4, 9, 500),
    "SpatialDropout2D": (4, 3, 3, 500),
    "SpatialDropout3D": (4, 2, 2, 2, 500),
}
RANDOM = [
    *NOISE.items(),
    *((name, {"rate": 0.3}) for name in SPATIAL),
    ("RandomFlip", {}),
    ("RandomRotation", {"factor": 0.2}),
    ("RandomZoom", {"height_factor": 0.2}),
    ("RandomTranslation", {"height_factor": 0.2, "width_factor": 0.2}),
    ("RandomContrast", {"factor": 0.9}),
    ("RandomBrightness", {"factor": 0.3}),
    ("RandomCrop", {"height": 4, "width": 4}),
]


def example(name: str) -> torch.Tensor:
    if name.startswith("Random"):
        return torch.rand(8, 24, 24, 3) * 255
    return torch.randn(SPATIAL.get(name, SHAPE))


@pytest.mark.parametrize(
    ("name", "arguments"), RANDOM, ids=lambda value: value if isinstance(value, str) else ""
)
def test_seeds(name: str, arguments: Any) -> None:
    inputs = example(name)
    make = getattr(layers, name)
    seeded, again, other = make(**arguments, seed=5), make(**arguments, seed=5), make(**arguments, seed=6)
    state = torch.random.get_rng_state()
    first = seeded(inputs, training=True)
    assert torch.equal(torch.random.get_rng_state(), state)  # its own generator, not the global one
    assert torch.equal(first, again(inputs, training=True))
    assert not torch.equal(first, other(inputs, training=True))
    clone = copy.deepcopy(seeded)
    second = seeded(inputs, training=True)
    assert not torch.equal(first, second)
    assert torch.equal(second, clone(inputs, training=True))  # the copy goes on where the original was
    kept = again.seed_generator.state_dict()
    expected = again(inputs, training=True)
    again.seed_generator.load_state_dict(kept)
    assert torch.equal(again(inputs, training=True), expected)
    free = make(**arguments)
    torch.manual_seed(3)
    expected = free(inputs, training=True)
    torch.manual_seed(3)
    assert torch.equal(free(inputs, training=True), expected)


@pytest.mark.parametrize(
    ("name", "arguments"), RANDOM, ids=lambda value: value if isinstance(value, str) else ""
)
def test_inference_and_shapes(name: str, arguments: Any) -> None:
    inputs, layer = example(name), getattr(layers, name)(**arguments)
    if name != "RandomCrop":
        assert torch.equal(layer(inputs, training=False), inputs)
        assert layer.compute_output_shape((None, *inputs.shape[1:])) == (None, *inputs.shape[1:])
    whole = (inputs * 9).to(torch.uint8)
    stays = name == "RandomBrightness"
    kind = torch.uint8 if stays else torch.float32
    assert layer(whole, training=True).dtype == layer(whole, training=False).dtype == kind
    symbol = layers.Input(tuple(inputs.shape[1:]), dtype="uint8")
    assert layer(symbol).dtype == ("uint8" if stays else "float32")
    assert layer(inputs.to("meta"), training=True).shape == layer(inputs, training=True).shape
    assert layer.get_config()["seed"] is None


@pytest.mark.parametrize("seed", [None, 1])
@pytest.mark.parametrize("name", NOISE)
def test_moments(name: str, seed: int | None) -> None:
    inputs = torch.randn(SHAPE, generator=torch.Generator().manual_seed(2))
    layer = getattr(layers, name)(**NOISE[name], seed=seed)
    outputs = layer(inputs, training=True)
    spread = {"Dropout": 0.3 / 0.7, "AlphaDropout": 0.0, "GaussianNoise": 0.09, "GaussianDropout": 0.3 / 0.7}[
        name
    ]
    assert outputs.mean().item() == pytest.approx(0, abs=0.02)
    assert outputs.var().item() == pytest.approx(1 + spread, rel=0.03)


@pytest.mark.parametrize("seed", [None, 1])
def test_dropout_drops_its_share_and_scales_the_rest(seed: int | None) -> None:
    outputs = layers.Dropout(0.3, seed=seed)(torch.ones(SHAPE), training=True)
    assert np.unique(outputs.numpy()).tolist() == [0.0, pytest.approx(1 / 0.7)]
    assert (outputs == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert torch.equal(layers.Dropout(1.0, seed=seed)(torch.ones(4), training=True), torch.zeros(4))
    inputs = torch.ones(7, requires_grad=True)
    layers.Dropout(0.5, seed=seed)(inputs, training=True).sum().backward()
    assert set(inputs.grad.tolist()) <= {0.0, 2.0}


def test_noise_shape_shares_draws() -> None:
    outputs = layers.Dropout(0.5, noise_shape=(None, 1, None), seed=1)(torch.ones(20, 6, 20), training=True)
    assert bool((outputs == outputs[:, :1]).all())
    assert 0.3 < (outputs == 0).float().mean().item() < 0.7


@pytest.mark.parametrize(("name", "shape"), SPATIAL.items())
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_spatial_dropout_drops_whole_maps(name: str, shape: Any, data_format: str) -> None:
    if name == "SpatialDropout1D":
        layer = layers.SpatialDropout1D(0.4)
    else:
        layer = getattr(layers, name)(0.4, data_format=data_format)
    last = data_format == "channels_last" or name == "SpatialDropout1D"
    inputs = torch.ones(shape) if last else torch.ones(shape).movedim(-1, 1)
    outputs = layer(inputs, training=True)
    maps = (outputs if last else outputs.movedim(1, -1)).reshape(4, -1, 500)
    assert bool((maps == maps[:, :1]).all())
    assert (maps == 0).float().mean().item() == pytest.approx(0.4, abs=0.05)


def test_alpha_dropout_floor() -> None:
    outputs = layers.AlphaDropout(0.2, seed=1)(torch.zeros(1000), training=True)
    assert len(outputs.unique()) == 2


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: layers.Dropout(1.5), r"rate in \[0, 1\], got 1.5"),
        (lambda: layers.Dropout("half"), "rate to be a number"),
        (lambda: layers.AlphaDropout(1.0), "rate below 1"),
        (lambda: layers.GaussianDropout(-0.1), r"rate in \[0, 1\]"),
        (lambda: layers.GaussianNoise(2.0), r"stddev in \[0, 1\]"),
        (lambda: layers.Dropout(0.5, noise_shape=(0, 1)), "noise_shape"),
        (lambda: layers.Dropout(0.5, seed=0.5), "seed"),
    ],
)
def test_refuses(make: Any, text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        make()
