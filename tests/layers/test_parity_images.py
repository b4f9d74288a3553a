"""Image layers against real Keras: sizes, values, and augmentations where nothing is left to chance."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from parity import assert_close, assert_same_as_keras

from neocog import layers

RNG = np.random.default_rng(11)


def photo(*shape: int) -> Any:
    return RNG.uniform(0, 255, shape).astype("float32")


def bytes_(*shape: int) -> Any:
    return RNG.integers(0, 256, shape).astype("uint8")


CASES: dict[str, list[tuple[dict[str, Any], Any]]] = {
    "Rescaling": [
        ({"scale": 1 / 255}, bytes_(2, 3, 4, 3)),
        ({"scale": 1 / 127.5, "offset": -1}, photo(2, 3, 4, 3)),
        ({"scale": [0.5, 0.1, 2.0], "offset": [1.0, 2.0, 3.0]}, photo(2, 3, 4, 3)),
    ],
    "Resizing": [
        ({"height": 5, "width": 9}, photo(2, 7, 6, 3)),
        ({"height": 5, "width": 3}, bytes_(2, 7, 6, 3)),
        ({"height": 5, "width": 3, "interpolation": "nearest"}, bytes_(2, 7, 6, 3)),
        ({"height": 11, "width": 3, "interpolation": "bicubic"}, photo(7, 6, 3)),
        ({"height": 3, "width": 3, "antialias": True}, photo(2, 9, 8, 1)),
        ({"height": 4, "width": 4, "crop_to_aspect_ratio": True}, photo(2, 9, 6, 3)),
        ({"height": 5, "width": 3, "pad_to_aspect_ratio": True, "fill_value": 7.0}, photo(2, 6, 7, 3)),
        ({"height": 3, "width": 8, "pad_to_aspect_ratio": True}, photo(2, 6, 7, 3)),
        ({"height": 5, "width": 3, "data_format": "channels_first"}, photo(2, 3, 6, 7)),
    ],
    "CenterCrop": [
        ({"height": 4, "width": 3}, photo(2, 7, 6, 3)),
        ({"height": 4, "width": 6}, bytes_(7, 6, 3)),
        ({"height": 9, "width": 3}, photo(2, 7, 6, 3)),
        ({"height": 3, "width": 8, "data_format": "channels_first"}, photo(2, 3, 7, 6)),
    ],
    "Normalization": [
        ({}, photo(4, 3)),
        ({"axis": (1, 2)}, photo(4, 3, 2)),
        ({"axis": None, "mean": 3.0, "variance": 4.0}, photo(4, 3)),
        ({"mean": [1.0, 2.0, 3.0], "variance": [1.0, 0.0, 4.0]}, photo(2, 2, 3)),
        ({"axis": (1, 3), "mean": [1.0, 2.0], "variance": [1.0, 3.0], "invert": True}, photo(2, 3, 4, 2)),
    ],
}
FLAT = [(name, *case) for name, cases in CASES.items() for case in cases]

# Augmentations whose factor ranges have no width: Keras's output is a function of the input.
FIXED: dict[str, list[dict[str, Any]]] = {
    "RandomRotation": [{"factor": (a, a)} for a in (0.07, -0.2, 0.25, 0.5)],
    "RandomZoom": [
        {"height_factor": (0.3, 0.3)},
        {"height_factor": (-0.4, -0.4), "width_factor": (0.5, 0.5)},
    ],
    "RandomTranslation": [
        {"height_factor": (0.3, 0.3), "width_factor": (-0.15, -0.15)},
        {"height_factor": (-0.9, -0.9), "width_factor": (0.8, 0.8)},
    ],
}
FILLS = [{"fill_mode": mode} for mode in ("reflect", "nearest", "wrap", "constant")]
FILLS.append({"fill_mode": "constant", "fill_value": 60.0})


@pytest.mark.parametrize(
    ("name", "arguments", "inputs"), FLAT, ids=[f"{name}-{i}" for i, (name, *_) in enumerate(FLAT)]
)
def test_same_as_keras(name: str, arguments: Any, inputs: Any) -> None:
    ours, theirs = getattr(layers, name)(**arguments), getattr(keras.layers, name)(**arguments)
    unbatched = np.ndim(inputs) == 3 and name in ("Resizing", "CenterCrop")
    assert_same_as_keras(ours, theirs, inputs, gradients=inputs.dtype != "uint8", shapes=not unbatched)


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("fill", FILLS, ids=str)
@pytest.mark.parametrize(
    ("name", "arguments"), [(name, case) for name, cases in FIXED.items() for case in cases], ids=str
)
def test_fixed_warps(name: str, arguments: Any, fill: Any, interpolation: str) -> None:
    arguments = {**arguments, **fill, "interpolation": interpolation}
    ours, theirs = getattr(layers, name)(**arguments), getattr(keras.layers, name)(**arguments)
    images = photo(2, 6, 9, 3)
    assert_close(name, ours(images, training=True), theirs(images, training=True), rtol=1e-5)


@given(st.integers(1, 9), st.integers(1, 9), st.floats(-1, 1), st.sampled_from(FILLS), st.booleans())
def test_rotations_of_any_size(height: int, width: int, factor: float, fill: Any, one: bool) -> None:
    images = np.random.default_rng(height * width).uniform(0, 1, (height, width, 2)).astype("float32")
    images = images if one else images[None]
    arguments = {"factor": (factor, factor), **fill}
    got = layers.RandomRotation(**arguments)(images, training=True)
    assert_close("rotation", got, keras.layers.RandomRotation(**arguments)(images, training=True), rtol=2e-5)


@pytest.mark.parametrize("name", [*FIXED, "RandomFlip", "RandomContrast", "RandomBrightness", "RandomCrop"])
def test_configuration(name: str) -> None:
    arguments = {
        "RandomFlip": {"mode": "vertical", "seed": 3},
        "RandomContrast": {"factor": 0.2, "value_range": (0, 1)},
        "RandomBrightness": {"factor": (-0.1, 0.3)},
        "RandomCrop": {"height": 3, "width": 4, "seed": 3},
    }.get(name) or FIXED[name][0]
    ours, theirs = getattr(layers, name)(**arguments), getattr(keras.layers, name)(**arguments)
    config, expected = ours.get_config(), theirs.get_config()
    assert config.keys() == expected.keys()
    for key in expected.keys() - {"name", "dtype"}:
        same = np.array_equal(config[key], expected[key]) if key != "mode" else config[key] == expected[key]
        assert same or (config[key] is None and expected[key] is None), key
    assert type(ours).from_config(config).get_config() == config
    assert type(theirs).from_config(config).get_config()["name"] == config["name"]


@pytest.mark.parametrize(
    "arguments", [{"factor": (0.3, 0.3)}, {"factor": (-0.2, -0.2), "value_range": (0, 1)}]
)
def test_fixed_brightness(arguments: Any) -> None:
    images = photo(3, 4, 5, 3) / arguments.get("value_range", (0, 255))[1] * 2
    got = layers.RandomBrightness(**arguments)(images, training=True)
    assert_close("brightness", got, keras.layers.RandomBrightness(**arguments)(images.copy(), training=True))


def test_contrast_of_given_factor() -> None:
    images = photo(3, 4, 5, 3)
    layer = layers.RandomContrast(0.5, seed=1)
    factor = torch.rand(3, generator=torch.Generator().manual_seed(1)).numpy() * 0.5 + 1
    mean = images.mean((1, 2), keepdims=True)
    want = np.clip((images - mean) * factor[:, None, None, None] + mean, 0, 255)
    assert_close("contrast", layer(images, training=True), want)


@pytest.mark.parametrize(("height", "width"), [(12, 4), (5, 20), (20, 20)])
def test_small_images_are_enlarged_by_random_crop(height: int, width: int) -> None:
    images = photo(2, 9, 10, 3)
    want = keras.layers.RandomCrop(height, width)(images, training=True)
    assert_close("crop", layers.RandomCrop(height, width)(images, training=True), want)


def test_adapt_agrees_with_keras() -> None:
    data = photo(50, 4, 3)
    for arguments in ({}, {"axis": (1, 2)}, {"axis": None}):
        theirs = keras.layers.Normalization(**arguments)
        theirs.adapt(data)
        want = theirs(data)
        frames = (
            data,
            torch.from_numpy(data),
            [data[:20], data[20:]],
            ((part, 0) for part in np.split(data, 5)),
        )
        for source in frames:
            ours = layers.Normalization(**arguments)
            ours.adapt(source)
            assert_close("adapted", ours(data), want)
            assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]


def test_adapt_to_plain_numbers_and_large_offsets() -> None:
    layer = layers.Normalization(axis=None)
    layer.adapt([1.0, 2.0, 3.0])
    assert layer.mean.item() == pytest.approx(2.0)
    assert layer.variance.item() == pytest.approx(2 / 3)
    layer = layers.Normalization()
    layer.adapt(np.array([[1e6 + 1], [1e6 + 3]], "float64"))
    assert layer.variance.item() == pytest.approx(1.0)
