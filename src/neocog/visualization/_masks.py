"""Masks drawn over images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neocog.core import check_number
from neocog.exceptions import ArgumentTypeError, ShapeError, message
from neocog.ops import convert_to_numpy
from neocog.visualization._gallery import Array, images_of, plot_image_gallery


def draw_segmentation_masks(
    images: Any,
    segmentation_masks: Any,
    num_classes: int | None = None,
    color_mapping: Mapping[int, Sequence[float]] | None = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: str | None = None,
) -> Array:
    """Return images with each pixel coloured by its class: (1 − alpha) · image + alpha · colour.

    Args:
        images: of shape (batch, height, width, channels), values from 0 to 255.
        segmentation_masks: class numbers, of shape (batch, height, width) or (batch, height, width, 1).
        num_classes: classes with this number or a higher one are not coloured; default one above the largest.
        color_mapping: colours (R, G, B) by class; a class without one is not coloured. Default: a palette.
        alpha: share of the colour, 0 to 1.
        blend: False draws the bare colours.
        ignore_index: a class that is not coloured.
        data_format: `"channels_last"` or `"channels_first"`; default the setting.

    Returns:
        Channels-last array, uint8; float32 where `blend` is False.

    Raises:
        ArgumentTypeError: the masks are no whole numbers.
        ShapeError: images and masks do not fit.

    Example:
        >>> masks = np.array([[[0, 1]]])
        >>> images, red = np.full((1, 1, 2, 3), 100.0), {1: (200, 0, 0)}
        >>> draw_segmentation_masks(images, masks, color_mapping=red, alpha=0.5)
        array([[[[100, 100, 100],
                 [150,  50,  50]]]], dtype=uint8)
    """
    where = "draw_segmentation_masks"
    array = images_of(where, images, data_format).astype(np.float32)
    masks = _masks_of(where, segmentation_masks, array, data_format)
    share = check_number(where, "alpha", alpha, minimum=0, maximum=1)
    count = int(masks.max(initial=0)) + 1 if num_classes is None else num_classes
    colors = _palette(count) if color_mapping is None else color_mapping
    drawn = array.copy()
    for number in range(count):
        if number in colors:
            drawn[masks == number] = np.asarray(colors[number], dtype=np.float32)
    if not blend:
        return drawn
    mixed = array * (1 - share) + drawn * share
    result: Array = np.where((masks == ignore_index)[..., None], array, mixed).astype(np.uint8)
    return result


def _masks_of(where: str, given: Any, images: Array, data_format: str | None) -> Array:
    masks = np.asarray(convert_to_numpy(given))
    if masks.dtype.kind not in "iu":
        raise ArgumentTypeError(message(where, expected="masks of whole numbers", got=str(masks.dtype)))
    if masks.ndim == 4:
        masks = images_of(where, masks, data_format)
        masks = masks[..., 0] if masks.shape[-1] == 1 else masks
    if masks.shape != images.shape[:3]:
        expected = f"masks of shape {images.shape[:3]}"
        raise ShapeError(message(where, expected=expected, got=tuple(np.shape(given))))
    return masks


def _palette(count: int) -> dict[int, list[int]]:
    """Colours far from each other, the same as in Keras."""
    step = np.array([2**25 - 1, 2**15 - 1, 2**21 - 1])
    return {number: (number * step % 255).tolist() for number in range(count)}


def plot_segmentation_mask_gallery(
    images: Any,
    num_classes: int,
    value_range: tuple[float, float] = (0, 255),
    y_true: Any = None,
    y_pred: Any = None,
    color_mapping: Mapping[int, Sequence[float]] | None = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Show images, one a row, beside themselves with the true and the predicted masks.

    Args:
        images: of shape (batch, height, width, channels).
        num_classes: number of classes.
        value_range: least and largest value of the images.
        y_true: true masks, as in `draw_segmentation_masks`.
        y_pred: predicted masks, likewise.
        color_mapping: colours (R, G, B) by class.
        blend: False draws the bare colours.
        alpha: share of the colours, 0 to 1.
        ignore_index: a class that is not coloured.
        data_format: `"channels_last"` or `"channels_first"`; default the setting.
        **kwargs: further arguments of `plot_image_gallery`, such as `path`.

    Raises:
        ShapeError: images and masks do not fit.
    """
    where = "plot_segmentation_mask_gallery"
    low, high = value_range
    plain = (images_of(where, images, data_format).astype(np.float64) - low) * (255 / (high - low))
    columns = [plain]
    for given in (y_true, y_pred):
        if given is None:
            continue
        masks = np.asarray(convert_to_numpy(given)).astype(np.int32)
        if masks.ndim == 4:
            masks = images_of(where, masks, data_format)
        drawn = draw_segmentation_masks(
            plain, masks, num_classes, color_mapping, alpha, blend, ignore_index, "channels_last"
        )
        columns.append(drawn.astype(np.float64))
    gallery = np.stack(columns, axis=1).reshape(-1, *plain.shape[1:])
    plot_image_gallery(gallery, rows=len(plain), cols=len(columns), data_format="channels_last", **kwargs)
