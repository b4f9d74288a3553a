"""What an optimizer hands out: learning rate and step count as numbers, slots as tensors of Keras's kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from neocog.core import to_tensor
from neocog.exceptions import ShapeError, message


class _Settable(Protocol):
    learning_rate: Any


class LearningRate(float):
    """The learning rate at the moment it was read: a float that can set its optimizer's (`assign`)."""

    _optimizer: _Settable

    def __new__(cls, value: float, optimizer: _Settable) -> LearningRate:
        """Make the number `value`, tied to `optimizer`."""
        self = super().__new__(cls, value)
        self._optimizer = optimizer
        return self

    def assign(self, value: Any) -> LearningRate:
        """Set the optimizer's rate and return it."""
        self._optimizer.learning_rate = value
        return self._optimizer.learning_rate  # type: ignore[no-any-return]

    def numpy(self) -> np.float32:
        """Return the rate as NumPy's float32."""
        return np.float32(self)

    def item(self) -> float:
        """Return the rate as a plain float."""
        return float(self)

    @property
    def value(self) -> float:
        """The rate as a plain float."""
        return float(self)

    def __reduce__(self) -> Any:
        return float, (float(self),)


class StepCount(int):
    """A number of steps, with the verbs of Keras's variable."""

    def numpy(self) -> np.int64:
        """Return the count as NumPy's int64."""
        return np.int64(self)

    def item(self) -> int:
        """Return the count as a plain int."""
        return int(self)

    @property
    def value(self) -> int:
        """The count as a plain int."""
        return int(self)

    def __reduce__(self) -> Any:
        return int, (int(self),)


class OptimizerVariable(torch.Tensor):
    """A tensor that an optimizer's rule reads and writes, with Keras's `assign`, `numpy` and `path`.

    Operations on it give plain tensors.
    """

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    path: str
    position: int | None
    on_assign: Callable[[torch.Tensor], None] | None

    @classmethod
    def over(
        cls,
        tensor: torch.Tensor,
        path: str,
        position: int | None = None,
        on_assign: Callable[[torch.Tensor], None] | None = None,
    ) -> OptimizerVariable:
        """Return a view of `tensor`: writing to one writes to both.

        Args:
            tensor: holds the values.
            path: its name.
            position: index of the model variable that it stands for.
            on_assign: called with the new values after each assignment.
        """
        view: OptimizerVariable = tensor.detach().as_subclass(cls)
        view.path, view.position, view.on_assign = path, position, on_assign
        return view

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def value(self) -> torch.Tensor:
        """The tensor itself."""
        return self

    def assign(self, value: Any) -> OptimizerVariable:
        """Overwrite the values; the shape must be the same."""
        new = to_tensor(getattr(value, "value", value) if not isinstance(value, torch.Tensor) else value)
        if tuple(new.shape) != tuple(self.shape):
            raise ShapeError(
                message(
                    f'optimizer variable "{self.path}"',
                    expected=f"values of shape {tuple(self.shape)}",
                    got=tuple(new.shape),
                )
            )
        with torch.no_grad():
            self.copy_(new)
        if self.on_assign is not None:
            self.on_assign(self)
        return self

    def assign_add(self, value: Any) -> OptimizerVariable:
        """Add to the values in place."""
        return self.assign(self + to_tensor(value, device=self.device))

    def assign_sub(self, value: Any) -> OptimizerVariable:
        """Subtract from the values in place."""
        return self.assign(self - to_tensor(value, device=self.device))

    def numpy(self, *, force: bool = True) -> Any:
        """Return a copy of the values as a NumPy array."""
        values = self.detach().cpu()
        if values.dtype == torch.bfloat16:
            values = values.float()
        return torch.Tensor.numpy(values.contiguous().as_subclass(torch.Tensor)).copy()


@dataclass(frozen=True)
class Layout:
    """How a weight that torch stores looks in Keras's layout: a permutation, then a shape.

    Attributes:
        axes: permutation, or None.
        shape: shape after the permutation, or None.
    """

    axes: tuple[int, ...] | None = None
    shape: tuple[int, ...] | None = None

    @classmethod
    def of(cls, reference: Any) -> Layout:
        """Return the layout of a weight as the layers describe it; a plain parameter's is torch's own."""
        spec = getattr(reference, "spec", None)
        shape = getattr(spec, "reshape", None)
        return cls(getattr(spec, "axes", None), None if shape is None else tuple(shape))

    def view(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return `tensor`, stored as torch does, in Keras's layout, without a copy where strides allow."""
        if self.axes is not None:
            tensor = tensor.permute(self.axes)
        return tensor if self.shape is None else tensor.reshape(self.shape)


def parameter_of(variable: Any) -> torch.Tensor:
    """Return the torch tensor behind a parameter, or behind an object whose `value` is one."""
    if isinstance(variable, torch.Tensor):
        return variable
    value = getattr(variable, "value", None)
    if not isinstance(value, torch.Tensor):
        raise ShapeError(
            message("optimizer", expected="parameters, or objects whose value is one", got=repr(variable))
        )
    return value
