"""Draws of the augmentations: their ranges, one an image; the same for images, masks and labels; the mode."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from neocog import layers
from neocog.exceptions import ArgumentError, ArgumentTypeError, ShapeError
from neocog.layers import LAYERS
from neocog.layers.augment import RandomImageLayer
from neocog.models import Model, Sequential

COUNT = 4000
# class, arguments, entry of the draw, least and greatest value
RANGES: list[tuple[str, dict[str, Any], str, float, float]] = [
    ("RandomBrightness", {"factor": 0.2}, "rgb_delta", -51, 51),
    ("RandomContrast", {"factor": (0.2, 0.5)}, "contrast_factor", 0.8, 1.5),
    ("RandomColorDegeneration", {"factor": (0.2, 0.5)}, "factor", 0.2, 0.5),
    ("RandomColorDegeneration", {"factor": 0.5}, "factor", -0.5, 0.5),
    ("RandomHue", {"factor": 0.4}, "factor", -0.2, 0.2),
    ("RandomSaturation", {"factor": (0.0, 0.5)}, "factor", 0.0, 1.0),
    ("RandomSharpness", {"factor": 0.4}, "factor", 0.0, 0.4),
    ("RandomPosterization", {"factor": (2, 6)}, "shift_factor", 3, 6),
    ("RandomGaussianBlur", {"sigma": (0.5, 2.0)}, "blur_factor", 0.5, 2.0),
    ("RandomElasticTransform", {"scale": (0.2, 0.4)}, "distortion_factor", 0.2, 0.4),
    ("Solarization", {"addition_factor": 0.2}, "additions", 0, 51),
    ("Solarization", {"threshold_factor": (0.4, 0.6)}, "thresholds", 102, 153),
    ("MixUp", {"alpha": 1.0}, "mix_weight", 0, 1),
    ("CutMix", {}, "mix_weight", 0, 1),
    ("AugMix", {"chain_depth": 0}, "weight_sample", 0, 1),
]
CHANCES = [
    ("RandomInvert", "apply_inversion"),
    ("RandomErasing", "apply_erasing"),
    ("RandomPerspective", "apply_perspective"),
    ("RandomGaussianBlur", "should_apply_blur"),
    ("RandomElasticTransform", "apply_transform"),
]


@pytest.mark.parametrize(("name", "arguments", "entry", "low", "high"), RANGES, ids=str)
def test_ranges(name: str, arguments: Any, entry: str, low: float, high: float) -> None:
    layer = getattr(layers, name)(**arguments, seed=1)
    drawn = layer.draw(torch.zeros(COUNT, 4, 4, 3))[entry].float()
    assert len(drawn) == COUNT
    assert drawn.min() >= low - 1e-4
    assert drawn.max() <= high + 1e-4
    near = 0.02 * (high - low)
    assert drawn.min() <= low + near
    assert drawn.max() >= high - near


@pytest.mark.parametrize(("name", "entry"), CHANCES)
@pytest.mark.parametrize(("factor", "share"), [(0.0, 0.0), (1.0, 0.5), ((0.2, 0.4), 0.3), ((1.0, 1.0), 1.0)])
def test_chances(name: str, entry: str, factor: Any, share: float) -> None:
    layer = getattr(layers, name)(factor=factor, seed=1)
    found = layer.draw(torch.zeros(COUNT, 2, 2, 3))[entry].float().mean().item()
    assert found == pytest.approx(share, abs=0.03)


def test_boxes_have_the_drawn_size() -> None:
    layer = layers.RandomErasing((1.0, 1.0), scale=(0.25, 0.25), seed=1)
    masks = layer.draw(torch.zeros(50, 20, 30, 3))["batch_masks"]
    assert masks.shape == (50, 20, 30, 1)
    assert set(masks.sum((1, 2, 3)).tolist()) <= {150}
    drawn = layers.CutMix(seed=1).draw(torch.zeros(200, 40, 40, 3))
    outside = 1 - drawn["batch_masks"].float().mean((1, 2, 3))
    torch.testing.assert_close(outside, drawn["mix_weight"].flatten(), atol=0.06, rtol=0)


RANDOM = {
    "RandomCrop": {"height": 3, "width": 3},
    "RandomTranslation": {"height_factor": 0.3, "width_factor": 0.3},
    "RandomZoom": {"height_factor": 0.3},
    "RandomPosterization": {"factor": 6},
    "RandomShear": {"x_factor": 0.5},
    "RandomSaturation": {"factor": (0.0, 0.8)},
    "RandomColorJitter": {"brightness_factor": 0.3, "hue_factor": 0.4},
}
FACTOR = ("RandomRotation", "RandomBrightness", "RandomContrast", "RandomColorDegeneration", "RandomHue")
RANDOM |= {name: {"factor": 0.6} for name in (*FACTOR, "RandomSharpness")}
STILL = ("AutoContrast", "Equalization", "ContrastLimitedAdaptiveHistogramEqualization")
NAMES = [name for name in LAYERS.names() if issubclass(LAYERS.resolve(name), RandomImageLayer)]


@pytest.mark.parametrize("name", NAMES)
class TestAny:
    def test_alone_it_augments_and_in_a_model_it_follows_the_mode(self, name: str) -> None:
        layer = getattr(layers, name)(**RANDOM.get(name, {}))
        images = torch.rand(24, 9, 9, 3) * 200
        assert not torch.equal(layer(images), images)
        assert not torch.equal(layer(images, training=True), images)
        if name in ("AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization"):
            return
        assert torch.equal(layer(images, training=False), images)
        stack = Sequential([layers.Input((9, 9, 3)), layer])
        np.testing.assert_array_equal(stack.predict(images, verbose=0), images)
        inputs = layers.Input((9, 9, 3))
        assert torch.equal(Model(inputs, layer(inputs))(images, training=False), images)
        assert torch.equal(layer.eval()(images), images)

    def test_every_image_has_its_own_draw(self, name: str) -> None:
        if name in STILL:
            pytest.skip("draws nothing")
        arguments = RANDOM.get(name, {}) if name != "Solarization" else {"addition_factor": 0.5}
        layer = getattr(layers, name)(**arguments, seed=4)
        image = torch.rand(1, 9, 9, 3) * 200
        results = layer(image.expand(16, 9, 9, 3).contiguous(), training=True)
        if name in ("MixUp", "CutMix"):  # of equal images nothing but themselves
            torch.testing.assert_close(results, image.expand_as(results))
            return
        assert len(results.flatten(1).unique(dim=0)) >= 2

    def test_seed(self, name: str) -> None:
        images = torch.rand(8, 9, 9, 3) * 200
        seed = {} if name in STILL else {"seed": 7}
        runs = []
        for _ in range(2):
            layer = getattr(layers, name)(**RANDOM.get(name, {}), **seed)
            torch.rand(3)  # the layer's own numbers do not come from here
            runs.append([layer(images, training=True), layer(images, training=True)])
        assert torch.equal(runs[0][0], runs[1][0])
        assert torch.equal(runs[0][1], runs[1][1])

    def test_images_keep_shape_and_type(self, name: str) -> None:
        layer = getattr(layers, name)(**RANDOM.get(name, {}))
        for shape in ((2, 9, 7, 3), (9, 7, 3), (1, 1, 1, 3)):
            for dtype in (torch.float32, torch.float16, torch.bfloat16):
                images = (torch.rand(shape) * 200).to(dtype)
                outputs = type(layer)(**RANDOM.get(name, {}), dtype=str(dtype)[6:])(images, training=True)
                assert outputs.shape == shape
                assert outputs.dtype == dtype
                assert torch.isfinite(outputs).all()

    def test_a_dict_with_all_entries(self, name: str) -> None:
        layer = getattr(layers, name)(**RANDOM.get(name, {}))
        data = {
            "images": np.random.default_rng(1).uniform(0, 200, (6, 9, 9, 3)).astype("float32"),
            "labels": np.eye(6, dtype="float32"),
            "segmentation_masks": np.zeros((6, 9, 9), "int64"),
            "names": torch.arange(6),
        }
        found = layer(data, training=True)
        assert found["images"].shape == (6, 9, 9, 3)
        assert found["segmentation_masks"].shape == (6, 9, 9)
        torch.testing.assert_close(found["labels"].sum(1), torch.ones(6))
        assert torch.equal(found["names"], torch.arange(6))
        one = layer({key: value[0] for key, value in data.items()}, training=True)
        assert one["images"].shape == (9, 9, 3)
        assert one["labels"].shape == (6,)


@pytest.mark.parametrize(
    "layer",
    [
        layers.RandomFlip(seed=1),
        layers.RandomRotation(0.3, interpolation="nearest", seed=1),
        layers.RandomShear(0.3, 0.2, interpolation="nearest", seed=1),
        layers.RandomPerspective(interpolation="nearest", seed=1),
        layers.RandomElasticTransform(interpolation="nearest", seed=1),
        layers.RandAugment(interpolation="nearest", seed=1, num_ops=0),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_masks_move_with_their_images(layer: Any) -> None:
    numbers = torch.arange(8 * 6 * 7).reshape(8, 6, 7, 1)
    found = layer({"images": numbers.float() % 256, "segmentation_masks": numbers}, training=True)
    assert found["segmentation_masks"].dtype == torch.int64
    assert torch.equal(found["segmentation_masks"].float() % 256, found["images"])


def test_tones_leave_masks() -> None:
    masks = torch.randint(0, 5, (4, 8, 8, 1))
    data = {"images": torch.rand(4, 8, 8, 3), "segmentation_masks": masks}
    for layer in (layers.RandomInvert(), layers.AutoContrast(), layers.RandomColorJitter(hue_factor=0.3)):
        assert torch.equal(layer(data)["segmentation_masks"], masks)


def test_a_pipeline_hands_the_entries_on() -> None:
    pipeline = layers.Pipeline([layers.RandomFlip(seed=1), layers.MixUp(seed=2), layers.AutoContrast()])
    found = pipeline({"images": torch.rand(4, 8, 8, 3), "labels": torch.eye(4)})
    assert not torch.equal(found["labels"], torch.eye(4))
    again = layers.deserialize(json.loads(json.dumps(layers.serialize(pipeline))))
    assert [type(layer) for layer in again.layers] == [type(layer) for layer in pipeline.layers]
    assert again.layers[1].seed == 2
    images = torch.rand(4, 8, 8, 3)
    flip = layers.Pipeline([layers.RandomFlip("horizontal", seed=3)])
    assert torch.equal(flip(images, training=False), images)
    assert not torch.equal(flip(images), images)


def test_a_subclass_needs_one_method() -> None:
    class Doubled(RandomImageLayer):
        def augment(self, images: torch.Tensor) -> torch.Tensor:
            return images * 2

    assert torch.equal(Doubled()(torch.ones(2, 3, 3, 1)), torch.full((2, 3, 3, 1), 2.0))
    first = Doubled(data_format="channels_first")(torch.ones(1, 3, 3), training=True)
    assert torch.equal(first, torch.full((1, 3, 3), 2.0))


REFUSED: list[tuple[str, dict[str, Any], type[Exception]]] = [
    ("RandomInvert", {"factor": 2.0}, ArgumentError),
    ("RandomInvert", {"factor": "half"}, ArgumentTypeError),
    ("RandomInvert", {"value_range": 255}, ArgumentError),
    ("RandomHue", {"factor": (-0.5, 0.5)}, ArgumentError),
    ("RandomPosterization", {"factor": 9}, ArgumentError),
    ("RandomPosterization", {"factor": (1, 2, 3)}, ArgumentError),
    ("RandomShear", {"x_factor": (-0.1, 0.5)}, ArgumentError),
    ("RandomGaussianBlur", {"kernel_size": 4}, ArgumentError),
    ("RandomErasing", {"fill_value": (1, 2)}, ArgumentError),
    ("RandomPerspective", {"scale": 1.5}, ArgumentError),
    ("RandomElasticTransform", {"fill_mode": "none"}, ArgumentError),
    ("MixUp", {"alpha": 0.0}, ArgumentError),
    ("AugMix", {"num_chains": 0}, ArgumentError),
    ("RandAugment", {"interpolation": "bicubic"}, ArgumentError),
    ("Pipeline", {"layers": [3]}, ArgumentTypeError),
    ("RandomGrayscale", {"factor": 1.5}, ArgumentError),
]


@pytest.mark.parametrize(("name", "arguments", "error"), REFUSED, ids=str)
def test_refused_arguments(name: str, arguments: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="expected"):
        getattr(layers, name)(**arguments)


def test_refused_inputs() -> None:
    images = torch.rand(3, 4, 4, 3)
    with pytest.raises(ShapeError, match=r"\(batch, classes\)"):
        layers.MixUp()({"images": images, "labels": torch.tensor([0, 1, 2])})
    with pytest.raises(ArgumentError, match='"images"'):
        layers.CutMix()({"labels": torch.eye(3)})
    with pytest.raises(ArgumentError, match="bounding_boxes"):
        layers.CutMix()({"images": images, "bounding_boxes": images})
    with pytest.raises(ShapeError, match="3 channels"):
        layers.RandomHue(0.3)(images[..., :1])
    with pytest.raises(ShapeError, match="axes"):
        layers.RandomInvert()({"images": images[0, 0]})


@pytest.mark.parametrize(
    "layer", ["RandomRotation", "RandomBrightness", "Resizing", "CenterCrop", "RandomCrop"]
)
def test_what_are_no_images_is_refused(layer: str) -> None:
    sized = layer in ("Resizing", "CenterCrop", "RandomCrop")
    made = getattr(layers, layer)(**({"height": 3, "width": 3} if sized else {"factor": 0.2}))
    for wrong in ("a", None, 3, [torch.rand(2, 4, 4, 3)], {"images": "a"}, {"images": None}):
        with pytest.raises(ArgumentTypeError, match=f'{layer} .*expected images as an array.*"images"'):
            made(wrong)
        if layer == "RandomRotation":
            with pytest.raises(ArgumentTypeError, match=r"expected images as an array"):
                layers.Pipeline([made, layers.RandomFlip()])(wrong)
    with pytest.raises(ArgumentError, match='"images"'):
        made({"image": torch.rand(2, 4, 4, 3)})
    for empty in (torch.zeros(2, 0, 4, 3), torch.zeros(4, 0, 3), {"images": torch.zeros(2, 4, 0, 3)}):
        with pytest.raises(ShapeError, match="images with pixels, got shape"):
            made(empty)
    first = getattr(layers, layer).from_config({**made.get_config(), "data_format": "channels_first"})
    with pytest.raises(ShapeError, match="images with pixels"):
        first(torch.zeros(2, 3, 4, 0))
    assert len(made(torch.zeros(0, 4, 4, 3))) == 0
