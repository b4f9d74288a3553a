"""Arguments that the augmentations share: factors and their bounds, ranges of values."""

from __future__ import annotations

import numbers
from typing import Any

import torch

from neocog.core import check_number
from neocog.exceptions import ArgumentError, ArgumentTypeError, message

Range = tuple[float, float]


def factor_bounds(
    where: str, name: str, value: Any, *, minimum: float = -1.0, maximum: float = 1.0
) -> tuple[float, float]:
    """Return the bounds that a factor stands for: `(low, high)`, or `(-f, f)` for a number, cut at `minimum`.

    Raises:
        ArgumentError: a bound is outside `minimum` … `maximum`.
    """
    if isinstance(value, (list, tuple)):
        if len(value) != 2:
            raise ArgumentError(
                message(where, expected=f"{name} as a number or (low, high)", got=repr(value))
            )
        low, high = sorted(
            check_number(where, name, item, minimum=minimum, maximum=maximum) for item in value
        )
        return low, high
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ArgumentTypeError(
            message(where, expected=f"{name} as a number or (low, high)", got=repr(value))
        )
    size = abs(check_number(where, name, value, minimum=minimum, maximum=maximum))
    return max(-size, minimum), size


def share_bounds(where: str, name: str, value: Any) -> Range:
    """Return the bounds that a share from 0 to 1 stands for: `(low, high)`, or `(0, f)` for a number."""
    return factor_bounds(where, name, value, minimum=0.0)


def checked_range(where: str, value: Any) -> tuple[float, float]:
    """Return `value_range` as two numbers."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise ArgumentError(message(where, expected="value_range such as (0, 255)", got=repr(value)))
    low, high = (check_number(where, "value_range", item) for item in value)
    return low, high


def sorted_range(where: str, value: Any) -> list[float]:
    """Return `value_range` as two numbers, the smaller first: a list, as Keras keeps it."""
    return sorted(checked_range(where, value))


def rescale(images: torch.Tensor, old: Any, new: Any) -> torch.Tensor:
    """Return values moved from one range to another, in Keras's order of operations."""
    if tuple(old) == tuple(new):
        return images
    low, high = old
    outputs: torch.Tensor = (images - low) / (high - low) * (new[1] - new[0]) + new[0]
    return outputs
