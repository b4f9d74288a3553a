"""Computing in floats on values that come and go as whole numbers."""

from __future__ import annotations

import torch

_EXACT_BYTES = 2  # whole numbers of as many bytes are exact in float32


def computed_as(values: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return values as the floats in which something of a type computes: that type where it is one of floats.

    Whole numbers stay exact: those of more than 16 bits become float64. Floats come back as they are.

    Example:
        >>> computed_as(torch.tensor([7], dtype=torch.uint8), torch.uint8)
        tensor([7.])
    """
    if values.is_floating_point():
        return values
    if dtype.is_floating_point:
        return values.to(dtype)
    return values.to(torch.float32 if values.element_size() <= _EXACT_BYTES else torch.float64)


def rounded_to(values: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return floats in another type; whole numbers are the nearest ones, kept in the type's range.

    Example:
        >>> rounded_to(torch.tensor([-3.0, 1.6, 300.0]), torch.uint8)
        tensor([  0,   2, 255], dtype=torch.uint8)
    """
    if dtype.is_floating_point:
        return values.to(dtype)
    if dtype == torch.bool:
        return values.round().to(dtype)
    limits = torch.iinfo(dtype)
    return values.round().clamp(limits.min, limits.max).to(dtype)
