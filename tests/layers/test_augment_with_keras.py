"""Augmentations against real Keras: what needs no draw, and the results of the same draws."""

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

RNG = np.random.default_rng(5)
UNIT, BYTES = (0, 1), (0, 255)
IGNORE_T = pytest.mark.filterwarnings("ignore:(?s).*Tensor.T is deprecated")  # in Keras


def photo(*shape: int, top: float = 255.0) -> Any:
    return RNG.uniform(0, top, shape).astype("float32")


# Nothing is left to chance: class, arguments, largest value of a pixel.
FIXED: list[tuple[str, dict[str, Any], float]] = [
    ("AutoContrast", {}, 200.0),
    ("AutoContrast", {"value_range": UNIT}, 0.7),
    ("Equalization", {}, 130.0),
    ("Equalization", {"value_range": UNIT}, 0.5),
    ("Equalization", {"bins": 20}, 255.0),
    ("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": (2, 3)}, 180.0),
    ("ContrastLimitedAdaptiveHistogramEqualization", {"clip_limit": 0.0, "tile_grid_size": (3, 2)}, 255.0),
    ("ContrastLimitedAdaptiveHistogramEqualization", {"value_range": UNIT}, 1.0),
    ("Solarization", {}, 255.0),
    ("Solarization", {"value_range": UNIT}, 1.0),
    ("RandomGrayscale", {"factor": 1.0}, 255.0),
    ("RandomGrayscale", {"factor": 0.0}, 255.0),
    ("RandomInvert", {"factor": (1.0, 1.0)}, 255.0),
    ("RandomInvert", {"factor": (1.0, 1.0), "value_range": UNIT}, 1.0),
    ("RandomInvert", {"factor": 0.0}, 255.0),
    ("RandomColorDegeneration", {"factor": (0.3, 0.3)}, 255.0),
    ("RandomColorDegeneration", {"factor": (1.0, 1.0), "value_range": UNIT}, 1.0),
    ("RandomSaturation", {"factor": (0.2, 0.2)}, 255.0),
    ("RandomSaturation", {"factor": (0.8, 0.8), "value_range": UNIT}, 1.0),
    ("RandomSaturation", {"factor": (0.5, 0.5)}, 255.0),
    ("RandomHue", {"factor": 0.0}, 255.0),
    ("RandomSharpness", {"factor": (0.1, 0.1)}, 255.0),
    ("RandomSharpness", {"factor": (0.9, 0.9), "value_range": UNIT}, 1.0),
    ("RandomPosterization", {"factor": (3, 3)}, 255.0),
    ("RandomPosterization", {"factor": (5, 5), "value_range": UNIT}, 1.0),
    ("RandomErasing", {"factor": (1.0, 1.0), "scale": (1.0, 1.0), "fill_value": 7.0}, 255.0),
    ("RandomErasing", {"factor": 0.0}, 255.0),
    ("RandomGaussianBlur", {"factor": (1.0, 1.0), "sigma": (0.6, 0.6)}, 255.0),
    ("RandomGaussianBlur", {"factor": 0.0}, 255.0),
    ("RandomPerspective", {"factor": (1.0, 1.0), "scale": 0.0}, 255.0),
    ("RandomShear", {}, 255.0),
    ("RandomColorJitter", {"brightness_factor": (0.1, 0.1), "saturation_factor": (0.4, 0.4)}, 255.0),
]
IDS = [f"{name}-{number}" for number, (name, *_) in enumerate(FIXED)]


def both(name: str, arguments: dict[str, Any]) -> tuple[Any, Any]:
    return getattr(layers, name)(**arguments), getattr(keras.layers, name)(**arguments)


@IGNORE_T  # in Keras's count_nonzero
@pytest.mark.parametrize(("name", "arguments", "top"), FIXED, ids=IDS)
class TestFixed:
    def test_batch(self, name: str, arguments: Any, top: float) -> None:
        ours, theirs = both(name, arguments)
        images = photo(3, 9, 7, 3, top=top)
        assert_close(name, ours(images), theirs(images.copy()), 2e-5)
        assert_close(name, ours(images, training=True), theirs(images.copy(), training=True), 2e-5)
        assert_close(name, ours(images, training=False), theirs(images.copy(), training=False), 2e-5)

    def test_one_image(self, name: str, arguments: Any, top: float) -> None:
        ours, theirs = both(name, arguments)
        image = photo(8, 8, 3, top=top)
        assert_close(name, ours(image, training=True), theirs(image.copy(), training=True), 2e-5)

    def test_channels_first(self, name: str, arguments: Any, top: float) -> None:
        images = photo(3, 9, 7, 3, top=top)
        first = getattr(layers, name)(**arguments, data_format="channels_first")
        got = first(np.moveaxis(images, -1, 1), training=True).movedim(1, -1)
        assert_close(name, got, getattr(layers, name)(**arguments)(images, training=True))

    def test_whole_numbers(self, name: str, arguments: Any, top: float) -> None:
        if top < 2 or name in ("RandomSaturation", "RandomColorJitter"):
            pytest.skip("small values; Keras refuses them")
        ours, theirs = both(name, arguments)
        images = photo(2, 8, 8, 3, top=top).astype("uint8")
        got, want = ours(images, training=True), theirs(images.copy(), training=True)
        assert_close(name, got, want, 2e-5)
        assert got.dtype == want.dtype


