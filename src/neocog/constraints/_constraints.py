"""Limits on weights: what a weight is moved to after each update."""

from __future__ import annotations

from typing import Any, Self

import torch

from neocog.core import Registry, check_number, epsilon

CONSTRAINTS: Registry[Any] = Registry("constraint")

Axes = int | list[int] | tuple[int, ...]


class Constraint:
    """Base of all constraints: called on a weight in Keras's layout, it returns the weight to use instead.

    Example:
        >>> class Halved(Constraint):
        ...     def __call__(self, w):
        ...         return w / 2
        >>> Halved()(torch.tensor([4.0]))
        tensor([2.])
    """

    def __call__(self, w: torch.Tensor) -> torch.Tensor:
        """Return the constrained weight."""
        return w

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; subclasses with arguments override it."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the constraint that `get_config` described."""
        return cls(**config)


def _norms(w: torch.Tensor, axis: Axes) -> torch.Tensor:
    return torch.sqrt(torch.sum(torch.square(w), dim=axis, keepdim=True))


@CONSTRAINTS.register("max_norm")
class MaxNorm(Constraint):
    """Scale vectors longer than `max_value` down to it.

    Args:
        max_value: largest length; default 2.
        axis: axes along which the vectors lie; default 0: the inputs of each unit of a Dense kernel
            (for a Conv2D kernel take [0, 1, 2]).

    Example:
        >>> MaxNorm(1)(torch.tensor([[3.0], [4.0]]))
        tensor([[0.6000],
                [0.8000]])

    Reference:
        Srivastava et al., Dropout, 2014.
    """

    def __init__(self, max_value: float = 2, axis: Axes = 0) -> None:
        check_number("MaxNorm", "max_value", max_value, minimum=0.0)
        self.max_value = max_value
        self.axis = tuple(axis) if isinstance(axis, list) else axis

    def __call__(self, w: torch.Tensor) -> torch.Tensor:
        """Return the constrained weight."""
        norms = _norms(w, self.axis)
        return w * (torch.clamp(norms, 0.0, self.max_value) / (epsilon() + norms))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"max_value": self.max_value, "axis": self.axis}


@CONSTRAINTS.register("non_neg")
class NonNeg(Constraint):
    """Set negative weights to 0.

    Example:
        >>> NonNeg()(torch.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """

    def __call__(self, w: torch.Tensor) -> torch.Tensor:
        """Return the constrained weight."""
        return torch.clamp(w, min=0.0)


@CONSTRAINTS.register("unit_norm")
class UnitNorm(Constraint):
    """Scale vectors to length 1.

    Args:
        axis: axes along which the vectors lie; default 0: the inputs of each unit of a Dense kernel
            (for a Conv2D kernel take [0, 1, 2]).

    Example:
        >>> UnitNorm()(torch.tensor([[3.0], [4.0]]))
        tensor([[0.6000],
                [0.8000]])
    """

    def __init__(self, axis: Axes = 0) -> None:
        self.axis = tuple(axis) if isinstance(axis, list) else axis

    def __call__(self, w: torch.Tensor) -> torch.Tensor:
        """Return the constrained weight."""
        return w / (epsilon() + _norms(w, self.axis))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"axis": self.axis}


@CONSTRAINTS.register("min_max_norm")
class MinMaxNorm(Constraint):
    """Move the length n of vectors towards [min_value, max_value]: n ← rate · clip(n) + (1 - rate) · n.

    Args:
        min_value: smallest length; default 0.
        max_value: largest length; default 1.
        rate: how far the length moves at once, in [0, 1]; default 1, all the way.
        axis: axes along which the vectors lie; default 0: the inputs of each unit of a Dense kernel
            (for a Conv2D kernel take [0, 1, 2]).

    Example:
        >>> MinMaxNorm(max_value=2.5)(torch.tensor([[3.0], [4.0]]))
        tensor([[1.5000],
                [2.0000]])
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axes = 0
    ) -> None:
        check_number("MinMaxNorm", "min_value", min_value, minimum=0.0)
        check_number("MinMaxNorm", "max_value", max_value, minimum=min_value)
        check_number("MinMaxNorm", "rate", rate, minimum=0.0, maximum=1.0)
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = tuple(axis) if isinstance(axis, list) else axis

    def __call__(self, w: torch.Tensor) -> torch.Tensor:
        """Return the constrained weight."""
        norms = _norms(w, self.axis)
        clipped = torch.clamp(norms, self.min_value, self.max_value)
        wanted = self.rate * clipped + (1.0 - self.rate) * norms
        return w * (wanted / (epsilon() + norms))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }
