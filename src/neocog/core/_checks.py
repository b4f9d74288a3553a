"""Argument checks, declared once and worded alike."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from neocog._old_spellings import warn_old
from neocog.exceptions import ArgumentError, ArgumentTypeError, message, nearest


def check_int(where: str, name: str, value: Any, *, minimum: int | None = None) -> int:
    """Return `value` as int; it must be a whole number of at least `minimum`."""
    bound = "" if minimum is None else f" of {minimum} or more"
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        else:
            raise ArgumentTypeError(
                message(where, expected=f"{name} to be a whole number{bound}", got=repr(value))
            )
    if minimum is not None and value < minimum:
        raise ArgumentError(message(where, expected=f"{name} to be a whole number{bound}", got=repr(value)))
    return int(value)


def check_number(
    where: str, name: str, value: Any, *, minimum: float | None = None, maximum: float | None = None
) -> float:
    """Return `value` as float; it must lie between `minimum` and `maximum`, both included."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ArgumentTypeError(message(where, expected=f"{name} to be a number", got=repr(value)))
    low = -math.inf if minimum is None else minimum
    high = math.inf if maximum is None else maximum
    number: Any = value  # mypy's numbers.Real has no order
    if not low <= number <= high:
        bounds = f"[{low:.12g}, {high:.12g}]"
        raise ArgumentError(message(where, expected=f"{name} in {bounds}", got=repr(value)))
    try:
        return float(value)
    except OverflowError as error:
        raise ArgumentError(
            message(where, expected=f"{name} that a float can hold", got="a number above 1.8e308")
        ) from error


def check_one_of(where: str, name: str, value: Any, options: Sequence[Any]) -> Any:
    """Return `value`, which must be one of `options`; strings compare without case and come back in lower
    case.
    """
    candidate = value.lower() if isinstance(value, str) else value
    try:
        known = candidate in options
    except (ValueError, RuntimeError):  # an array compares element by element
        known = False
    if not known:
        close = nearest(value, [o for o in options if isinstance(o, str)]) if isinstance(value, str) else []
        hint = f"Did you mean {close[0]!r}?" if close else ""
        raise ArgumentError(
            message(where, expected=f"{name} to be one of {tuple(options)}", got=repr(value), do=hint)
        )
    if name == "padding" and candidate != value:  # Keras itself writes some others in capitals
        warn_old(where, f"{name}={value!r}", repr(candidate))
    return candidate


def check_ntuple(where: str, name: str, value: Any, rank: int, *, minimum: int = 1) -> tuple[int, ...]:
    """Return `value` as `rank` whole numbers; a single number is repeated."""
    no_order = isinstance(value, (str, bytes, Mapping, Set)) or getattr(value, "ndim", 1) == 0
    if isinstance(value, Iterable) and not no_order:
        items = tuple(value)
        if len(items) != rank:
            raise ArgumentError(message(where, expected=f"{name} with 1 or {rank} numbers", got=repr(value)))
    else:
        items = (value,) * rank
    return tuple(check_int(where, name, item, minimum=minimum) for item in items)
