"""Augmentations that follow each other run as one warp: the same draws, exact or closer to the ideal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import neocog as keras
from neocog import functional, layers
from neocog.layers.augment._together import WarpChain, follows
from neocog.models import _rewrites

EXACT: dict[str, Callable[[], list[Any]]] = {
    "mirrors": lambda: [layers.RandomFlip("horizontal", seed=1), layers.RandomFlip("vertical", seed=2)],
    "quarter turns": lambda: [
        layers.RandomRotation((0.25, 0.25), interpolation="nearest", seed=1),
        layers.RandomFlip(seed=2),
        layers.RandomRotation((0.5, 0.5), interpolation="nearest", seed=3),
    ],
    "whole shifts": lambda: [
        layers.RandomFlip("horizontal", seed=1),
        layers.RandomTranslation((0.25, 0.25), (-0.5, -0.5), fill_mode="wrap", seed=2),
        layers.RandomTranslation((0.5, 0.5), (0.25, 0.25), fill_mode="wrap", seed=3),
    ],
    "a mirror between fillings": lambda: [
        layers.RandomTranslation((0.25, 0.25), 0.0, fill_mode="constant", fill_value=3.0, seed=1),
        layers.RandomFlip("horizontal", seed=2),
        layers.RandomTranslation((0.5, 0.5), 0.0, fill_mode="nearest", seed=3),
    ],
}
SMOOTH: dict[str, Callable[[], list[Any]]] = {
    "four": lambda: [
        layers.RandomFlip("horizontal", seed=1),
        layers.RandomRotation(0.1, seed=2),
        layers.RandomZoom((-0.3, -0.1), seed=3),
        layers.RandomShear(0.1, 0.1, seed=4),
    ],
    "flip last": lambda: [
        layers.RandomZoom((-0.4, -0.2), (-0.3, -0.2), seed=5),
        layers.RandomTranslation(0.04, 0.04, seed=6),
        layers.RandomFlip("vertical", seed=7),
    ],
}


def one_by_one(row: list[Any], inputs: Any) -> Any:
    for layer in row:
        inputs = layer(inputs, training=True)
    return inputs


def in_sequential(row: list[Any], inputs: Any) -> Any:
    return keras.Sequential([keras.Input(tuple(inputs.shape[1:])), *row])(inputs, training=True)


def in_functional(row: list[Any], inputs: Any) -> Any:
    x = tensor = keras.Input(tuple(inputs.shape[1:]))
    for layer in row:
        x = layer(x)
    return keras.Model(tensor, x)(inputs, training=True)


def in_pipeline(row: list[Any], inputs: Any) -> Any:
    return layers.Pipeline(row)(inputs, training=True)


TOGETHER = [in_sequential, in_functional, in_pipeline]


def smooth(count: int, size: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Waves of a few pixels: an interpolation that blurs shows."""
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    waves = [torch.sin(0.9 * x + phase) * torch.cos(0.7 * y - phase) for phase in range(count)]
    return torch.stack(waves)[..., None].to(dtype).repeat(1, 1, 1, 2)


@pytest.mark.parametrize("run", TOGETHER)
@pytest.mark.parametrize("name", EXACT)
def test_exact_where_nothing_is_resampled(name: str, run: Any) -> None:
    images = torch.rand(6, 8, 8, 3)
    expected = one_by_one(EXACT[name](), images)
    torch.testing.assert_close(run(EXACT[name](), images), expected, atol=2e-5, rtol=0)


def ideal(row: list[Any], size: int, count: int) -> torch.Tensor:
    """The waves themselves, in float64, at the places where the product of the matrices looks."""
    total: Any = None
    for layer in row:
        matrices = layer.draw_matrices(count, size, size, "cpu").double()
        total = matrices if total is None else functional.compose(total, matrices)
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    places = torch.stack([x, y, torch.ones_like(x)], -1).double() @ total.mT[:, None]
    px, py = places[..., 0], places[..., 1]
    phase = torch.arange(count).reshape(-1, 1, 1)
    return torch.sin(0.9 * px + phase) * torch.cos(0.7 * py - phase)


@pytest.mark.parametrize("run", TOGETHER)
@pytest.mark.parametrize("name", SMOOTH)
def test_closer_to_the_ideal_than_one_by_one(name: str, run: Any) -> None:
    images, size = smooth(8, 40), 40
    wanted = ideal(SMOOTH[name](), size, 8)[:, 12:28, 12:28]
    errors = [
        (found[:, 12:28, 12:28, 0] - wanted).abs().mean().item()
        for found in (run(SMOOTH[name](), images), one_by_one(SMOOTH[name](), images))
    ]
    assert errors[0] < 0.75 * errors[1]


