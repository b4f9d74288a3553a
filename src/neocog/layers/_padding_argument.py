"""The `padding` and `cropping` arguments: how much on each side of each spatial axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neocog.core import check_int, check_ntuple
from neocog.exceptions import ArgumentError, message

Sides = tuple[tuple[int, int], ...]


def check_sides(where: str, name: str, value: Any, rank: int) -> Sides:
    """Return (before, after) for each axis from one number, one number an axis, or a pair an axis.

    For one axis, two numbers are its pair.
    """
    if not isinstance(value, Sequence) or isinstance(value, str):
        both = check_int(where, name, value, minimum=0)
        return ((both, both),) * rank
    if rank == 1 and len(value) == 2:
        return (_pair(where, name, value),)
    if (rank == 1 and len(value) == 1) or (rank > 1 and len(value) == rank):
        return tuple(_pair(where, name, item) for item in value)
    raise ArgumentError(
        message(
            where,
            expected=f"{name} as one number, or {rank if rank > 1 else 2} numbers"
            + (" or pairs of numbers" if rank > 1 else ""),
            got=repr(value),
        )
    )


def _pair(where: str, name: str, value: Any) -> tuple[int, int]:
    before, after = check_ntuple(where, name, value, 2, minimum=0)
    return before, after
