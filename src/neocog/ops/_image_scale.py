"""Images scaled and moved along some of their axes, by a matrix of weights for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch

from neocog.core import check_one_of
from neocog.exceptions import ShapeError, message
from neocog.ops._op import op, together
from neocog.ops._shared import as_float, same_float


def _triangle(x: torch.Tensor) -> torch.Tensor:
    return (1 - x).clamp(min=0)


def _cubic(x: torch.Tensor) -> torch.Tensor:
    """Keys's cubic convolution with a = -1/2."""
    near = ((1.5 * x - 2.5) * x) * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return torch.where(x >= 2, 0.0, torch.where(x >= 1, far, near))


def _lanczos(x: torch.Tensor, radius: int) -> torch.Tensor:
    return torch.where(x > radius, 0.0, torch.sinc(x) * torch.sinc(x / radius))


_KERNELS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "linear": _triangle,
    "bilinear": _triangle,
    "trilinear": _triangle,
    "cubic": _cubic,
    "bicubic": _cubic,
    "tricubic": _cubic,
    "lanczos3": partial(_lanczos, radius=3),
    "lanczos5": partial(_lanczos, radius=5),
}


@op("keras.src.ops.image>ScaleAndTranslate", call="images output_shape scale translation")
def scale_and_translate(
    images: Any,
    output_shape: Sequence[int],
    scale: Any,
    translation: Any,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> torch.Tensor:
    """Return a tensor scaled and moved along some axes: output position p looks at (p - translation) / scale.

    Args:
        images: tensor of any shape.
        output_shape: shape of the result.
        scale: factor for each of `spatial_dims`.
        translation: shift for each of them, in pixels of the result.
        spatial_dims: the axes.
        method: `"linear"`, `"cubic"` (also with bi- and tri- in front), `"lanczos3"` or `"lanczos5"`.
        antialias: True averages where images shrink.

    Example:
        >>> x = torch.ones(4, 4, 1)
        >>> scale_and_translate(x, (2, 2, 1), [0.5, 0.5], [0.0, 0.0], (0, 1), "linear").shape
        torch.Size([2, 2, 1])
    """
    where = "ops.image.scale_and_translate"
    method = check_one_of(where, "method", method, tuple(_KERNELS))
    x, factors, shifts = together(images, scale, translation)
    factors, shifts = same_float(as_float(factors), as_float(shifts))
    if len(output_shape) != x.dim():
        raise ShapeError(
            message(where, expected=f"an output_shape of {x.dim()} axes", got=tuple(output_shape))
        )
    sizes = {axis % x.dim(): int(output_shape[axis]) for axis in spatial_dims}
    return moved(x, sizes, factors, shifts, method, antialias)


def moved(
    x: torch.Tensor,
    sizes: Mapping[int, int],
    scale: torch.Tensor,
    translation: torch.Tensor,
    method: str,
    antialias: bool,
) -> torch.Tensor:
    """Return `x` with new sizes along some axes; whole numbers are rounded and kept between their extremes.

    Args:
        x: tensor of any shape.
        sizes: axis to new size.
        scale: factor for each of these axes.
        translation: shift for each of them.
        method: name of the kernel.
        antialias: True averages where images shrink.
    """
    outputs = x if x.is_floating_point() else x.float()
    for number, (axis, size) in enumerate(sizes.items()):
        weights = _weights(x.shape[axis], size, scale[number], translation[number], method, antialias)
        outputs = torch.tensordot(outputs, weights.to(outputs), dims=([axis], [0])).movedim(-1, axis)
    if x.is_floating_point():
        return outputs
    return outputs.round().clamp(x.min(), x.max()).to(x.dtype)


def _weights(
    size: int, new_size: int, scale: torch.Tensor, translation: torch.Tensor, method: str, antialias: bool
) -> torch.Tensor:
    """Return the matrix (size, new_size) of one axis; positions that look outside get zeros."""
    inverse = 1.0 / scale
    width = inverse.clamp(min=1.0) if antialias else 1.0
    places = torch.arange(new_size, device=scale.device, dtype=scale.dtype) + 0.5
    looked = places * inverse - translation * inverse - 0.5
    pixels = torch.arange(size, device=scale.device, dtype=scale.dtype)[:, None]
    weights = _KERNELS[method]((looked - pixels).abs() / width)
    total = weights.sum(dim=0, keepdim=True)
    counts = total.abs() > 1000.0 * torch.finfo(torch.float32).eps
    weights = torch.where(counts, weights / torch.where(total != 0, total, 1.0), 0.0)
    return torch.where((looked >= -0.5) & (looked <= size - 0.5), weights, 0.0)
