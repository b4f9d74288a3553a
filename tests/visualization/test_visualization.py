"""Galleries and masks, beside real Keras where it draws the same."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import warnings

import keras as real
import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from neocog.exceptions import ArgumentError, ArgumentTypeError, ShapeError
from neocog.visualization import draw_segmentation_masks, plot_image_gallery, plot_segmentation_mask_gallery

mpl.use("agg")
DRAW = np.random.RandomState(0)
IMAGES = DRAW.randint(0, 256, (4, 6, 5, 3)).astype("uint8")
MASKS = DRAW.randint(0, 4, (4, 6, 5, 1))


@pytest.mark.parametrize("blend", [True, False])
@pytest.mark.parametrize("ignore", [-1, 0, 2])
@pytest.mark.parametrize("colors", [None, {0: (0, 0, 0), 1: (255, 0, 0), 2: (0, 255, 0), 3: (9, 9, 9)}])
def test_masks_are_those_of_keras(blend, ignore, colors):
    options = {
        "num_classes": 4,
        "color_mapping": colors,
        "alpha": 0.6,
        "blend": blend,
        "ignore_index": ignore,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # real Keras speaks of its own
        theirs = real.visualization.draw_segmentation_masks(IMAGES, MASKS, **options)
        theirs = real.ops.convert_to_numpy(theirs)
    ours = draw_segmentation_masks(IMAGES, MASKS, **options)
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours.astype(float), theirs.astype(float), atol=1)  # they round float32 down
    np.testing.assert_array_equal(ours, draw_segmentation_masks(IMAGES, MASKS[..., 0], **options))
    turned = [np.moveaxis(a, -1, 1) for a in (IMAGES, MASKS)]
    first = draw_segmentation_masks(*turned, **options, data_format="channels_first")
    np.testing.assert_array_equal(ours, first)


def test_the_largest_class_is_drawn_too():
    masks = np.array([[[0, 3]]])
    drawn = draw_segmentation_masks(np.zeros((1, 1, 2, 3)), masks, color_mapping={3: (100, 0, 0)}, alpha=1)
    assert drawn[0, 0].tolist() == [[0, 0, 0], [100, 0, 0]]


def test_bad_masks():
    with pytest.raises(ShapeError, match=r"image\[None\]"):
        draw_segmentation_masks(IMAGES[0], MASKS)
    with pytest.raises(ShapeError, match=r"masks of shape \(4, 6, 5\)"):
        draw_segmentation_masks(IMAGES, MASKS[:, :3])
    with pytest.raises(ArgumentTypeError, match="whole numbers"):
        draw_segmentation_masks(IMAGES, MASKS.astype(float))
    with pytest.raises(ArgumentError, match="alpha"):
        draw_segmentation_masks(IMAGES, MASKS, alpha=2)


def test_galleries_show_the_images(tmp_path):
    flat = np.zeros((4, 8, 8, 3))
    flat[0, ..., 0] = flat[3, ..., 2] = 1.0
    plot_image_gallery(flat, value_range=(0, 1), path=tmp_path / "a.png", scale=1, dpi=100)
    with Image.open(tmp_path / "a.png") as image:
        size, pixels = image.size, np.asarray(image.convert("RGB"))
    assert size[0] == pytest.approx(200, abs=4)
    assert pixels[50, 50].tolist() == [255, 0, 0]
    assert pixels[150, 150].tolist() == [0, 0, 255]
    names = {0: "cat", 1: "dog"}
    labels = [0, 1, 0, 1], np.array([1, 1, 0, 7])
    plot_image_gallery(IMAGES, *labels, names, path=tmp_path / "b.png", rows=1, cols=4)
    plot_image_gallery(IMAGES[..., :1], path=tmp_path / "c.png")
    plot_image_gallery(np.moveaxis(IMAGES, -1, 1), path=tmp_path / "d.png", data_format="channels_first")
    plot_image_gallery(IMAGES, show=False)
    plot_image_gallery(IMAGES[:1])  # shown: nothing happens without a screen
    with pytest.raises(ArgumentError, match="both"):
        plot_image_gallery(IMAGES, path=tmp_path / "e.png", show=True)
    with pytest.raises(ArgumentError, match="label_map"):
        plot_image_gallery(IMAGES, [0, 1, 0, 1])
    with pytest.raises(ShapeError, match="a batch of images"):
        plot_image_gallery(IMAGES[0])


def test_galleries_of_masks(tmp_path):
    flat = np.zeros((2, 8, 8, 3))
    masks = np.zeros((2, 8, 8, 1), int)
    masks[0] = 1
    options = {"scale": 1, "dpi": 50, "num_classes": 4, "color_mapping": {1: (255, 0, 0)}, "alpha": 1}
    plot_segmentation_mask_gallery(
        flat, y_true=masks, y_pred=masks[..., 0], path=tmp_path / "a.png", **options
    )
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == pytest.approx((150, 100), abs=3)
        assert [image.convert("RGB").getpixel((x, 25)) for x in (25, 75, 125)] == [
            (0, 0, 0),
            (255, 0, 0),
            (255, 0, 0),
        ]
    options |= {"value_range": (0, 1), "y_true": np.moveaxis(masks, -1, 1), "data_format": "channels_first"}
    plot_segmentation_mask_gallery(np.moveaxis(flat, -1, 1), path=tmp_path / "b.png", **options)
    assert (tmp_path / "b.png").stat().st_size > 100
