"""Comparisons, truth values, bits."""

from __future__ import annotations

from typing import Any

import torch

from neocog.ops._op import as_tensor, op, together
from neocog.ops._types import integers_for_bools, promoted


def _close(x1: Any, x2: Any, rtol: float, atol: float, equal_nan: bool) -> torch.Tensor:
    x1, x2 = together(x1, x2)
    x1, x2 = promoted(x1, x2)
    if x1.is_floating_point():
        return torch.isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan)
    return torch.eq(x1, x2)


@op("keras.src.ops.numpy>Equal", call="x1 x2")
def equal(x1: Any, x2: Any) -> torch.Tensor:
    """Return where x1 = x2."""
    return torch.eq(*together(x1, x2))


@op("keras.src.ops.numpy>NotEqual", call="x1 x2")
def not_equal(x1: Any, x2: Any) -> torch.Tensor:
    """Return where x1 differs from x2."""
    return torch.ne(*together(x1, x2))


@op("keras.src.ops.numpy>Greater", call="x1 x2")
def greater(x1: Any, x2: Any) -> torch.Tensor:
    """Return where x1 > x2."""
    return torch.gt(*together(x1, x2))


@op("keras.src.ops.numpy>GreaterEqual", call="x1 x2")
def greater_equal(x1: Any, x2: Any) -> torch.Tensor:
    """Return where x1 >= x2."""
    return torch.ge(*together(x1, x2))


@op("keras.src.ops.numpy>Less", call="x1 x2")
def less(x1: Any, x2: Any) -> torch.Tensor:
    """Return where x1 < x2."""
    return torch.lt(*together(x1, x2))


@op("keras.src.ops.numpy>LessEqual", call="x1 x2")
def less_equal(x1: Any, x2: Any) -> torch.Tensor:
    """Return where x1 <= x2."""
    return torch.le(*together(x1, x2))


@op("keras.src.ops.numpy>LogicalAnd", call="x1 x2")
def logical_and(x1: Any, x2: Any) -> torch.Tensor:
    """Return where both are true (not 0)."""
    return torch.logical_and(*together(x1, x2))


@op("keras.src.ops.numpy>LogicalOr", call="x1 x2")
def logical_or(x1: Any, x2: Any) -> torch.Tensor:
    """Return where one or both are true (not 0)."""
    return torch.logical_or(*together(x1, x2))


@op("keras.src.ops.numpy>LogicalXor", call="x1 x2")
def logical_xor(x1: Any, x2: Any) -> torch.Tensor:
    """Return where exactly one is true (not 0)."""
    return torch.logical_xor(*together(x1, x2))


@op("keras.src.ops.numpy>LogicalNot")
def logical_not(x: Any) -> torch.Tensor:
    """Return where `x` is false (0)."""
    return torch.logical_not(as_tensor(x))


@op("keras.src.ops.numpy>Isfinite")
def isfinite(x: Any) -> torch.Tensor:
    """Return where `x` is neither infinite nor NaN."""
    return torch.isfinite(as_tensor(x))


@op("keras.src.ops.numpy>Isinf")
def isinf(x: Any) -> torch.Tensor:
    """Return where `x` is infinite."""
    return torch.isinf(as_tensor(x))


@op("keras.src.ops.numpy>Isnan")
def isnan(x: Any) -> torch.Tensor:
    """Return where `x` is NaN."""
    return torch.isnan(as_tensor(x))


@op("keras.src.ops.numpy>Isneginf")
def isneginf(x: Any) -> torch.Tensor:
    """Return where `x` is minus infinity."""
    return torch.isneginf(as_tensor(x))


@op("keras.src.ops.numpy>Isposinf")
def isposinf(x: Any) -> torch.Tensor:
    """Return where `x` is plus infinity."""
    return torch.isposinf(as_tensor(x))


@op("keras.src.ops.numpy>Isreal")
def isreal(x: Any) -> torch.Tensor:
    """Return where the imaginary part is 0."""
    return torch.isreal(as_tensor(x))


@op("keras.src.ops.numpy>Isclose", call="x1 x2 rtol atol")
def isclose(
    x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> torch.Tensor:
    """Return where |x1 - x2| <= atol + rtol |x2|; integers must be equal."""
    return _close(x1, x2, rtol, atol, equal_nan)


@op("keras.src.ops.numpy>AllClose", call="x1 x2")
def allclose(
    x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> torch.Tensor:
    """Return whether |x1 - x2| <= atol + rtol |x2| everywhere; integers must be equal."""
    return torch.all(_close(x1, x2, rtol, atol, equal_nan))


@op("keras.src.ops.numpy>IsIn", call="x1 x2")
def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> torch.Tensor:
    """Return where numbers of x1 are among those of x2 (with `invert`, where they are not)."""
    x1, x2 = integers_for_bools(x1, x2)
    dtype = torch.promote_types(x1.dtype, x2.dtype)
    return torch.isin(x1.to(dtype), x2.to(dtype), assume_unique=assume_unique, invert=invert)


@op("keras.src.ops.numpy>BitwiseAnd", call="x y")
def bitwise_and(x: Any, y: Any) -> torch.Tensor:
    """Return the bits set in both."""
    return torch.bitwise_and(*together(x, y))


@op("keras.src.ops.numpy>BitwiseOr", call="x y")
def bitwise_or(x: Any, y: Any) -> torch.Tensor:
    """Return the bits set in one or both."""
    return torch.bitwise_or(*together(x, y))


@op("keras.src.ops.numpy>BitwiseXor", call="x y")
def bitwise_xor(x: Any, y: Any) -> torch.Tensor:
    """Return the bits set in exactly one."""
    return torch.bitwise_xor(*together(x, y))


@op("keras.src.ops.numpy>BitwiseLeftShift", call="x y")
def bitwise_left_shift(x: Any, y: Any) -> torch.Tensor:
    """Return x * 2^y: the bits moved y places up."""
    return torch.bitwise_left_shift(*together(x, y))


@op("keras.src.ops.numpy>LeftShift", call="x y")
def left_shift(x: Any, y: Any) -> torch.Tensor:
    """Return x * 2^y: the bits moved y places up."""
    return torch.bitwise_left_shift(*together(x, y))


@op("keras.src.ops.numpy>BitwiseRightShift", call="x y")
def bitwise_right_shift(x: Any, y: Any) -> torch.Tensor:
    """Return x / 2^y rounded down: the bits moved y places down."""
    return torch.bitwise_right_shift(*together(x, y))


@op("keras.src.ops.numpy>RightShift", call="x y")
def right_shift(x: Any, y: Any) -> torch.Tensor:
    """Return x / 2^y rounded down: the bits moved y places down."""
    return torch.bitwise_right_shift(*together(x, y))


@op("keras.src.ops.numpy>BitwiseInvert")
def bitwise_invert(x: Any) -> torch.Tensor:
    """Return `x` with all bits flipped."""
    return torch.bitwise_not(as_tensor(x))


@op("keras.src.ops.numpy>BitwiseNot")
def bitwise_not(x: Any) -> torch.Tensor:
    """Return `x` with all bits flipped."""
    return torch.bitwise_not(as_tensor(x))
