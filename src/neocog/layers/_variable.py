"""Keras's `Variable`: a torch parameter with a name and Keras's verbs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import nn

from neocog import initializers
from neocog.core import auto_name, dtype_name, standardize_dtype, to_tensor, torch_dtype
from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.ops import convert_to_tensor


class Variable(nn.Parameter):
    """A tensor that keeps its place and changes its values: weights, counters, running statistics.

    It is an `nn.Parameter`: arithmetic gives plain tensors, and a layer or model that has it as an attribute
    counts it among its weights. Its `dtype` is torch's.

    Args:
        initializer: the first values, or an initializer, its name, or a function of shape and dtype.
        shape: shape; needed for an initializer.
        dtype: type; None for `floatx()` with an initializer, for that of the values otherwise.
        trainable: whether gradients are taken; whole numbers never take any.
        autocast: accepted for Keras's sake.
        aggregation: accepted for Keras's sake.
        synchronization: accepted for Keras's sake.
        name: name; made up when None.
        **kwargs: `requires_grad`, torch's word for `trainable`.

    Raises:
        ArgumentError: an initializer comes without a shape.

    Example:
        >>> count = Variable(0, trainable=False, dtype="int64")
        >>> count.assign_add(2).numpy()
        array(2)
        >>> Variable(initializer="zeros", shape=(3,)) + 1.0
        tensor([1., 1., 1.], grad_fn=<AddBackward0>)
    """

    _name: str | None = None
    _path: str | None = None
    wants_training = True

    def __new__(
        cls,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str = "none",
        synchronization: str = "auto",
        name: str | None = None,
        **kwargs: Any,
    ) -> Self:
        wanted = bool(kwargs.pop("requires_grad", trainable))
        for known in ("layout", "validate_shape"):
            kwargs.pop(known, None)
        if kwargs:
            raise ArgumentError(message("Variable", expected="Keras's arguments", got=sorted(kwargs)))
        values = _first_values(initializer, shape, dtype)
        self = super().__new__(cls, values, wanted and values.is_floating_point())
        self.wants_training = wanted
        self._name = name
        return self

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Nothing is left to do: `__new__` has made the tensor."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        copied = memo.get(id(self))
        if copied is None:
            copied = type(self)(self.detach().clone(memory_format=torch.preserve_format))
            copied.requires_grad_(self.requires_grad)
            copied._name, copied._path, copied.wants_training = self._name, self._path, self.wants_training
            memo[id(self)] = copied
        return copied

    def __reduce_ex__(self, proto: Any) -> Any:
        state = (self._name, self._path, self.wants_training)
        return _again, (self.detach(), self.requires_grad, state)

    @property
    def value(self) -> torch.Tensor:
        """The tensor itself (Keras's idiom `v.value.grad`)."""
        return self

    @property
    def name(self) -> str:
        """The name."""
        if self._name is None:
            self._name = auto_name("variable")
        return self._name

    @property
    def path(self) -> str:
        """The name, behind that of the layer where it is known."""
        return self._path or self.name

    @property
    def trainable(self) -> bool:
        """Whether gradients are taken for it."""
        return self.requires_grad

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self.wants_training = bool(value)
        self.requires_grad_(self.wants_training and self.is_floating_point())

    def assign(self, value: Any) -> Self:
        """Overwrite the values; a scalar fills the shape, anything else must have it."""
        with torch.no_grad():
            self.copy_(self._fitting(value))
        return self

    def assign_add(self, value: Any) -> Self:
        """Add to the values in place."""
        with torch.no_grad():
            self.add_(self._fitting(value))
        return self

    def assign_sub(self, value: Any) -> Self:
        """Subtract from the values in place."""
        with torch.no_grad():
            self.sub_(self._fitting(value))
        return self

    def _fitting(self, value: Any) -> torch.Tensor:
        new = to_tensor(value).detach().to(self.device, self.dtype)
        if new.dim() and new.shape != self.shape:
            where, expected = f'variable "{self.path}"', f"values of shape {tuple(self.shape)}"
            raise ShapeError(message(where, expected=expected, got=tuple(new.shape)))
        return new

    def numpy(self, *, force: bool = True) -> Any:
        """Return the values as a NumPy array; bfloat16 becomes float32."""
        values = self.detach().cpu()
        return (values.float() if values.dtype == torch.bfloat16 else values).numpy()

    def __repr__(self) -> str:  # type: ignore[override]
        return f"<Variable path={self.path}, shape={tuple(self.shape)}, dtype={dtype_name(self.dtype)}>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self.numpy()
        return array if dtype is None else array.astype(dtype)


def _first_values(initializer: Any, shape: Sequence[int] | None, dtype: Any) -> torch.Tensor:
    kind = None if dtype is None else torch_dtype(standardize_dtype(dtype))
    if isinstance(initializer, (str, dict)) or (
        callable(initializer) and not isinstance(initializer, torch.Tensor)
    ):
        if shape is None:
            raise ArgumentError(message("Variable", expected="a shape for the initializer", got="None"))
        make = initializers.get(initializer)
        sizes = tuple(int(size) for size in ((shape,) if isinstance(shape, int) else shape))
        kind = kind or torch_dtype(None)
        return to_tensor(make(sizes, dtype=dtype_name(kind))).detach().to(kind)
    values = convert_to_tensor(initializer, kind)
    is_tensor = isinstance(initializer, torch.Tensor)
    values = values.detach() if is_tensor else values.clone()  # an array of the user's stays as it is
    if shape is not None and tuple(values.shape) != tuple(shape):
        expected = f"values of shape {tuple(shape)}"
        raise ShapeError(message("Variable", expected=expected, got=tuple(values.shape)))
    return values


def _again(values: torch.Tensor, requires_grad: bool, state: tuple[Any, ...]) -> Variable:
    variable = Variable(values, requires_grad=requires_grad)
    variable._name, variable._path, variable.wants_training = state
    return variable
