"""Random changes of one image, and the ones that are no warp: brightness, channels, flips."""

from __future__ import annotations

from typing import Any

import numpy as np

from neocog.data._generator._affine import apply_affine_transform
from neocog.data._keras_images import array_to_img, img_to_array
from neocog.exceptions import ArgumentError, message

# Keras draws from NumPy's global generator: a program that seeds it gets the same images.
_GLOBAL: Any = np.random


def random_rotation(
    x: Any,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> Any:
    """Return an image turned by up to `rg` degrees either way."""
    axes = (row_axis, col_axis, channel_axis)
    return _warped(x, axes, fill_mode, cval, interpolation_order, theta=_GLOBAL.uniform(-rg, rg))


def random_shift(
    x: Any,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> Any:
    """Return an image shifted by up to these parts of its width and height."""
    tx = _GLOBAL.uniform(-hrg, hrg) * x.shape[row_axis]
    ty = _GLOBAL.uniform(-wrg, wrg) * x.shape[col_axis]
    axes = (row_axis, col_axis, channel_axis)
    return _warped(x, axes, fill_mode, cval, interpolation_order, tx=tx, ty=ty)


def random_shear(
    x: Any,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> Any:
    """Return an image sheared by up to `intensity` degrees either way."""
    shear = _GLOBAL.uniform(-intensity, intensity)
    axes = (row_axis, col_axis, channel_axis)
    return _warped(x, axes, fill_mode, cval, interpolation_order, shear=shear)


def random_zoom(
    x: Any,
    zoom_range: Any,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> Any:
    """Return an image zoomed by factors between the two of `zoom_range`."""
    low, high = _pair("random_zoom", "zoom_range", zoom_range)
    zx, zy = (1.0, 1.0) if low == high == 1 else _GLOBAL.uniform(low, high, 2)
    axes = (row_axis, col_axis, channel_axis)
    return _warped(x, axes, fill_mode, cval, interpolation_order, zx=zx, zy=zy)


def _warped(
    x: Any, axes: tuple[int, int, int], fill_mode: str, cval: float, order: int, **numbers: float
) -> Any:
    row, column, channel = axes
    return apply_affine_transform(
        x,
        **numbers,
        row_axis=row,
        col_axis=column,
        channel_axis=channel,
        fill_mode=fill_mode,
        cval=cval,
        order=order,
    )


def apply_channel_shift(x: Any, intensity: float, channel_axis: int = 0) -> Any:
    """Return an image with `intensity` added, kept between its least and largest value."""
    del channel_axis  # every channel alike, and the bounds are the whole image's
    return np.clip(x + intensity, np.min(x), np.max(x)).astype(x.dtype, copy=False)


def random_channel_shift(x: Any, intensity_range: float, channel_axis: int = 0) -> Any:
    """Return an image with a number up to `intensity_range` either way added."""
    return apply_channel_shift(x, _GLOBAL.uniform(-intensity_range, intensity_range), channel_axis)


def apply_brightness_shift(x: Any, brightness: float, scale: bool = True) -> Any:
    """Return an image made darker (below 1) or brighter (above 1), in steps of 1/255.

    Args:
        x: image (height, width, channels).
        brightness: factor of the pixels.
        scale: stretch the values to 0-255 first; done in any case for values outside.
    """
    from PIL import ImageEnhance

    least, most = np.min(x), np.max(x)
    outside = bool(least < 0 or most > 255)
    image = ImageEnhance.Brightness(array_to_img(x, scale=outside or scale)).enhance(brightness)
    array = img_to_array(image)
    return array / 255 * (most - least) + least if outside and not scale else array


def random_brightness(x: Any, brightness_range: Any, scale: bool = True) -> Any:
    """Return an image with its brightness changed by a factor between the two of `brightness_range`."""
    low, high = _pair("random_brightness", "brightness_range", brightness_range)
    return apply_brightness_shift(x, _GLOBAL.uniform(low, high), scale)


def flip(x: Any, axis: int) -> Any:
    """Return an image mirrored along an axis."""
    return np.flip(np.asarray(x), axis)


def _pair(where: str, name: str, value: Any) -> tuple[float, float]:
    if not isinstance(value, (tuple, list, np.ndarray)) or len(value) != 2:
        raise ArgumentError(message(where, expected=f"{name} as two numbers", got=repr(value)))
    return float(value[0]), float(value[1])