@IGNORE_T
@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from(["AutoContrast", "Equalization", "ContrastLimitedAdaptiveHistogramEqualization"]),
    st.integers(1, 30),
)
def test_histograms_of_any_size(height: int, width: int, name: str, values: int) -> None:
    rng = np.random.default_rng(height * 31 + width)
    images = rng.integers(0, values, (2, height, width, 2)).astype("float32")
    ours, theirs = both(name, {})
    assert_close(name, ours(images, training=True), theirs(images.copy(), training=True), 2e-5)


# --- the same draws -----------------------------------------------------------------------------------------

DRAWN: dict[str, list[dict[str, Any]]] = {
    "RandomBrightness": [{"factor": 0.3}],
    "RandomContrast": [{"factor": 0.6}],
    "RandomColorDegeneration": [{"factor": 0.6}, {"factor": (0.2, 0.9), "value_range": UNIT}],
    "RandomGrayscale": [{}],
    "RandomHue": [{"factor": 0.7}, {"factor": (0.3, 1.0), "value_range": UNIT}],
    "RandomSaturation": [{"factor": (0.1, 0.9), "value_range": UNIT}, {"factor": 0.6}],
    "RandomInvert": [{}, {"factor": (0.3, 0.8), "value_range": UNIT}],
    "RandomPosterization": [{"factor": 8}, {"factor": (2, 5), "value_range": UNIT}],
    "RandomSharpness": [{"factor": 1.0}, {"factor": (0.2, 0.7), "value_range": UNIT}],
    "RandomErasing": [{}, {"fill_value": (1, 2, 3), "scale": (0.2, 0.9)}, {"value_range": UNIT}],
    "RandomPerspective": [
        {"scale": 0.4},
        {"interpolation": "nearest", "fill_value": 9.0, "factor": (0.5, 1.0)},
    ],
    "Solarization": [{"addition_factor": 0.4, "threshold_factor": (0.2, 0.7), "value_range": UNIT}],
    "RandomShear": [
        {"x_factor": 0.4, "y_factor": 0.2},
        {"x_factor": (0.1, 0.3), "fill_mode": "constant", "fill_value": 7.0},
        {"y_factor": (0.1, 0.9), "fill_mode": "wrap", "interpolation": "nearest"},
        {"x_factor": 1.0, "y_factor": 1.0, "fill_mode": "nearest"},
    ],
    "MixUp": [{}, {"alpha": 3.0}],
    "CutMix": [{}, {"factor": (0.4, 0.8)}],
}
BATCH_ALONE = ("blur_factor", "distortion_factor")  # what Keras draws for the batch, and we for each image
DRAWS = [(name, arguments) for name, cases in DRAWN.items() for arguments in cases]


def as_keras(name: str, drawn: dict[str, Any]) -> Any:
    """The draw in the form that Keras's `transform_images` takes."""
    if name == "RandomGrayscale":
        return drawn["should_apply"].reshape(-1, 1, 1, 1)
    if name == "RandomShear":
        matrices = drawn["matrices"]
        return {"shear_factor": torch.stack([matrices[:, 0, 1], matrices[:, 1, 0]], 1)}
    columns = ("contrast_factor", "rgb_delta", "additions", "thresholds")
    found = {key: value.reshape(-1, 1, 1, 1) if key in columns else value for key, value in drawn.items()}
    if name == "RandomColorDegeneration":
        return {"factor": found["factor"].reshape(-1, 1, 1, 1)}
    return found


