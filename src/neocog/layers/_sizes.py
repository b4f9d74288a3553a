"""Sizes and axes that a layer must know before it can make its weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neocog.exceptions import ArgumentError, ShapeError, message


def known_size(where: str, shape: Sequence[int | None], axis: int) -> int:
    """Return the size of one axis; it must be known, because a weight depends on it.

    Raises:
        ShapeError: the size is None, or there is no such axis.
    """
    size = shape[checked_axis(where, axis, len(shape))]
    if size is None:
        raise ShapeError(
            message(
                where,
                expected=f"a known size on axis {axis}, because its weights depend on it",
                got=tuple(shape),
                do="Give the size in Input, or in input_shape.",
            )
        )
    return int(size)


def checked_axis(where: str, axis: int, rank: int) -> int:
    """Return `axis` counted from the front.

    Raises:
        ArgumentError: inputs of this rank have no such axis.
    """
    if not -rank <= axis < rank:
        raise ArgumentError(
            message(where, expected=f"axis from {-rank} to {rank - 1} for inputs with {rank} axes", got=axis)
        )
    return axis % rank


def check_axes_exist(where: str, axes: Any, shape: Sequence[int | None]) -> None:
    """Raise ArgumentError where inputs of this shape have none of the given axes (one, or several)."""
    for axis in axes if isinstance(axes, (list, tuple)) else [axes]:
        checked_axis(where, axis, len(shape))
