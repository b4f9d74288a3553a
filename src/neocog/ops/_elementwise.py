"""Functions of one number, for each number of a tensor."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import floatx, result_type, torch_dtype
from neocog.ops._op import as_tensor, op, together
from neocog.ops._types import complex_tensor, floats, wide_floats


def _in_result_type(x: Any) -> torch.Tensor:
    x = as_tensor(x)
    return x.to(torch_dtype(floatx() if x.dtype is torch.int64 else result_type(x.dtype, float)))  # type: ignore[no-any-return]


def _magnitude(x: Any) -> torch.Tensor:
    x = as_tensor(x)
    return x if x.dtype is torch.bool else torch.abs(x)


@op("keras.src.ops.numpy>Absolute")
def absolute(x: Any) -> torch.Tensor:
    """Return the absolute values."""
    return _magnitude(x)


@op("keras.src.ops.numpy>Abs")
def abs(x: Any) -> torch.Tensor:
    """Return the absolute values."""
    return _magnitude(x)


@op("keras.src.ops.numpy>Fabs")
def fabs(x: Any) -> torch.Tensor:
    """Return the absolute values as floats."""
    return torch.abs(floats(x))


@op("keras.src.ops.numpy>Cbrt")
def cbrt(x: Any) -> torch.Tensor:
    """Return the cube roots, negative ones for negative numbers."""
    x = wide_floats(x)
    return torch.sign(x) * torch.abs(x) ** (1.0 / 3.0)


@op("keras.src.ops.numpy>Ceil")
def ceil(x: Any) -> torch.Tensor:
    """Return the smallest integers that are not below `x`, as floats."""
    return torch.ceil(_in_result_type(x))


@op("keras.src.ops.numpy>Clip")
def clip(x: Any, x_min: Any, x_max: Any) -> torch.Tensor:
    """Return `x` with values below `x_min` and above `x_max` replaced by these.

    Example:
        >>> clip([-1.0, 0.5, 2.0], 0.0, 1.0).tolist()
        [0.0, 0.5, 1.0]
    """
    x, x_min, x_max = together(x, x_min, x_max)
    if x.dtype is torch.bool:
        x = x.to(torch.int32)
    return torch.clip(x, min=x_min, max=x_max)


@op("keras.src.ops.numpy>Conj")
def conj(x: Any) -> torch.Tensor:
    """Return the complex conjugates."""
    return torch.conj(complex_tensor(x)).resolve_conj()


@op("keras.src.ops.numpy>Conjugate")
def conjugate(x: Any) -> torch.Tensor:
    """Return the complex conjugates."""
    return torch.conj(complex_tensor(x)).resolve_conj()


@op("keras.src.ops.numpy>Exp")
def exp(x: Any) -> torch.Tensor:
    """Return e to the power of `x`."""
    return torch.exp(floats(x))


@op("keras.src.ops.numpy>Exp2")
def exp2(x: Any) -> torch.Tensor:
    """Return 2 to the power of `x`."""
    return torch.exp2(floats(x))


@op("keras.src.ops.numpy>Expm1")
def expm1(x: Any) -> torch.Tensor:
    """Return e^x - 1, exact for small `x`."""
    return torch.expm1(floats(x))


@op("keras.src.ops.numpy>Floor")
def floor(x: Any) -> torch.Tensor:
    """Return the largest integers that are not above `x`, as floats."""
    return torch.floor(_in_result_type(x))


@op("keras.src.ops.numpy>I0")
def i0(x: Any) -> torch.Tensor:
    """Return the modified Bessel function of the first kind, order 0."""
    return torch.i0(wide_floats(x))


@op("keras.src.ops.numpy>Imag")
def imag(x: Any) -> torch.Tensor:
    """Return the imaginary parts of complex numbers."""
    return torch.imag(complex_tensor(x))


@op("keras.src.ops.numpy>Real")
def real(x: Any) -> torch.Tensor:
    """Return the real parts."""
    return torch.real(complex_tensor(x))


@op("keras.src.ops.numpy>Log")
def log(x: Any) -> torch.Tensor:
    """Return the natural logarithms."""
    return torch.log(as_tensor(x))


@op("keras.src.ops.numpy>Log10")
def log10(x: Any) -> torch.Tensor:
    """Return the logarithms to base 10."""
    return torch.log10(as_tensor(x))


@op("keras.src.ops.numpy>Log1p")
def log1p(x: Any) -> torch.Tensor:
    """Return log(1 + x), exact for small `x`."""
    return torch.log1p(as_tensor(x))


@op("keras.src.ops.numpy>Log2")
def log2(x: Any) -> torch.Tensor:
    """Return the logarithms to base 2."""
    return torch.log2(as_tensor(x))


@op("keras.src.ops.numpy>NanToNum")
def nan_to_num(x: Any, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> torch.Tensor:
    """Return `x` with NaN and infinities replaced; None stands for the type's largest and smallest number."""
    return torch.nan_to_num(as_tensor(x), nan=nan, posinf=posinf, neginf=neginf)


