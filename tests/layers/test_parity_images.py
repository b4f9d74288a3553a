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
from neocog.exceptions import ArgumentError

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


SIZED = [("Resizing", 5, 4), ("Resizing", 11, 13), ("CenterCrop", 5, 4), ("CenterCrop", 11, 13)]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("one", [True, False], ids=["one", "batch"])
@pytest.mark.parametrize(("name", "height", "width"), SIZED)
def test_images_with_masks(name: str, height: int, width: int, one: bool, data_format: str) -> None:
    axes = (1, 2, 0) if data_format == "channels_last" else (0, 1, 2)
    batch = {
        "images": np.stack([bytes_(3, 7, 9).transpose(axes) for _ in range(2)]),
        "segmentation_masks": np.stack([bytes_(1, 7, 9).transpose(axes) for _ in range(2)]),
        "labels": np.array([3, 5]),
    }
    data = {key: value[0] for key, value in batch.items()} if one else batch
    ours = getattr(layers, name)(height, width, data_format=data_format)
    theirs = getattr(keras.layers, name)(height, width, data_format=data_format)
    got, expected = ours(data), theirs({key: value.copy() for key, value in data.items()})
    assert_close("images", got["images"], expected["images"])
    assert np.array_equal(np.asarray(got["labels"]), data["labels"])
    if (name, height) == ("CenterCrop", 11):  # Keras blends the classes of masks that it enlarges
        assert set(got["segmentation_masks"].unique().tolist()) <= set(np.unique(data["segmentation_masks"]))
        expected["segmentation_masks"] = got["segmentation_masks"]
    assert_close("masks", got["segmentation_masks"].float(), expected["segmentation_masks"].float())
    plane = -1 if data_format == "channels_last" else -3
    flat = ours({**data, "segmentation_masks": data["segmentation_masks"].squeeze(plane)})
    assert torch.equal(flat["segmentation_masks"], got["segmentation_masks"].squeeze(plane))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("size", [(5, 4), (11, 13)])
def test_random_crop_takes_masks_from_the_same_place(size: tuple[int, int], training: bool) -> None:
    places = torch.arange(63).reshape(1, 7, 9, 1).repeat(2, 1, 1, 1)
    crop = layers.RandomCrop(*size, seed=1)
    got = crop({"images": places, "segmentation_masks": places[..., 0], "labels": "kept"}, training=training)
    assert got["segmentation_masks"].dtype == torch.int64
    assert got["labels"] == "kept"
    assert got["images"].shape == (2, *size, 1)
    assert got["segmentation_masks"].shape == (2, *size)
    if size == (5, 4):
        assert torch.equal(got["segmentation_masks"].float(), got["images"][..., 0])


@pytest.mark.parametrize("layer", [layers.Resizing(5, 4), layers.CenterCrop(5, 4), layers.RandomCrop(5, 4)])
def test_images_with_masks_in_a_graph(layer: Any) -> None:
    inputs = {
        "images": layers.Input((7, 9, 3)),
        "segmentation_masks": layers.Input((7, 9)),
        "true": layers.Input((7, 9, 1)),
    }
    outputs = layer(inputs)
    assert outputs["segmentation_masks"].shape == (None, 5, 4)
    assert outputs["images"].shape == (None, 5, 4, 3)
    assert outputs["true"].shape == (None, 7, 9, 1)
    assert layer.compute_output_shape({"images": (7, 9, 3), "segmentation_masks": (7, 9, 1)}) == {
        "images": (5, 4, 3),
        "segmentation_masks": (5, 4, 1),
    }
    with pytest.raises(ArgumentError, match="bounding_boxes"):
        layer({"images": bytes_(2, 7, 9, 3), "bounding_boxes": bytes_(2, 1, 4)})


def test_masks_of_truth_values_are_resized() -> None:
    masks = torch.tensor([[[True, False]]])
    found = layers.Resizing(1, 4)({"images": torch.ones(1, 1, 2, 3), "segmentation_masks": masks})
    assert found["segmentation_masks"].tolist() == [[[True, True, False, False]]]


@pytest.mark.parametrize(("scale", "offset"), [(2.0, 3.0), (0.5, 0.0), ([0.5, 2.0, 1.0], [0.0, -9.0, 1.0])])
def test_rescaling_to_bytes_rounds_and_does_not_wrap(scale: Any, offset: Any) -> None:
    images = bytes_(2, 3, 4, 3)
    layer = layers.Rescaling(scale, offset, dtype="uint8")
    exact = images.astype("float64") * np.array(scale) + np.array(offset)
    got = layer(images)
    assert got.dtype == torch.uint8
    assert np.array_equal(np.asarray(got), exact.round().clip(0, 255))
    assert layer(layers.Input((3, 4, 3))).dtype == "uint8"
    small = images // 3
    if scale == 2.0:
        theirs = keras.layers.Rescaling(scale, offset, dtype="uint8")(small)
        assert np.array_equal(np.asarray(layer(small)), np.asarray(theirs))