@pytest.mark.parametrize(("name", "arguments"), DRAWS, ids=str)
def test_same_draws_give_the_same(name: str, arguments: Any) -> None:
    ours, theirs = both(name, {**arguments, "seed": 3})
    images = torch.from_numpy(photo(6, 8, 11, 3, top=arguments.get("value_range", BYTES)[1]))
    drawn = ours.get_random_transformation(images)
    got = ours.transform_images(images, drawn)
    assert_close(name, got, theirs.transform_images(images.clone(), as_keras(name, drawn)), 2e-5)
    again = getattr(layers, name)(**arguments, seed=3)
    assert_close("the same seed", again(images, training=True), got, 0)
    first = getattr(layers, name)(**arguments, seed=3, data_format="channels_first")
    moved = first(images.movedim(-1, 1), training=True).movedim(1, -1)
    if arguments.get("fill_value", 0) is not None and name != "RandomErasing":  # noise is drawn by memory
        assert_close("channels first", moved, got, 1e-6)
    assert not torch.equal(again(images, training=True), got), "the second draw is the first"


@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_labels_of_the_same_draws(name: str) -> None:
    ours, theirs = both(name, {"seed": 3})
    images, labels = torch.from_numpy(photo(6, 8, 11, 3)), torch.eye(6)
    drawn = ours.get_random_transformation(images)
    want = theirs.transform_labels(labels.clone(), drawn)
    assert_close(name, ours.transform_labels(labels, drawn), want)
    again = getattr(layers, name)(seed=3)({"images": images, "labels": labels})
    assert_close(name, again["labels"], want)
    assert_close(name, again["images"], ours.transform_images(images, drawn))


@pytest.mark.parametrize("arguments", [{}, {"kernel_size": (5, 3), "sigma": (0.2, 0.9)}, {"kernel_size": 7}])
def test_blur_of_each_image(arguments: Any) -> None:
    ours = layers.RandomGaussianBlur((0.5, 1.0), seed=1, **arguments)
    theirs = keras.layers.RandomGaussianBlur((0.5, 1.0), **arguments)
    if isinstance(arguments.get("kernel_size"), tuple):  # Keras pads both axes by the first size
        ours = layers.RandomGaussianBlur((0.5, 1.0), seed=1, kernel_size=5, sigma=(0.2, 0.9))
        theirs = keras.layers.RandomGaussianBlur((0.5, 1.0), kernel_size=5, sigma=(0.2, 0.9))
    images = torch.from_numpy(photo(6, 8, 11, 3))
    drawn = ours.get_random_transformation(images)
    got = ours.transform_images(images, drawn)
    assert len(drawn["blur_factor"].unique(dim=0)) == 6
    for row in range(6):
        one = {
            "should_apply_blur": drawn["should_apply_blur"][row : row + 1],
            "blur_factor": drawn["blur_factor"][row],
        }
        want = theirs.transform_images(images[row : row + 1], one)
        assert_close(f"image {row}", got[row : row + 1], want, 2e-5)


@pytest.mark.parametrize("fill_mode", ["reflect", "mirror", "nearest", "wrap", "constant"])
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_elastic_fields(fill_mode: str, interpolation: str) -> None:
    arguments = {"fill_mode": fill_mode, "interpolation": interpolation, "fill_value": 3.0}
    ours = layers.RandomElasticTransform((1.0, 1.0), scale=(0.3, 1.0), seed=1, **arguments)
    images = torch.from_numpy(photo(4, 20, 26, 2))
    drawn = ours.get_random_transformation(images)
    got = ours.transform_images(images, drawn)
    for row in range(4):
        factor = drawn["distortion_factor"][row]
        alpha, sigma = 26 * (0.1 * factor), 20 * (0.05 * factor)
        side = int(6 * sigma) | 1
        noise, sigmas = drawn["noise"][row] * sigma, (float(sigma), float(sigma))
        blur = keras.ops.image.gaussian_blur(noise, (side, side), sigmas, data_format="channels_first")
        x = torch.arange(26) + alpha * blur[0]
        y = torch.arange(20)[:, None] + alpha * blur[1]
        order = int(interpolation == "bilinear")
        for channel in range(2):
            want = keras.ops.image.map_coordinates(
                images[row, ..., channel], torch.stack([y, x]), order, fill_mode, 3.0
            )
            assert_close(f"image {row}", got[row, ..., channel], want.clamp(0, 255), 1e-4)


# --- policies: each image by itself is what Keras gives for a batch of one ----------------------------------


def steps_of(row: int, step: Any) -> list[tuple[str, Any]]:
    """What one image has drawn in one step."""
    found = []
    for name, rows, drawn in step:
        for place in (rows == row).nonzero().flatten().tolist():
            found.append((name, {key: value[place : place + 1] for key, value in drawn.items()}))
    return found


