"""Images looked up at other places: affine and perspective warps, elastic distortions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch

from neocog.core import check_one_of
from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.functional._image_warp import mirrored, reflected
from neocog.ops._image_filters import gaussian_blur
from neocog.ops._image_shared import as_given, batch_of
from neocog.ops._op import as_tensor, op, together
from neocog.ops._shared import as_float
from neocog.random import normal

_ORDERS = {"nearest": 0, "bilinear": 1}


def _clipped(index: torch.Tensor, size: int) -> torch.Tensor:
    return index.clamp(0, size - 1)


def _wrapped(index: torch.Tensor, size: int) -> torch.Tensor:
    return index.remainder(size)


_OUTSIDE: dict[str, Callable[[torch.Tensor, int], torch.Tensor]] = {
    "constant": _clipped,
    "nearest": _clipped,
    "wrap": _wrapped,
    "mirror": mirrored,
    "reflect": reflected,
}


@op("keras.src.ops.image>MapCoordinates", call="inputs coordinates")
def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> torch.Tensor:
    """Return the values of a tensor at fractional places.

    Args:
        inputs: tensor with n axes.
        coordinates: the places, (n, …): one row for each axis.
        order: 0 takes the nearest value, 1 interpolates.
        fill_mode: what lies outside: `"constant"`, `"nearest"`, `"wrap"`, `"mirror"` or `"reflect"`.
        fill_value: for `"constant"`.

    Raises:
        ShapeError: there is not one row for each axis.

    Example:
        >>> map_coordinates(torch.tensor([0.0, 10.0]), [[0.25, 5.0]], 1)
        tensor([2.5000, 0.0000])
    """
    where = "ops.image.map_coordinates"
    fill_mode = check_one_of(where, "fill_mode", fill_mode, tuple(_OUTSIDE))
    if order not in (0, 1):
        raise ArgumentError(message(where, expected="order 0 or 1", got=order))
    values, places = together(inputs, coordinates)
    if places.dim() < 2 or len(places) != values.dim():
        expected = f"coordinates of shape ({values.dim()}, …)"
        raise ShapeError(message(where, expected=expected, got=f"shape {tuple(places.shape)}"))
    corners = [_corners(place, order) for place in places]
    total: Any = 0
    for corner in itertools.product(*corners):
        total = total + _contribution(values, corner, fill_mode, fill_value)
    if not values.is_floating_point() and total.is_floating_point():
        total = total.round()
    return total.to(values.dtype)  # type: ignore[no-any-return]


def _corners(place: torch.Tensor, order: int) -> list[tuple[torch.Tensor, Any]]:
    """Return the whole places around each place along one axis, with their weights."""
    if order == 0:
        return [((place.round() if place.is_floating_point() else place).long(), 1)]
    below = place.floor() if place.is_floating_point() else place
    upper = place - below
    return [(below.long(), 1 - upper), (below.long() + 1, upper)]


def _contribution(
    values: torch.Tensor, corner: Sequence[tuple[torch.Tensor, Any]], fill_mode: str, fill_value: float
) -> torch.Tensor:
    outside = _OUTSIDE[fill_mode]
    pairs = list(zip(corner, values.shape, strict=True))
    picked = values[tuple(outside(index, size) for (index, _), size in pairs)]
    if fill_mode == "constant":
        inside = torch.ones_like(picked, dtype=torch.bool)
        for (index, _), size in pairs:
            inside &= (index >= 0) & (index < size)
        filling = fill_value if values.is_floating_point() else int(fill_value)
        picked = torch.where(
            inside, picked, torch.as_tensor(filling, dtype=picked.dtype, device=picked.device)
        )
    result: torch.Tensor = math.prod(weight for _, weight in corner) * picked
    return result


def _filling(values: torch.Tensor, fill_value: float) -> torch.Tensor:
    filling = fill_value if values.is_floating_point() else int(fill_value)
    return torch.as_tensor(filling, dtype=values.dtype, device=values.device)


def _looked_up(
    images: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor, order: int, mode: str, fill: float
) -> torch.Tensor:
    """Return images (B, C, H, W) looked up at rows and columns (B, H, W)."""
    batch, channels = images.shape[:2]
    samples = torch.arange(batch, device=rows.device).view(-1, 1, 1, 1)
    depths = torch.arange(channels, device=rows.device).view(1, -1, 1, 1)
    total: Any = 0
    sizes = images.shape[2:]
    for (row, row_weight), (column, column_weight) in itertools.product(
        _corners(rows[:, None], order), _corners(columns[:, None], order)
    ):
        outside = _OUTSIDE[mode]
        picked = images[samples, depths, outside(row, sizes[0]), outside(column, sizes[1])]
        if mode == "constant":
            inside = (row >= 0) & (row < sizes[0]) & (column >= 0) & (column < sizes[1])
            filling = fill if images.is_floating_point() else int(fill)
            picked = torch.where(
                inside, picked, torch.as_tensor(filling, dtype=picked.dtype, device=row.device)
            )
        total = total + row_weight * column_weight * picked
    if not images.is_floating_point() and total.is_floating_point():
        total = total.round()
    return total.to(images.dtype)  # type: ignore[no-any-return]


@op("keras.src.ops.image>AffineTransform", call="images transform")
def affine_transform(
    images: Any,
    transform: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> torch.Tensor:
    """Return images in which pixel (x, y) shows what lay at (a₀x + a₁y + a₂, b₀x + b₁y + b₂).

    Args:
        images: one image of 3 axes, or a batch of 4.
        transform: a₀, a₁, a₂, b₀, b₁, b₂ and two zeros, (8,), or one row for each image.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_mode: what lies outside: `"constant"`, `"nearest"`, `"wrap"`, `"mirror"` or `"reflect"`.
        fill_value: for `"constant"`.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Example:
        >>> shift = [1.0, 0, 1, 0, 1, 0, 0, 0]
        >>> affine_transform(torch.arange(3.0).reshape(1, 3, 1), shift).flatten()
        tensor([1., 2., 0.])
    """
    where = "ops.image.affine_transform"
    order = _ORDERS[check_one_of(where, "interpolation", interpolation, tuple(_ORDERS))]
    fill_mode = check_one_of(where, "fill_mode", fill_mode, tuple(_OUTSIDE))
    x, last, single = batch_of(where, images, data_format)
    rows = as_float(as_tensor(transform)).to(x.device)
    rows = rows[None] if rows.dim() == 1 else rows
    if rows.dim() != 2 or rows.shape[1] != 8:
        raise ShapeError(message(where, expected="transforms of 8 numbers", got=f"shape {tuple(rows.shape)}"))
    across, down = _grid(x, rows.dtype)
    a0, a1, a2, b0, b1, b2 = (rows[:, number, None, None] for number in range(6))
    columns, heights = a0 * across + a1 * down + a2, b0 * across + b1 * down + b2
    shape = (len(x), *x.shape[2:])
    outputs = _looked_up(x, heights.expand(shape), columns.expand(shape), order, fill_mode, fill_value)
    return as_given(outputs, last, single)


def _grid(x: torch.Tensor, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the x and y of each pixel of images (B, C, H, W), broadcast to (1, H, W)."""
    across = torch.arange(x.shape[3], device=x.device, dtype=dtype).view(1, 1, -1)
    return across, torch.arange(x.shape[2], device=x.device, dtype=dtype).view(1, -1, 1)


