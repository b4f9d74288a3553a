"""Properties of the augmentations: one draw an image, and consecutive warps as one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import neocog as keras
from neocog import functional, layers
from neocog.layers.augment import GeometricLayer

GEOMETRIC = [
    layers.RandomFlip("horizontal", seed=1),
    layers.RandomFlip("vertical", seed=2),
    layers.RandomFlip(seed=3),
    layers.RandomRotation(0.3, seed=4),
    layers.RandomZoom(0.4, (-0.3, 0.1), seed=5),
    layers.RandomTranslation(0.3, 0.2, seed=6),
]


@pytest.mark.parametrize("make", [lambda: layers.RandomFlip(m, seed=3) for m in ("horizontal", "vertical")])
def test_flip_is_its_matrix(make: Any) -> None:
    images = torch.rand(16, 5, 6, 3)
    layer = make()
    matrices = layer.draw_matrices(16, 5, 6, "cpu")
    warped = functional.warp(images, matrices, "constant", "nearest")
    assert torch.equal(make()(images, training=True), warped)
    assert 1 <= int((warped == images).all((1, 2, 3)).sum()) < 16


@pytest.mark.parametrize("layer", GEOMETRIC, ids=lambda layer: type(layer).__name__)
def test_every_image_has_its_own_matrix(layer: GeometricLayer) -> None:
    matrices = layer.draw_matrices(64, 7, 9, "cpu")
    assert matrices.shape == (64, 2, 3)
    assert matrices.dtype == torch.float32
    assert len(matrices.flatten(1).unique(dim=0)) >= 2
    centre = torch.tensor([4.0, 3.0, 1.0])
    if not isinstance(layer, layers.RandomTranslation):
        torch.testing.assert_close(matrices @ centre, centre[:2].expand(64, 2), atol=1e-4, rtol=0)


def test_composed_matrices_are_the_warps_one_after_the_other() -> None:
    images = torch.rand(4, 9, 9, 2)
    flip, turn = layers.RandomFlip(seed=1), layers.RandomRotation((0.25, 0.25))  # exact on a square
    first, second = flip.draw_matrices(4, 9, 9, "cpu"), turn.draw_matrices(4, 9, 9, "cpu")
    one_by_one = functional.warp(functional.warp(images, first), second)
    at_once = functional.warp(images, functional.compose(first, second))
    torch.testing.assert_close(at_once, one_by_one, atol=1e-4, rtol=0)


def test_smooth_images_survive_composition() -> None:
    y, x = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    images = torch.stack([x, y, x + y], -1)[None].repeat(3, 1, 1, 1)
    drawn = [layer.draw_matrices(3, 32, 32, "cpu") for layer in GEOMETRIC[3:]]
    total, step = drawn[0], functional.warp(images, drawn[0], "nearest")
    for matrices in drawn[1:]:
        total, step = functional.compose(total, matrices), functional.warp(step, matrices, "nearest")
    difference = (functional.warp(images, total, "nearest") - step).abs()
    assert difference[:, 12:20, 12:20].max().item() < 1e-2  # where nothing comes from outside


@pytest.mark.parametrize("layer", GEOMETRIC, ids=lambda layer: type(layer).__name__)
def test_layouts_agree(layer: GeometricLayer) -> None:
    config = {**layer.get_config(), "seed": 9}
    last = type(layer).from_config(config)
    first = type(layer).from_config({**config, "data_format": "channels_first"})
    images = torch.rand(3, 5, 7, 2)
    expected = last(images, training=True)
    torch.testing.assert_close(first(images.permute(0, 3, 1, 2), training=True), expected.permute(0, 3, 1, 2))
    single = type(layer).from_config(config)(images[0], training=True)
    assert single.shape == images[0].shape


def test_rotation_angles_are_uniform() -> None:
    matrices = layers.RandomRotation((-0.1, 0.2), seed=1).draw_matrices(20000, 8, 8, "cpu")
    turns = torch.atan2(matrices[:, 1, 0], matrices[:, 0, 0]) / (2 * torch.pi)
    assert turns.min().item() == pytest.approx(-0.1, abs=1e-3)
    assert turns.max().item() == pytest.approx(0.2, abs=1e-3)
    assert turns.mean().item() == pytest.approx(0.05, abs=3e-3)


def test_constant_images_stay_constant() -> None:
    images = torch.full((4, 6, 7, 3), 5.0)
    for layer in GEOMETRIC:
        torch.testing.assert_close(layer(images, training=True), images)


@pytest.mark.parametrize("with_input", [True, False])
def test_a_model_of_augmentations_that_is_called_with_its_mode(with_input: bool) -> None:
    images = np.arange(2 * 4 * 6 * 3, dtype="float32").reshape(2, 4, 6, 3)
    first = [keras.Input((4, 6, 3))] if with_input else []
    model = keras.Sequential([*first, layers.RandomFlip("vertical"), layers.RandomContrast(0.9)])
    np.testing.assert_array_equal(model(images, training=False), images)
    assert not np.array_equal(model(images, training=True), images)
    assert not np.array_equal(model(images), images)
    np.testing.assert_array_equal(model(images, training=False), images)


def test_a_row_of_augmentations_called_alone_augments() -> None:
    row = layers.RandomFlip("horizontal", seed=1), layers.RandomRotation(0.3, seed=2)
    x = torch.rand(8, 6, 6, 3)
    augment = keras.Sequential([*row])
    assert not torch.equal(augment(x), x)
    assert torch.equal(augment(x, training=False), x)
    inputs = keras.Input((6, 6, 3))
    classifier = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(augment(inputs))))
    assert torch.equal(classifier(x), classifier(x))
    augment.eval()
    assert torch.equal(augment(x), x)
