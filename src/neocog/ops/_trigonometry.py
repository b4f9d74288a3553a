"""Angles: circular and hyperbolic functions."""

from __future__ import annotations

from typing import Any

import torch

from neocog.ops._op import as_tensor, op
from neocog.ops._types import float_pair, promoted, wide_floats


@op("keras.src.ops.numpy>Arccos")
def arccos(x: Any) -> torch.Tensor:
    """Return the angle in [0, pi] whose cosine is `x`."""
    return torch.arccos(as_tensor(x))


@op("keras.src.ops.numpy>Arccosh")
def arccosh(x: Any) -> torch.Tensor:
    """Return the inverse hyperbolic cosine."""
    return torch.arccosh(as_tensor(x))


@op("keras.src.ops.numpy>Arcsin")
def arcsin(x: Any) -> torch.Tensor:
    """Return the angle in [-pi/2, pi/2] whose sine is `x`."""
    return torch.arcsin(as_tensor(x))


@op("keras.src.ops.numpy>Arcsinh")
def arcsinh(x: Any) -> torch.Tensor:
    """Return the inverse hyperbolic sine."""
    return torch.arcsinh(as_tensor(x))


@op("keras.src.ops.numpy>Arctan")
def arctan(x: Any) -> torch.Tensor:
    """Return the angle in (-pi/2, pi/2) whose tangent is `x`."""
    return torch.arctan(as_tensor(x))


@op("keras.src.ops.numpy>Arctanh")
def arctanh(x: Any) -> torch.Tensor:
    """Return the inverse hyperbolic tangent."""
    return torch.arctanh(as_tensor(x))


@op("keras.src.ops.numpy>Cos")
def cos(x: Any) -> torch.Tensor:
    """Return the cosine of angles in radians."""
    return torch.cos(as_tensor(x))


@op("keras.src.ops.numpy>Cosh")
def cosh(x: Any) -> torch.Tensor:
    """Return the hyperbolic cosine."""
    return torch.cosh(as_tensor(x))


@op("keras.src.ops.numpy>Sin")
def sin(x: Any) -> torch.Tensor:
    """Return the sine of angles in radians."""
    return torch.sin(as_tensor(x))


@op("keras.src.ops.numpy>Sinc")
def sinc(x: Any) -> torch.Tensor:
    """Return sin(pi x) / (pi x), which is 1 at 0."""
    return torch.sinc(as_tensor(x))


@op("keras.src.ops.numpy>Sinh")
def sinh(x: Any) -> torch.Tensor:
    """Return the hyperbolic sine."""
    return torch.sinh(as_tensor(x))


@op("keras.src.ops.numpy>Tan")
def tan(x: Any) -> torch.Tensor:
    """Return the tangent of angles in radians."""
    return torch.tan(as_tensor(x))


@op("keras.src.ops.numpy>Tanh")
def tanh(x: Any) -> torch.Tensor:
    """Return the hyperbolic tangent."""
    return torch.tanh(as_tensor(x))


@op("keras.src.ops.numpy>Angle")
def angle(x: Any) -> torch.Tensor:
    """Return the angle of complex numbers in radians; 0 or pi for real ones."""
    return torch.angle(as_tensor(x))


@op("keras.src.ops.numpy>Arctan2", call="x1 x2")
def arctan2(x1: Any, x2: Any) -> torch.Tensor:
    """Return the angle in [-pi, pi] of the point (`x2`, `x1`)."""
    return torch.arctan2(*promoted(x1, x2, float))


@op("keras.src.ops.numpy>Deg2rad")
def deg2rad(x: Any) -> torch.Tensor:
    """Return degrees as radians."""
    return torch.deg2rad(wide_floats(x))


@op("keras.src.ops.numpy>Rad2deg")
def rad2deg(x: Any) -> torch.Tensor:
    """Return radians as degrees."""
    return torch.rad2deg(wide_floats(x))


@op("keras.src.ops.numpy>Hypot", call="x1 x2")
def hypot(x1: Any, x2: Any) -> torch.Tensor:
    """Return the hypotenuse sqrt(x1^2 + x2^2)."""
    return torch.hypot(*float_pair(x1, x2))