@op("keras.src.ops.numpy>Negative")
def negative(x: Any) -> torch.Tensor:
    """Return -x."""
    return torch.negative(as_tensor(x))


@op("keras.src.ops.numpy>Reciprocal")
def reciprocal(x: Any) -> torch.Tensor:
    """Return 1 / x."""
    return torch.reciprocal(as_tensor(x))


@op("keras.src.ops.numpy>Round")
def round(x: Any, decimals: int = 0) -> torch.Tensor:
    """Return `x` rounded to `decimals`, halves to the even neighbour."""
    x = as_tensor(x)
    if x.is_floating_point():
        return torch.round(x, decimals=decimals)
    if x.dtype is torch.bool or decimals >= 0:
        return torch.round(x)
    return torch.round(x.to(torch_dtype(None)), decimals=decimals).to(x.dtype)


@op("keras.src.ops.numpy>Sign")
def sign(x: Any) -> torch.Tensor:
    """Return -1, 0 or 1 by the sign of `x`."""
    return torch.sign(as_tensor(x))


@op("keras.src.ops.numpy>Signbit")
def signbit(x: Any) -> torch.Tensor:
    """Return where the sign bit is set, -0.0 included."""
    return torch.signbit(as_tensor(x))


@op("keras.src.ops.numpy>Sqrt")
def sqrt(x: Any) -> torch.Tensor:
    """Return the square roots."""
    return torch.sqrt(floats(x))


@op("keras.src.ops.numpy>Square")
def square(x: Any) -> torch.Tensor:
    """Return x^2.

    Example:
        >>> square([1, 2, 3]).tolist()
        [1, 4, 9]
    """
    x = as_tensor(x)
    return torch.square(x.to(torch.int32) if x.dtype is torch.bool else x)


@op("keras.src.ops.numpy>Trunc")
def trunc(x: Any) -> torch.Tensor:
    """Return `x` without the digits after the point."""
    x = as_tensor(x)
    return x if x.dtype is torch.bool else torch.trunc(x)


@op("keras.src.ops.math>Erf")
def erf(x: Any) -> torch.Tensor:
    """Return the error function 2/sqrt(pi) times the integral of exp(-t^2) from 0 to `x`."""
    return torch.erf(as_tensor(x))


@op("keras.src.ops.math>Erfc")
def erfc(x: Any) -> torch.Tensor:
    """Return 1 - erf(x), exact for large `x`."""
    return torch.erfc(as_tensor(x))


@op("keras.src.ops.math>Erfinv")
def erfinv(x: Any) -> torch.Tensor:
    """Return the inverse of the error function."""
    return torch.erfinv(as_tensor(x))


@op("keras.src.ops.math>Rsqrt")
def rsqrt(x: Any) -> torch.Tensor:
    """Return 1 / sqrt(x)."""
    return torch.rsqrt(as_tensor(x))
