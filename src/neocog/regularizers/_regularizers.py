"""Penalties on weights: a scalar that is added to the loss."""

from __future__ import annotations

import math
import numbers
from typing import Any, Self

import torch

from neocog.core import Registry, check_one_of, epsilon
from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.functional import full_precision

REGULARIZERS: Registry[Any] = Registry("regularizer")


def _strength(where: str, name: str, value: Any) -> float:
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 0:
        raise ArgumentError(
            message(where, expected=f"{name} to be a finite number, 0 or more", got=repr(value))
        )
    return float(value)


class Regularizer:
    """Base of all regularizers: called on a weight in Keras's layout, it returns a scalar tensor.

    Example:
        >>> class Shift(Regularizer):
        ...     def __call__(self, x):
        ...         return torch.square(torch.sum(x))
        >>> Shift()(torch.ones(2))
        tensor(4.)
    """

    def __call__(self, x: torch.Tensor) -> Any:
        """Return the penalty of the weight `x`."""
        return 0.0

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; subclasses with arguments override it."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the regularizer that `get_config` described."""
        return cls(**config)


@REGULARIZERS.register("l1_l2", "l1l2")
class L1L2(Regularizer):
    """l1 · Σ|x| + l2 · Σx².

    Args:
        l1: weight of the absolute values, 0 or more; default 0.
        l2: weight of the squares, 0 or more; default 0.

    Raises:
        ArgumentError: a strength is negative, infinite or no number.

    Example:
        >>> L1L2(l1=0.5, l2=0.25)(torch.tensor([2.0, -2.0]))
        tensor(4.)
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1 = _strength("L1L2", "l1", 0.0 if l1 is None else l1)
        self.l2 = _strength("L1L2", "l2", 0.0 if l2 is None else l2)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return the penalty of the weight `x`."""
        penalty = torch.zeros((), dtype=x.dtype, device=x.device)
        if self.l1:
            penalty = penalty + self.l1 * torch.sum(torch.abs(x))
        if self.l2:
            penalty = penalty + self.l2 * torch.sum(torch.square(x))
        return penalty

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"l1": self.l1, "l2": self.l2}


@REGULARIZERS.register("l1")
class L1(Regularizer):
    """l1 · Σ|x|.

    Args:
        l1: strength, 0 or more; default 0.01.

    Raises:
        ArgumentError: the strength is negative, infinite or no number.

    Example:
        >>> L1(0.5)(torch.tensor([2.0, -2.0]))
        tensor(2.)
    """

    def __init__(self, l1: float | None = 0.01) -> None:
        self.l1 = _strength("L1", "l1", 0.01 if l1 is None else l1)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return the penalty of the weight `x`."""
        return self.l1 * torch.sum(torch.abs(x))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"l1": self.l1}


@REGULARIZERS.register("l2")
class L2(Regularizer):
    """l2 · Σx² (the gradient is 2 · l2 · x).

    Args:
        l2: strength, 0 or more; default 0.01.

    Raises:
        ArgumentError: the strength is negative, infinite or no number.

    Example:
        >>> L2(0.25)(torch.tensor([2.0, -2.0]))
        tensor(2.)
    """

    def __init__(self, l2: float | None = 0.01) -> None:
        self.l2 = _strength("L2", "l2", 0.01 if l2 is None else l2)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return the penalty of the weight `x`."""
        return self.l2 * torch.sum(torch.square(x))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"l2": self.l2}


@REGULARIZERS.register("orthogonal_regularizer")
class OrthogonalRegularizer(Regularizer):
    """factor · the mean over pairs of rows (or columns) of |cosine of their angle|.

    Args:
        factor: strength, 0 or more; default 0.01.
        mode: `"rows"` or `"columns"`; default `"rows"`.

    Shapes:
        x: a matrix, (rows, columns).

    Raises:
        ArgumentError: an argument has another value.
        ShapeError: the weight is no matrix.

    Example:
        >>> OrthogonalRegularizer(1.0)(torch.eye(2, 3))
        tensor(0.)
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _strength("OrthogonalRegularizer", "factor", factor)
        self.mode: str = check_one_of("OrthogonalRegularizer", "mode", mode, ("rows", "columns"))

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return the penalty of the matrix `x`."""
        if x.dim() != 2:
            raise ShapeError(
                message("OrthogonalRegularizer", expected="a matrix", got=f"shape {tuple(x.shape)}")
            )
        rows = x if self.mode == "rows" else x.t()
        lengths = torch.rsqrt(torch.sum(torch.square(rows), dim=1, keepdim=True))
        units = rows * torch.clamp(lengths, max=1.0 / epsilon())
        with full_precision(x):  # cosines in full precision
            cosines = torch.matmul(units, units.t())
        size = len(rows)
        apart = cosines * (1.0 - torch.eye(size, dtype=x.dtype, device=x.device))
        pairs = max(size * (size - 1.0) / 2.0, 1.0)
        return self.factor * 0.5 * torch.sum(torch.abs(apart)) / pairs

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"factor": self.factor, "mode": self.mode}
