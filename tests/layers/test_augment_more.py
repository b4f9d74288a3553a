"""The augmentations of the course notes that Keras lacks: lighting, stretching, holes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import neocog as keras
from neocog import layers
from neocog.exceptions import ArgumentError, DataError, ShapeError

RNG = np.random.default_rng(2)


def test_lighting_is_the_papers_formula() -> None:
    layer = layers.RandomPCALighting(0.1, seed=1)
    images = torch.full((4000, 1, 1, 3), 128.0)
    moved = (layer(images, training=True) - images).reshape(-1, 3).double() / 255
    vectors = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
    along = moved.numpy() @ vectors  # its columns are orthonormal to three digits
    np.testing.assert_allclose(along.std(0), np.array([0.2175, 0.0188, 0.0045]) * 0.1, rtol=0.05)
    assert np.abs(along.mean(0)).max() < 2e-3
    drawn = {"amounts": torch.tensor([[0.1, 0.0, 0.0]])}
    one = layer.change(torch.zeros(1, 2, 2, 3) + 100.0, drawn)
    expected = 100.0 + 255 * 0.1 * 0.2175 * vectors[:, 0]
    np.testing.assert_allclose(one[0, 1, 1].numpy(), expected, rtol=1e-5)


def test_lighting_follows_the_value_range() -> None:
    images = RNG.random((5, 4, 4, 3), "float32")
    in_bytes = layers.RandomPCALighting(0.5, seed=3)(images * 255, training=True) / 255
    in_unit = layers.RandomPCALighting(0.5, value_range=(0, 1), seed=3)(images, training=True)
    in_both = layers.RandomPCALighting(0.5, value_range=(-1, 1), seed=3)(images * 2 - 1, training=True)
    torch.testing.assert_close(in_unit, in_bytes, atol=1e-5, rtol=0)
    torch.testing.assert_close(in_both, in_unit * 2 - 1, atol=1e-5, rtol=0)
    assert in_unit.min() >= 0
    assert in_unit.max() <= 1


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_lighting_learns_from_data(data_format: str) -> None:
    mixing = np.array([[0.3, 0.1, 0.0], [0.25, -0.1, 0.03], [0.2, 0.0, -0.04]])
    pixels = RNG.normal(size=(20, 8, 8, 3)) @ mixing.T * 40 + 120
    data = pixels if data_format == "channels_last" else np.moveaxis(pixels, -1, 1)
    layer = layers.RandomPCALighting(0.1, data_format=data_format)
    layer.adapt(data.astype("float32"), batch_size=7)
    covariance = np.cov(pixels.reshape(-1, 3).T / 255, bias=True)
    values, vectors = np.linalg.eigh(covariance)
    np.testing.assert_allclose(layer.eigenvalues, values[::-1], rtol=1e-4)
    ours = np.array(layer.eigenvectors)
    np.testing.assert_allclose(np.abs((ours * vectors[:, ::-1]).sum(0)), 1.0, atol=1e-4)
    again = type(layer).from_config(layer.get_config())
    assert again.eigenvalues == layer.eigenvalues
    assert again.eigenvectors == layer.eigenvectors


def test_lighting_adapts_to_batches_with_labels_and_is_saved(tmp_path: Any) -> None:
    x = RNG.integers(0, 256, (12, 6, 6, 3)).astype("uint8")
    whole, in_parts = layers.RandomPCALighting(seed=1), layers.RandomPCALighting(seed=1)
    whole.adapt(x)
    in_parts.adapt((x[i : i + 4], np.zeros(4)) for i in range(0, 12, 4))
    np.testing.assert_allclose(whole.eigenvalues, in_parts.eigenvalues, rtol=1e-9)
    model = keras.Sequential(
        [keras.Input((6, 6, 3)), whole, layers.RandomStretch(seed=2), layers.Cutout(seed=3)]
    )
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.layers[0].eigenvalues == whole.eigenvalues
    images = torch.rand(3, 6, 6, 3) * 255
    assert torch.equal(again(images, training=True), model(images, training=True))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"factor": -1}, ArgumentError),
        ({"eigenvalues": (1, 2, 3)}, ArgumentError),
        ({"eigenvalues": (1, 2), "eigenvectors": np.eye(3)}, ArgumentError),
        ({"eigenvalues": (1, -2), "eigenvectors": np.eye(2)}, ArgumentError),
        ({"eigenvalues": "abc", "eigenvectors": np.eye(2)}, ArgumentError),
        ({"eigenvalues": (1, np.nan), "eigenvectors": np.eye(2)}, ArgumentError),
    ],
)
def test_refused_lighting(arguments: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="RandomPCALighting"):
        layers.RandomPCALighting(**arguments)


def test_refused_data() -> None:
    layer = layers.RandomPCALighting()
    with pytest.raises(ShapeError, match="3 channels"):
        layer(torch.zeros(2, 4, 4, 1), training=True)
    with pytest.raises(ShapeError, match="batch, height"):
        layer.adapt(np.zeros((3, 3)))
    with pytest.raises(DataError, match="images to adapt to"):
        layer.adapt(np.zeros((1, 1, 1, 3)))


@pytest.mark.parametrize("axis", ["horizontal", "vertical", "either"])
def test_stretch_draws_one_axis_evenly_on_a_logarithmic_scale(axis: str) -> None:
    matrices = layers.RandomStretch((1.0, 1.3), axis, seed=1).draw_matrices(8000, 9, 7, "cpu").double()
    across, down = 1 / matrices[:, 0, 0], 1 / matrices[:, 1, 1]
    assert torch.minimum(across, down).sub(1).abs().max() < 1e-6  # one of them alone
    longer = torch.maximum(across, down)
    assert longer.min().item() == pytest.approx(1.0, abs=1e-3)
    assert longer.max().item() == pytest.approx(1.3, abs=1e-3)
    assert longer.log().mean().item() == pytest.approx(math.log(1.3) / 2, abs=3e-3)
    share = (across > down).double().mean().item()
    assert share == pytest.approx({"horizontal": 1.0, "vertical": 0.0, "either": 0.5}[axis], abs=0.02)
    centre = torch.tensor([3.0, 4.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(matrices @ centre, centre[:2].expand(8000, 2), atol=1e-5, rtol=0)


def test_stretch_by_two_doubles_the_middle() -> None:
    image = torch.arange(8.0)[None, None, :, None].expand(1, 3, 8, 1)
    got = layers.RandomStretch((2.0, 2.0), "horizontal", fill_mode="nearest")(image, training=True)
    torch.testing.assert_close(got[0, 1, :, 0], (torch.arange(8.0) - 3.5) / 2 + 3.5, atol=1e-4, rtol=0)


@pytest.mark.parametrize("factor", [0.5, (0.0, 1.0), (1.0,), "much", (1.0, float("inf"))])
def test_refused_stretch(factor: Any) -> None:
    with pytest.raises((ArgumentError, TypeError), match="RandomStretch"):
        layers.RandomStretch(factor)


def test_rescaling_of_the_notes_is_a_zoom_with_bounds() -> None:
    closer = layers.RandomZoom((1 / 1.6 - 1, 0.0), seed=1).draw_matrices(4000, 8, 8, "cpu")
    enlarged = 1 / closer[:, 0, 0]
    assert enlarged.min().item() == pytest.approx(1.0, abs=2e-3)
    assert enlarged.max().item() == pytest.approx(1.6, abs=2e-3)


def test_cutout_is_a_hole_of_one_size() -> None:
    images = torch.ones(64, 20, 30, 3)
    got = layers.Cutout(0.5, seed=1)(images, training=True)
    holes = (got == 0).all(-1)
    assert set(holes.sum((1, 2)).tolist()) == {150}
    assert len(holes.flatten(1).unique(dim=0)) > 20
    assert torch.equal(got[~holes], torch.ones_like(got[~holes]))
    assert "factor" not in layers.Cutout().get_config()
    with pytest.raises(ArgumentError, match="size"):
        layers.Cutout(1.5)
