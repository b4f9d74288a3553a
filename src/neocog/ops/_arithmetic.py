"""Arithmetic on two tensors, broadcast together."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import result_type, torch_dtype
from neocog.exceptions import ArgumentTypeError, message
from neocog.ops._op import op, together
from neocog.ops._types import float_pair, integers_for_bools, promoted


@op("keras.src.ops.numpy>Add", call="x1 x2")
def add(x1: Any, x2: Any) -> torch.Tensor:
    """Return x1 + x2.

    Example:
        >>> add([1, 2], 0.5).tolist()
        [1.5, 2.5]
    """
    return torch.add(*together(x1, x2))


@op("keras.src.ops.numpy>Subtract", call="x1 x2")
def subtract(x1: Any, x2: Any) -> torch.Tensor:
    """Return x1 - x2."""
    x1, x2 = together(x1, x2)
    if torch.bool in (x1.dtype, x2.dtype):
        x1, x2 = (
            x1.to(torch.promote_types(x1.dtype, x2.dtype)),
            x2.to(torch.promote_types(x1.dtype, x2.dtype)),
        )
    return torch.subtract(x1, x2)


@op("keras.src.ops.numpy>Multiply", call="x1 x2")
def multiply(x1: Any, x2: Any) -> torch.Tensor:
    """Return x1 * x2."""
    return torch.multiply(*together(x1, x2))


@op("keras.src.ops.numpy>Divide", call="x1 x2")
def divide(x1: Any, x2: Any) -> torch.Tensor:
    """Return x1 / x2, a float for integers, too."""
    return torch.divide(*together(x1, x2))


@op("keras.src.ops.numpy>TrueDivide", call="x1 x2")
def true_divide(x1: Any, x2: Any) -> torch.Tensor:
    """Return x1 / x2, a float for integers, too."""
    return torch.divide(*together(x1, x2))


@op("keras.src.ops.numpy>DivideNoNan", call="x1 x2")
def divide_no_nan(x1: Any, x2: Any) -> torch.Tensor:
    """Return x1 / x2, and 0 where x2 is 0."""
    x1, x2 = promoted(x1, x2, float)
    none = x2 == 0
    return torch.where(none, 0, x1 / torch.where(none, 1, x2))


@op("keras.src.ops.numpy>FloorDivide", call="x1 x2")
def floor_divide(x1: Any, x2: Any) -> torch.Tensor:
    """Return x1 / x2 rounded down."""
    return torch.floor_divide(*promoted(x1, x2))


@op("keras.src.ops.numpy>Mod", call="x1 x2")
def mod(x1: Any, x2: Any) -> torch.Tensor:
    """Return the remainder of x1 / x2, with the sign of x2."""
    return torch.remainder(*integers_for_bools(x1, x2))


@op("keras.src.ops.numpy>Fmod", call="x1 x2")
def fmod(x1: Any, x2: Any) -> torch.Tensor:
    """Return the remainder of x1 / x2, with the sign of x1."""
    return torch.fmod(*integers_for_bools(x1, x2))


@op("keras.src.ops.numpy>Power", call="x1 x2")
def power(x1: Any, x2: Any) -> torch.Tensor:
    """Return x1 to the power of x2."""
    return torch.pow(*together(x1, x2))


@op("keras.src.ops.numpy>Maximum", call="x1 x2")
def maximum(x1: Any, x2: Any) -> torch.Tensor:
    """Return the larger of each two numbers; NaN where one is NaN."""
    return torch.maximum(*promoted(x1, x2))


@op("keras.src.ops.numpy>Minimum", call="x1 x2")
def minimum(x1: Any, x2: Any) -> torch.Tensor:
    """Return the smaller of each two numbers; NaN where one is NaN."""
    return torch.minimum(*promoted(x1, x2))


@op("keras.src.ops.numpy>Fmax", call="x1 x2")
def fmax(x1: Any, x2: Any) -> torch.Tensor:
    """Return the larger of each two numbers; the other one where one is NaN."""
    return torch.fmax(*promoted(x1, x2))


@op("keras.src.ops.numpy>Fmin", call="x1 x2")
def fmin(x1: Any, x2: Any) -> torch.Tensor:
    """Return the smaller of each two numbers; the other one where one is NaN."""
    return torch.fmin(*promoted(x1, x2))


@op("keras.src.ops.numpy>Logaddexp", call="x1 x2")
def logaddexp(x1: Any, x2: Any) -> torch.Tensor:
    """Return log(exp(x1) + exp(x2)) without overflow."""
    return torch.logaddexp(*promoted(x1, x2, float))


@op("keras.src.ops.numpy>Logaddexp2", call="x1 x2")
def logaddexp2(x1: Any, x2: Any) -> torch.Tensor:
    """Return log2(2^x1 + 2^x2) without overflow."""
    return torch.logaddexp2(*promoted(x1, x2, float))


@op("keras.src.ops.numpy>Heaviside", call="x1 x2")
def heaviside(x1: Any, x2: Any) -> torch.Tensor:
    """Return 0 where x1 is negative, 1 where it is positive, and x2 where it is 0."""
    return torch.heaviside(*float_pair(x1, x2))


@op("keras.src.ops.numpy>Gcd", call="x1 x2")
def gcd(x1: Any, x2: Any) -> torch.Tensor:
    """Return the greatest common divisors of integers."""
    return torch.gcd(*together(x1, x2))


@op("keras.src.ops.numpy>Lcm", call="x1 x2")
def lcm(x1: Any, x2: Any) -> torch.Tensor:
    """Return the least common multiples of integers."""
    return torch.lcm(*together(x1, x2))


@op("keras.src.ops.numpy>Ldexp", call="x1 x2")
def ldexp(x1: Any, x2: Any) -> torch.Tensor:
    """Return x1 * 2^x2 for integers x2."""
    x1, x2 = together(x1, x2)
    if x2.is_floating_point() or x2.dtype is torch.bool:
        got = str(x2.dtype).removeprefix("torch.")
        raise ArgumentTypeError(message("ops.ldexp", expected="integers as exponents x2", got=got))
    return torch.ldexp(x1, x2).to(torch_dtype(result_type(x1.dtype, x2.dtype, float)))


@op("keras.src.ops.numpy>Nextafter", call="x1 x2")
def nextafter(x1: Any, x2: Any) -> torch.Tensor:
    """Return the double after x1 in the direction of x2, in the type of the result."""
    x1, x2 = together(x1, x2)
    dtype = torch_dtype(result_type(x1.dtype, x2.dtype, float))
    return torch.nextafter(x1.to(torch.float64), x2.to(torch.float64)).to(dtype)
