"""What one random change of an image is: its parameters, drawn in Keras's order, and how they are applied."""

from __future__ import annotations

import numbers
from typing import Any, Protocol

import numpy as np

from neocog.data._generator._affine import apply_affine_transform
from neocog.data._generator._draws import apply_brightness_shift, apply_channel_shift, flip


class Changes(Protocol):
    """The settings of an `ImageDataGenerator` that random changes read."""

    rotation_range: float
    width_shift_range: Any
    height_shift_range: Any
    brightness_range: Any
    shear_range: float
    zoom_range: Any
    channel_shift_range: float
    fill_mode: str
    cval: float
    horizontal_flip: bool
    vertical_flip: bool
    interpolation_order: int
    row_axis: int
    col_axis: int
    channel_axis: int


def draw_transform(settings: Changes, shape: Any, rng: Any) -> dict[str, Any]:
    """Return the parameters of one random change; the same stream of numbers as in Keras."""
    row, column = settings.row_axis - 1, settings.col_axis - 1
    theta = rng.uniform(-settings.rotation_range, settings.rotation_range) if settings.rotation_range else 0
    tx = _shift(settings.height_shift_range, shape[row], rng)
    ty = _shift(settings.width_shift_range, shape[column], rng)
    shear = rng.uniform(-settings.shear_range, settings.shear_range) if settings.shear_range else 0
    low, high = settings.zoom_range
    zx, zy = (1, 1) if low == high == 1 else rng.uniform(low, high, 2)
    horizontal = (rng.random_sample() < 0.5) * settings.horizontal_flip
    vertical = (rng.random_sample() < 0.5) * settings.vertical_flip
    intensity = brightness = None
    if settings.channel_shift_range != 0:
        intensity = rng.uniform(-settings.channel_shift_range, settings.channel_shift_range)
    if settings.brightness_range is not None:
        brightness = rng.uniform(settings.brightness_range[0], settings.brightness_range[1])
    return {
        "theta": theta,
        "tx": tx,
        "ty": ty,
        "shear": shear,
        "zx": zx,
        "zy": zy,
        "flip_horizontal": horizontal,
        "flip_vertical": vertical,
        "channel_shift_intensity": intensity,
        "brightness": brightness,
    }


def _shift(bounds: Any, size: int, rng: Any) -> Any:
    """Return a shift in pixels: a float is a bound, a whole number n means 0 … n - 1, a list itself."""
    if np.ndim(bounds) == 0 and not bounds:
        return 0
    if np.ndim(bounds) == 0 and not isinstance(bounds, numbers.Integral):
        shift = rng.uniform(-bounds, bounds)
    else:
        shift = rng.choice(bounds)
        shift = shift * rng.choice([-1, 1])
    return shift * size if np.max(bounds) < 1 else shift


def transform(settings: Changes, x: Any, parameters: dict[str, Any]) -> Any:
    """Return an image after warp, channel shift, flips and brightness."""
    row, column, channel = settings.row_axis - 1, settings.col_axis - 1, settings.channel_axis - 1
    x = apply_affine_transform(
        x,
        parameters.get("theta", 0),
        parameters.get("tx", 0),
        parameters.get("ty", 0),
        parameters.get("shear", 0),
        parameters.get("zx", 1),
        parameters.get("zy", 1),
        row_axis=row,
        col_axis=column,
        channel_axis=channel,
        fill_mode=settings.fill_mode,
        cval=settings.cval,
        order=settings.interpolation_order,
    )
    if parameters.get("channel_shift_intensity") is not None:
        x = apply_channel_shift(x, parameters["channel_shift_intensity"], channel)
    if parameters.get("flip_horizontal"):
        x = flip(x, column)
    if parameters.get("flip_vertical"):
        x = flip(x, row)
    if parameters.get("brightness") is not None:
        x = apply_brightness_shift(x, parameters["brightness"], False)
    return x