def in_keras(policy: Any, name: str, drawn: Any) -> Any:
    """The draw of one layer of a policy, for Keras's."""
    if "matrices" not in drawn or name == "random_shear":
        kind = type(getattr(policy, name)).__name__
        return as_keras(kind, drawn)
    rest = drawn["matrices"].reshape(-1, 6)
    matrix = torch.cat([rest, torch.zeros(len(rest), 2)], 1)
    if name == "random_rotation":
        return {"rotation_matrix": matrix}
    return {"translations": -rest[:, [2, 5]]}


@IGNORE_T
@pytest.mark.parametrize(
    "arguments", [{}, {"num_ops": 4, "factor": (0.2, 0.9)}, {"value_range": UNIT}], ids=str
)
def test_rand_augment_of_each_image(arguments: Any) -> None:
    ours, theirs = both("RandAugment", {**arguments, "seed": 2})
    images = torch.from_numpy(photo(24, 8, 9, 3, top=arguments.get("value_range", BYTES)[1]))
    drawn = ours.get_random_transformation(images)
    got = ours.transform_images(images, drawn)
    used = set()
    for row in range(len(images)):
        want = images[row : row + 1].clone()
        for step in drawn["steps"]:
            ((name, numbers),) = steps_of(row, step)
            used.add(name)
            layer = getattr(theirs, name)
            want = layer.transform_images(want, in_keras(ours, name, numbers))
        assert_close(f"image {row}", got[row : row + 1], want, 1e-4)
    assert len(used) >= 9


@IGNORE_T
@pytest.mark.parametrize(
    "arguments", [{}, {"all_ops": False, "num_chains": 2, "chain_depth": 5, "alpha": 0.4}], ids=str
)
def test_aug_mix_of_each_image(arguments: Any) -> None:
    ours, theirs = both("AugMix", {**arguments, "seed": 2})
    images = torch.from_numpy(photo(12, 8, 9, 3))
    drawn = ours.get_random_transformation(images)
    got = ours.transform_images(images, drawn)
    for row in range(len(images)):
        chains = [[one for step in chain for one in steps_of(row, step)] for chain in drawn["chains"]]
        transformation = {
            "chain_mixing_weights": drawn["chain_mixing_weights"][row],
            "weight_sample": drawn["weight_sample"][row],
            "chain_transforms": [
                [{"layer_name": name, "transformation": in_keras(ours, name, one)} for name, one in chain]
                for chain in chains
            ],
        }
        want = theirs.transform_images(images[row : row + 1].clone(), transformation)
        off = (got[row : row + 1] - want).abs() > 0.01  # tones jump: what is rounded otherwise can differ
        assert off.float().mean() < 0.1, f"image {row}: {int(off.sum())} values differ"


# --- configuration ------------------------------------------------------------------------------------------

ARGUMENTS = {
    **{name: cases[-1] for name, cases in DRAWN.items()},
    "AutoContrast": {"value_range": UNIT},
    "Equalization": {"bins": 9},
    "ContrastLimitedAdaptiveHistogramEqualization": {"clip_limit": 2.0},
    "RandomGaussianBlur": {"kernel_size": 5, "sigma": 0.4},
    "RandomElasticTransform": {"scale": 0.4, "fill_mode": "mirror"},
    "RandAugment": {"num_ops": 3},
    "AugMix": {"num_chains": 2, "all_ops": False},
    "RandomColorJitter": {"brightness_factor": 0.1, "hue_factor": (0.1, 0.2)},
}


def test_shear_is_read_from_what_keras_writes_and_keras_reads_ours() -> None:
    for arguments in ({"x_factor": 0.3}, {"x_factor": (0.1, 0.2), "y_factor": 0.0}):
        ours, theirs = both("RandomShear", arguments)
        again = layers.RandomShear.from_config(theirs.get_config())
        assert (again.x_factor, again.y_factor) == (ours.x_factor, ours.y_factor)
        read = keras.layers.RandomShear.from_config(ours.get_config())  # it cannot read its own (-0.3, 0.3)
        assert (read.x_factor, read.y_factor) == (theirs.x_factor, theirs.y_factor)
        assert (ours.x_factor, ours.y_factor) == (theirs.x_factor, theirs.y_factor)


@pytest.mark.parametrize("name", [name for name in ARGUMENTS if name != "RandomShear"])
def test_configurations(name: str) -> None:
    assert_same_as_keras(
        *both(name, ARGUMENTS[name]), photo(2, 8, 8, 3, top=1.0), training=False, gradients=False
    )