@pytest.mark.parametrize("run", TOGETHER)
@pytest.mark.parametrize("name", SMOOTH)
def test_is_one_warp_of_the_product_in_float64(name: str, run: Any) -> None:
    images, row = torch.rand(5, 12, 10, 3), SMOOTH[name]()
    drawn = [layer.draw_matrices(5, 12, 10, "cpu").double() for layer in row]
    total = drawn[0]
    for matrices in drawn[1:]:
        total = functional.compose(total, matrices)
    wanted = functional.warp(images.double(), total, "reflect")
    torch.testing.assert_close(run(SMOOTH[name](), images).double(), wanted, atol=1e-4, rtol=0)


@pytest.mark.parametrize("run", TOGETHER)
def test_draws_stay_in_order_without_seeds(run: Any) -> None:
    """Global generator: what comes after the warps draws what it would have drawn."""

    def row() -> list[Any]:
        return [layers.RandomFlip(), layers.RandomRotation(0.0), layers.RandomContrast(0.5)]

    images = torch.rand(6, 8, 8, 3)
    keras.utils.set_random_seed(3)
    expected = one_by_one(row(), images)
    after = torch.rand(1)
    keras.utils.set_random_seed(3)
    torch.testing.assert_close(run(row(), images), expected, atol=2e-5, rtol=0)
    assert torch.equal(torch.rand(1), after)


def groups(row: list[Any]) -> list[int]:
    from neocog.layers.augment._together import _groups

    return [len(group) for group in _groups(row)]


def test_what_is_one_warp() -> None:
    flip, turn = layers.RandomFlip(), layers.RandomRotation(0.1)
    zoom = layers.RandomZoom(0.1, fill_mode="constant")
    near = layers.RandomZoom(0.1, interpolation="nearest")
    filled = layers.RandomZoom(0.1, fill_mode="constant", fill_value=1.0)
    assert groups([flip, turn, flip]) == [3]
    assert groups([turn, flip, zoom, flip]) == [2, 2]
    assert groups([turn, near, near]) == [1, 2]
    assert groups([zoom, filled]) == [1, 1]
    assert groups([flip, flip, zoom]) == [3]


def test_layers_with_more_of_their_own_run_by_themselves() -> None:
    class Mine(layers.RandomRotation):  # type: ignore[misc]
        def change(self, images: torch.Tensor, drawn: Any) -> torch.Tensor:
            return super().change(images, drawn) + 1.0

    class Turned(layers.RandomRotation):  # type: ignore[misc]
        def draw_matrices(self, *args: Any) -> torch.Tensor:
            return super().draw_matrices(*args)

    flip = layers.RandomFlip(seed=1)
    assert not follows(flip, Mine(0.1))
    assert follows(flip, Turned(0.1))
    assert not follows(flip, layers.RandomContrast(0.1))
    assert not follows(flip, layers.RandomRotation(0.1, data_format="channels_first"))
    images = torch.rand(3, 6, 6, 1)
    expected = one_by_one([layers.RandomFlip(seed=1), Mine(0.1, seed=2)], images)
    assert torch.equal(in_sequential([flip, Mine(0.1, seed=2)], images), expected)


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_masks_go_with_their_images(data_format: str, flat: bool) -> None:
    def row() -> list[Any]:
        return [
            layers.RandomFlip("horizontal", seed=1, data_format=data_format),
            layers.RandomRotation(0.2, fill_mode="constant", seed=2, data_format=data_format),
            layers.RandomZoom(0.3, fill_mode="constant", seed=3, data_format=data_format),
        ]

    masks = torch.randint(0, 4, (5, 9, 9))
    axis = -1 if data_format == "channels_last" else 1
    images = masks.unsqueeze(axis).float()
    batch = {
        "images": images,
        "segmentation_masks": masks if flat else masks.unsqueeze(axis),
        "labels": torch.arange(5),
        "names": "untouched",
    }
    got = layers.Pipeline(row())(batch, training=True)
    nearest = [
        type(layer).from_config(
            {**layer.get_config(), **({} if layer.filling is None else {"interpolation": "nearest"})}
        )
        for layer in row()
    ]
    expected = layers.Pipeline(nearest)(images, training=True).to(masks.dtype)
    found = got["segmentation_masks"]
    assert found.dtype == masks.dtype
    assert torch.equal(found.unsqueeze(axis) if flat else found, expected)
    assert torch.equal(got["labels"], batch["labels"])
    assert got["names"] == "untouched"
    assert got["images"].shape == images.shape


