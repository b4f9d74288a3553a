"""Checks and scalar arithmetic that the rules share."""

from __future__ import annotations

from ctypes import c_float
from typing import Any

from neocog.core import check_number, epsilon
from neocog.exceptions import ArgumentError, message
from neocog.optimizers.schedules._base import plain_number


def check_fraction(where: str, name: str, value: Any) -> float:
    """Return a number in [0, 1]."""
    return check_number(where, name, plain_number(value), minimum=0.0, maximum=1.0)


def check_epsilon(where: str, value: Any, name: str = "epsilon") -> float:
    """Return the small constant, 0 or more; None stands for the default one, as in Keras 2."""
    return epsilon() if value is None else check_number(where, name, plain_number(value), minimum=0.0)


def check_positive(where: str, name: str, value: Any) -> float:
    """Return a number of 0 or more."""
    return check_number(where, name, plain_number(value), minimum=0.0)


def rounded(value: float, exact: bool) -> float:
    """Return `value`, rounded to float32 unless `exact`.

    Keras computes bias corrections in the type of the variables: 1 - 0.999 in float32 is 1.3e-5 off, which
    shows in a weight that started at zero.
    """
    return value if exact else c_float(value).value


def correction(beta: float, step: int, exact: bool) -> float:
    """Return 1 − beta ** step, with float32's rounding unless `exact`."""
    return rounded(1.0 - rounded(rounded(beta, exact) ** step, exact), exact)


def refuse(where: str, expected: str, got: Any) -> ArgumentError:
    """Return the error for a bad argument."""
    return ArgumentError(message(where, expected=expected, got=repr(got)))
