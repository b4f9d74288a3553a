"""Functions of tensors as operations: they compute on numbers, and join the graph on symbolic tensors."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
import torch

from neocog.core import Registry, floatx, to_tensor, torch_dtype
from neocog.graph import is_symbolic, record_function

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation as files know it.

    Args:
        function: the operation of `neocog.ops`.
        module: module of Keras's class, `"keras.src.ops.numpy"`.
        class_name: name of Keras's class, `"Reshape"`.
        call: the function's parameters that Keras's class takes when it is called; the others are the class's
            configuration.
    """

    function: Callable[..., Any]
    module: str
    class_name: str
    call: tuple[str, ...]


# "keras.src.ops.numpy>Reshape" to the operation: what model files resolve through.
OPERATIONS: Registry[Operation] = Registry("operation")


def op(
    keras: str | None = None, *, call: str = "x", specs: Callable[..., Any] | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make an operation of a function of tensors.

    Called with symbolic tensors among its (nested) arguments, the whole call is recorded as one node of the
    graph, so that the function may look at sizes. Otherwise the function runs; it calls `as_tensor` itself on
    the arguments that may be arrays, numbers or lists.

    Args:
        keras: module and class in Keras's files, `"keras.src.ops.numpy>Reshape"`; None where Keras has none.
        call: names of the parameters that Keras's class takes when it is called, separated by spaces.
        specs: rule from the arguments to the `TensorSpec`s of the results, for functions whose sizes depend
            on values; None finds them by a run on tensors without values.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def operation(*args: P.args, **kwargs: P.kwargs) -> R:
            if "keep_dims" in kwargs:
                kwargs["keepdims"] = _old_keep_dims(function.__name__, kwargs.pop("keep_dims"))
            if is_symbolic(args) or is_symbolic(kwargs):
                return record_function(operation, args, dict(kwargs))  # type: ignore[no-any-return]
            return function(*args, **kwargs)

        if specs is not None:
            operation.output_specs = specs  # type: ignore[attr-defined]
        if keras is not None:
            module, _, class_name = keras.partition(">")
            known = Operation(operation, module, class_name, tuple(call.split()))
            operation.operation = known  # type: ignore[attr-defined]
            OPERATIONS.register(name=keras)(lambda: known)
        return operation

    return decorate


def _old_keep_dims(name: str, value: Any) -> bool:
    warnings.warn(f"ops.{name}: `keep_dims` is called `keepdims` today.", DeprecationWarning, stacklevel=3)
    return bool(value)


def as_tensor(value: Any, dtype: Any = None) -> torch.Tensor:
    """Return a tensor, array, number, nested list or variable as a tensor; tensors as they are.

    Types are Keras's: arrays keep theirs, Python's integers become int32 and its floats the default float.
    """
    weight = getattr(value, "tensor", None)  # a layer's weight, in Keras's layout
    if callable(weight):
        value = weight()
    if isinstance(value, torch.Tensor):
        return value if dtype is None else value.to(torch_dtype(dtype))
    if isinstance(value, (list, tuple)) and any(
        isinstance(item, torch.Tensor) or callable(getattr(item, "tensor", None)) for item in value
    ):
        return torch.stack(together(*value)).to(None if dtype is None else torch_dtype(dtype))
    if dtype is None:
        dtype = _type_of(value)
    return to_tensor(value, dtype, device=torch.get_default_device())


def _type_of(value: Any) -> torch.dtype | None:
    """Return the type that Keras gives to something that is no tensor; None leaves it to `to_tensor`."""
    try:
        array = np.asarray(value)
    except ValueError:  # rows of several lengths: to_tensor says so
        return None
    kind, bits = array.dtype.kind, array.dtype.itemsize * 8
    if isinstance(value, (bool, int, float, complex, list, tuple)):  # np.float64 is a float, too
        small = kind != "i" or not array.size or -(2**31) <= array.min() <= array.max() < 2**31
        narrow = {"i": torch.int32 if small else torch.int64, "f": torch_dtype(floatx())}
        return {"c": torch.complex64, **narrow}.get(kind) if bits >= 64 else None
    if kind == "u" and bits == 16:
        return torch.int32
    return {64: torch.float64, 16: torch.float16}.get(bits) if kind == "f" else None


def together(*values: Any) -> list[torch.Tensor]:
    """Return `values` as tensors on one device: the accelerator's, where one of them lies there."""
    tensors = [as_tensor(value) for value in values]
    device = next((tensor.device for tensor in tensors if tensor.device.type != "cpu"), None)
    return tensors if device is None else [tensor.to(device) for tensor in tensors]