@op("keras.src.ops.image>PerspectiveTransform", call="images start_points end_points")
def perspective_transform(
    images: Any,
    start_points: Any,
    end_points: Any,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> torch.Tensor:
    """Return images warped so that four points, and the plane between them, move to four others.

    Args:
        images: one image of 3 axes, or a batch of 4.
        start_points: four points (x, y) of the input, (4, 2), or (batch, 4, 2).
        end_points: where they are in the result, likewise.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_value: value of what lies outside.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Example:
        >>> corners = [[0.0, 0.0], [0.0, 3.0], [3.0, 0.0], [3.0, 3.0]]
        >>> perspective_transform(torch.ones(4, 4, 1), corners, corners).shape
        torch.Size([4, 4, 1])
    """
    where = "ops.image.perspective_transform"
    order = _ORDERS[check_one_of(where, "interpolation", interpolation, tuple(_ORDERS))]
    x, last, single = batch_of(where, images, data_format)
    start, end = (as_float(as_tensor(points)).to(x.device) for points in (start_points, end_points))
    if start.shape != end.shape or start.shape[-2:] != (4, 2) or start.dim() not in (2, 3):
        got = f"shapes {tuple(start.shape)} and {tuple(end.shape)}"
        raise ShapeError(message(where, expected="points of shape (4, 2) or (batch, 4, 2)", got=got))
    plane = _homographies(start.reshape(-1, 4, 2), end.reshape(-1, 4, 2))
    across, down = _grid(x, plane.dtype)
    a = [plane[:, number, None, None] for number in range(8)]
    depth = a[6] * across + a[7] * down + 1.0
    columns, rows = (a[0] * across + a[1] * down + a[2]) / depth, (a[3] * across + a[4] * down + a[5]) / depth
    shape = (len(x), *x.shape[2:])
    outputs = _looked_up(x, rows.expand(shape), columns.expand(shape), order, "constant", fill_value)
    return as_given(outputs, last, single)


def _homographies(start: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    """Return the eight numbers (B, 8) that take the end points (B, 4, 2) back to the start points."""
    x, y = end.unbind(2)
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    u, v = start.unbind(2)
    first = torch.stack([x, y, one, zero, zero, zero, -u * x, -u * y], dim=2)
    second = torch.stack([zero, zero, zero, x, y, one, -v * x, -v * y], dim=2)
    matrix = torch.stack([first, second], dim=2).reshape(-1, 8, 8)
    numbers: torch.Tensor = torch.linalg.solve(matrix, start.reshape(-1, 8))
    return numbers


@op("keras.src.ops.image>ElasticTransform", call="images")
def elastic_transform(
    images: Any,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> torch.Tensor:
    """Return images whose pixels are moved by smooth random fields.

    Args:
        images: one image of 3 axes, or a batch of 4.
        alpha: strength of the distortion.
        sigma: its smoothness: standard deviation of the blur, in pixels.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_mode: what lies outside: `"constant"`, `"nearest"`, `"wrap"`, `"mirror"` or `"reflect"`.
        fill_value: for `"constant"`.
        seed: a whole number or `SeedGenerator`; None for torch's global generator.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Example:
        >>> elastic_transform(torch.ones(8, 8, 3), seed=1).shape
        torch.Size([8, 8, 3])

    Reference:
        Simard et al., Best Practices for Convolutional Neural Networks, 2003.
    """
    where = "ops.image.elastic_transform"
    order = _ORDERS[check_one_of(where, "interpolation", interpolation, tuple(_ORDERS))]
    fill_mode = check_one_of(where, "fill_mode", fill_mode, tuple(_OUTSIDE))
    x, last, single = batch_of(where, images, data_format)
    smooth = float(sigma)
    side = int(6 * smooth) | 1
    fields = normal((2, len(x), *x.shape[2:]), stddev=smooth, seed=seed).to(x.device)
    fields = gaussian_blur(fields, (side, side), (smooth, smooth), data_format="channels_first")
    across, down = _grid(x, fields.dtype)
    columns, rows = across + alpha * fields[0], down + alpha * fields[1]
    return as_given(_looked_up(x, rows, columns, order, fill_mode, fill_value), last, single)