@pytest.mark.parametrize("shape", [(1, 5, 6, 1), (3, 5, 1, 1), (2, 1, 6, 1)])
def test_filters_of_one_channel(shape: Any) -> None:
    images = torch.from_numpy(photo(*shape))
    for layer in (
        layers.RandomSharpness((0.1, 0.1)),
        layers.RandomGaussianBlur((1.0, 1.0), sigma=(0.7, 0.7)),
    ):
        expected = layer(images.double().expand(*shape[:3], 3), training=True)[..., :1]
        assert_close(layer.name, layer(images, training=True), expected.float())


WHOLE: list[tuple[str, dict[str, Any]]] = [
    *((name, arguments) for name, arguments, top in FIXED if top > 1),
    ("RandomRotation", {"factor": (0.1, 0.1)}),
    ("RandomTranslation", {"height_factor": 0.2, "width_factor": 0.3}),
    ("RandomStretch", {}),
    ("RandomElasticTransform", {"factor": (1.0, 1.0)}),
    ("RandomContrast", {"factor": (0.5, 0.5)}),
    ("RandomPCALighting", {}),
    ("RandomSaturation", {"factor": (0.8, 0.8)}),
    ("RandAugment", {}),
    ("AugMix", {}),
    ("MixUp", {}),
    ("CutMix", {}),
]


@pytest.mark.parametrize("dtype", ["uint8", "int32"])
@pytest.mark.parametrize(("name", "arguments"), WHOLE, ids=str)
def test_layers_of_whole_numbers_round_what_floats_give(name: str, arguments: Any, dtype: str) -> None:
    images = RNG.integers(0, 256, (3, 9, 8, 3)).astype("uint8")
    kind = getattr(layers, name)
    seeded = {"seed": 3} if "seed" in kind(**arguments).get_config() else {}
    layer, floats = kind(**arguments, **seeded, dtype=dtype), kind(**arguments, **seeded)
    got = layer(images, training=True)
    if layer.keeps_type:
        assert got.dtype == torch.uint8
        return
    assert str(got.dtype) == f"torch.{dtype}" == f"torch.{layer.compute_output_dtype('float32')}"
    assert layer(images, training=False).dtype == got.dtype
    want = floats(images.astype("float32"), training=True)
    limits = torch.iinfo(got.dtype)
    want = want.double().clamp(limits.min, limits.max)
    far = (got.double() - want).abs() > 0.501
    assert far.double().mean() < 0.02  # steps such as posterization jump where float32 and float64 differ


@pytest.mark.parametrize("name", ["RandomRotation", "RandomZoom"])
def test_warps_of_bytes_as_in_keras(name: str) -> None:
    images = RNG.integers(0, 256, (2, 9, 8, 3)).astype("uint8")
    ours = getattr(layers, name)((0.1, 0.1), dtype="uint8")(images, training=True)
    theirs = getattr(keras.layers, name)((0.1, 0.1), dtype="uint8")(images, training=True)
    torch.testing.assert_close(ours.float(), theirs.float(), rtol=0, atol=1)
    assert (ours != torch.as_tensor(np.asarray(theirs))).float().mean() < 0.02  # where half a step decides


def test_labels_of_whole_number_layers_are_mixed_in_floats() -> None:
    data = {"images": torch.full((4, 2, 2, 3), 9, dtype=torch.uint8), "labels": torch.eye(4)}
    found = layers.MixUp(2.0, seed=1, dtype="uint8")(data, training=True)
    assert found["images"].dtype == torch.uint8
    assert found["labels"].dtype == torch.float32
    assert_close("labels", found["labels"].sum(1), torch.ones(4))
    assert not torch.equal(found["labels"], found["labels"].round())


@pytest.mark.parametrize("share", [0.1, -0.1, 0.303])
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_brightness_of_whole_numbers_as_in_keras(dtype: str, share: float) -> None:
    images = RNG.integers(0, 256, (2, 4, 5, 3)).astype(dtype)
    ours, theirs = both("RandomBrightness", {"factor": (share, share)})
    got, want = ours(images, training=True), theirs(images.copy(), training=True)
    assert got.dtype == want.dtype
    assert np.array_equal(np.asarray(got), np.asarray(want))
    bytes_ = ours(images.astype("uint8"), training=True)  # Keras's wrap around
    assert bytes_.dtype == torch.uint8
    assert torch.equal(bytes_.to(got.dtype), got)
    assert ours(layers.Input((4, 5, 3), dtype="uint8")).dtype == "uint8"
