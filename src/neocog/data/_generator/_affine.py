"""Affine warps of one image as `ImageDataGenerator` does them: float64 coordinates, SciPy's fill modes.

`neocog.functional.warp` is for batches on a device; this one gives SciPy's numbers, `"wrap"` included.
Letters: H height, W width, C channels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neocog.core import check_one_of
from neocog.exceptions import ArgumentError, ShapeError, message

FILL_MODES = ("nearest", "constant", "reflect", "wrap")
_WHERE = "apply_affine_transform"
_Array = np.ndarray[Any, np.dtype[Any]]


def apply_affine_transform(
    x: Any,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> Any:
    """Return an image turned, shifted, sheared and zoomed about its middle, in one interpolation.

    Args:
        x: image of 3 axes.
        theta: angle in degrees.
        tx: shift along the columns in pixels (Keras calls it the shift in the x direction).
        ty: shift along the rows in pixels.
        shear: angle in degrees.
        zx: zoom of the columns: above 1 the image gets smaller.
        zy: the same for the rows.
        row_axis, col_axis, channel_axis: 0, 1 and 2 in some order.
        fill_mode: `"nearest"`, `"constant"` (`cval`), `"reflect"` or `"wrap"`.
        cval: for `"constant"`.
        order: 0 takes the nearest pixel, 1 interpolates between four.

    Raises:
        ShapeError: another number of axes.

    Example:
        >>> apply_affine_transform(np.arange(4.0).reshape(1, 4, 1), tx=1, row_axis=0, col_axis=1,
        ...                        channel_axis=2).ravel().tolist()
        [1.0, 2.0, 3.0, 3.0]
    """
    image = np.asarray(x)
    if image.ndim != 3:
        raise ShapeError(message(_WHERE, expected="an image of 3 axes", got=f"shape {image.shape}"))
    axes = (row_axis, col_axis, channel_axis)
    if sorted(axes) != [0, 1, 2]:
        raise ArgumentError(message(_WHERE, expected="row, column and channel axes 0, 1, 2", got=axes))
    check_one_of(_WHERE, "fill_mode", fill_mode, FILL_MODES)
    if order not in (0, 1):
        do = "Splines of higher order are not offered."
        raise ArgumentError(message(_WHERE, expected="order 0 or 1", got=order, do=do))
    steps = _steps(theta, tx, ty, shear, zx, zy)
    if not steps:
        return image
    matrix = steps[0]
    for step in steps[1:]:
        matrix = np.dot(matrix, step)
    matrix = _about_middle(matrix, image.shape[row_axis], image.shape[col_axis])
    if col_axis > row_axis:  # as in Keras: after the middle was set, so that it is off unless square
        matrix = matrix[[1, 0, 2]][:, [1, 0, 2]]
    warped = _warp(np.moveaxis(image, channel_axis, 2), matrix, fill_mode, float(cval), order)
    return np.moveaxis(warped, 2, channel_axis)


def _steps(theta: float, tx: float, ty: float, shear: float, zx: float, zy: float) -> list[_Array]:
    """Return the matrices (3, 3) that are not the identity."""
    steps: list[_Array] = []
    if theta != 0:
        angle = np.deg2rad(theta)
        cos, sin = np.cos(angle), np.sin(angle)
        steps.append(np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]))
    if tx != 0 or ty != 0:
        steps.append(np.array([[1, 0, tx], [0, 1, ty], [0, 0, 1]]))
    if shear != 0:
        angle = np.deg2rad(shear)
        steps.append(np.array([[1, -np.sin(angle), 0], [0, np.cos(angle), 0], [0, 0, 1]]))
    if zx != 1 or zy != 1:
        steps.append(np.array([[zx, 0, 0], [0, zy, 0], [0, 0, 1]], dtype=np.float64))
    return steps


def _about_middle(matrix: _Array, height: int, width: int) -> _Array:
    down, across = height / 2 - 0.5, width / 2 - 0.5
    there = np.array([[1, 0, down], [0, 1, across], [0, 0, 1]])
    back = np.array([[1, 0, -down], [0, 1, -across], [0, 0, 1]])
    return np.asarray(np.dot(np.dot(there, matrix), back))


def _warp(image: _Array, matrix: _Array, fill_mode: str, cval: float, order: int) -> _Array:
    """Return the image looked up through the matrix: output pixel to input pixel."""
    height, width, channels = image.shape
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
    down = matrix[0, 2] + matrix[0, 0] * rows + matrix[0, 1] * columns
    across = matrix[1, 2] + matrix[1, 0] * rows + matrix[1, 1] * columns
    flat = image.reshape(-1, channels)
    if fill_mode == "wrap":  # SciPy's: the first pixel lies on the last one
        down, across = _wrapped(down, height), _wrapped(across, width)
    if fill_mode == "reflect" and order == 0:  # ties are rounded after SciPy has mirrored the coordinate
        down, across = _mirrored(down, height), _mirrored(across, width)
    out: Any = 0.0
    for y, weight_y in _neighbours(down, height, fill_mode, order):
        for x, weight_x in _neighbours(across, width, fill_mode, order):
            weight = weight_y * weight_x
            if np.any(weight):
                out = out + flat[y * width + x] * weight[..., None]
    if fill_mode == "constant":
        inside = (down >= 0) & (down <= height - 1) & (across >= 0) & (across <= width - 1)
        out = np.where(inside[..., None], out, cval)
    return np.asarray(out).astype(image.dtype, copy=False)


def _neighbours(place: _Array, size: int, fill_mode: str, order: int) -> list[tuple[_Array, _Array]]:
    """Return the pixels that a coordinate lies between, folded into the image, and their weights."""
    if order == 0:
        return [(_folded(np.floor(place + 0.5), size, fill_mode), np.ones_like(place))]
    first = np.floor(place)
    rest = place - first
    return [(_folded(first, size, fill_mode), 1 - rest), (_folded(first + 1, size, fill_mode), rest)]


def _folded(place: _Array, size: int, fill_mode: str) -> _Array:
    index = place.astype(np.int64)
    if fill_mode == "reflect":  # d c b a | a b c d | d c b a
        index = index % (2 * size)
        return np.minimum(index, 2 * size - 1 - index)
    return np.clip(index, 0, size - 1)


def _wrapped(place: _Array, size: int) -> _Array:
    period = size - 1
    if period == 0:
        return np.zeros_like(place)
    below = place + period * (np.trunc(-place / period) + 1)
    above = place - period * np.trunc(place / period)
    return np.where(place < 0, below, np.where(place > period, above, place))


def _mirrored(place: _Array, size: int) -> _Array:
    period = 2 * size
    low = np.where(place < -period, place + period * np.trunc(-place / period), place)
    low = np.where(low < -size, low + period, -np.minimum(low, -1e-15) - 1)
    high = place - period * np.trunc(place / period)
    high = np.where(high >= size, period - high - 1, high)
    return np.where(place < 0, low, np.where(place > size - 1, high, place))
