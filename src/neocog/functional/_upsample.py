"""Larger images: repeated pixels, and Lanczos interpolation, which torch lacks."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def repeat(x: torch.Tensor, factors: Sequence[int], first_axis: int) -> torch.Tensor:
    """Return `x` with each entry repeated along the axes that start at `first_axis`: one copy for all axes.

    Example:
        >>> repeat(torch.tensor([[1, 2]]), (3,), 1)
        tensor([[1, 1, 1, 2, 2, 2]])
    """
    index: list[slice | None] = [slice(None)] * first_axis
    wide = list(x.shape[:first_axis])
    full = list(x.shape[:first_axis])
    for size, factor in zip(x.shape[first_axis:], factors, strict=False):
        index += [slice(None), None]
        wide += [size, factor]
        full.append(size * factor)
    rest = x.shape[first_axis + len(factors) :]
    return x[tuple(index)].expand(*wide, *rest).reshape(*full, *rest)


def lanczos(x: torch.Tensor, height: int, width: int, radius: int) -> torch.Tensor:
    """Return larger images by Lanczos interpolation: windowed sincs, normalised where they meet the border.

    Args:
        x: (B, C, H, W), floating point.
        height: new height, at least H.
        width: new width, at least W.
        radius: lobes of the kernel on each side, 3 or 5.

    Reference:
        Duchon, Lanczos filtering in one and two dimensions, J. Appl. Meteorol. 18, 1979.
    """
    rows = _lanczos_weights(x.shape[2], height, radius, x)
    columns = _lanczos_weights(x.shape[3], width, radius, x)
    return rows @ (x @ columns.mT)


def _lanczos_weights(size: int, new_size: int, radius: int, like: torch.Tensor) -> torch.Tensor:
    """The matrix (new_size, size) of one axis."""
    places = torch.arange(max(size, new_size), device=like.device, dtype=torch.float64) + 0.5
    distance = places[:size] - places[:new_size, None] * (size / new_size)
    weights: torch.Tensor = torch.sinc(distance) * torch.sinc(distance / radius) * (distance.abs() <= radius)
    return (weights / weights.sum(1, keepdim=True)).to(like.dtype)