def test_the_model_shows_the_layers_as_written(tmp_path: Any) -> None:
    row = SMOOTH["four"]()
    model = keras.Sequential([keras.Input((8, 8, 2)), *row, layers.Flatten(), layers.Dense(2)])
    assert [layer.name for layer in model.layers[:4]] == [layer.name for layer in row]
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert all(layer.name in "\n".join(lines) for layer in row)
    path = tmp_path / "model.keras"
    model.save(path)
    again = keras.saving.load_model(path)
    assert [type(layer) for layer in again.layers] == [type(layer) for layer in model.layers]
    images = np.random.default_rng(1).random((3, 8, 8, 2), "float32")
    assert torch.equal(model(images), again(images))
    for fresh in (again, keras.models.clone_model(model)):
        fresh.set_weights(model.get_weights())
        seeded = keras.Sequential([keras.Input((8, 8, 2)), *SMOOTH["four"](), *model.layers[4:]])
        assert torch.equal(fresh(images, training=True), seeded(images, training=True))


def test_outputs_in_between_still_work() -> None:
    x = keras.Input((8, 8, 1))
    flip, turn = layers.RandomFlip("horizontal", seed=1), layers.RandomRotation((0.5, 0.5), seed=2)
    middle = flip(x)
    end = turn(middle)
    images = torch.rand(4, 8, 8, 1)
    whole = keras.Model(x, end)
    both = keras.Model(x, [middle, end])
    taken = keras.Model(whole.inputs, whole.layers[1].output)
    assert len(_rewrites.rewritten(whole.graph_nodes(), whole.outputs, training=True) or []) == 1
    assert _rewrites.rewritten(both.graph_nodes(), both.outputs, training=True) is None
    flip.seed_generator.seed
    mirrored, turned = both(images, training=True)
    torch.testing.assert_close(turned, mirrored.flip(1, 2), atol=1e-4, rtol=0)
    assert taken(images, training=True).shape == images.shape


def test_a_branch_is_read_by_both() -> None:
    x = keras.Input((8, 8, 1))
    middle = layers.RandomFlip("horizontal", seed=1)(x)
    outputs = layers.RandomRotation((0.5, 0.5), seed=2)(middle) + middle
    images = torch.rand(4, 8, 8, 1)
    model = keras.Model(x, outputs)
    mirrored = layers.RandomFlip("horizontal", seed=1)(images, training=True)
    torch.testing.assert_close(
        model(images, training=True), mirrored + mirrored.flip(1, 2), atol=1e-4, rtol=0
    )


def test_inference_hands_images_on() -> None:
    images = torch.rand(4, 8, 8, 2)
    model = keras.Sequential([keras.Input((8, 8, 2)), *SMOOTH["four"]()])
    assert torch.equal(model(images, training=False), images)
    model.layers[1].train(False)  # one of them alone
    row = SMOOTH["four"]()
    del row[1]
    model.train()
    model.layers[1].train(False)
    torch.testing.assert_close(
        keras.Sequential([keras.Input((8, 8, 2)), *row])(images, training=True),
        model.call(images, training=True),
    )


def test_watched_layers_run_one_by_one() -> None:
    row = EXACT["mirrors"]()
    seen: list[torch.Tensor] = []
    row[0].register_forward_hook(lambda *call: seen.append(call[2]))
    images = torch.rand(4, 6, 6, 3)
    outputs = in_sequential(row, images)
    assert len(seen) == 1
    assert torch.equal(outputs, one_by_one(EXACT["mirrors"](), images))


def test_bytes_and_single_images() -> None:
    images = torch.randint(0, 256, (4, 8, 8, 3), dtype=torch.uint8)
    row = EXACT["whole shifts"]
    for inputs in (images, images[0], images.half()):
        got = in_pipeline(row(), inputs)
        expected = one_by_one(row(), inputs)
        assert got.dtype == expected.dtype
        torch.testing.assert_close(got, expected, atol=0.2 if got.dtype == torch.half else 1e-2, rtol=0)


def test_unbuilt_and_wrong_inputs() -> None:
    chain = WarpChain(EXACT["mirrors"]())
    with pytest.raises(keras.exceptions.ShapeError, match="RandomFlip"):
        chain(torch.rand(3, 4), training=True)
    with pytest.raises(keras.exceptions.ArgumentError, match="images"):
        chain({"labels": torch.zeros(3)}, training=True)


def test_fit_trains_through_the_chain_and_a_copy_has_its_own() -> None:
    import copy

    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            *SMOOTH["flip last"]()[:0],
            *EXACT["mirrors"](),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    twin = copy.deepcopy(model)
    for each in (model, twin):
        each.compile("sgd", "mse")
    x, y = np.random.default_rng(0).random((16, 8, 8, 1), "float32"), np.zeros((16, 1), "float32")
    histories = [each.fit(x, y, shuffle=False, verbose=0, epochs=2).history["loss"] for each in (model, twin)]
    assert histories[0] == histories[1]
