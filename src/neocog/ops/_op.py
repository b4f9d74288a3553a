"""Functions of tensors as operations: they compute on numbers, and join the graph on symbolic tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import torch

from neocog.core import Registry, to_tensor
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


def op(keras: str | None = None, *, call: str = "x") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make an operation of a function of tensors.

    Called with symbolic tensors among its (nested) arguments, the whole call is recorded as one node of the
    graph, so that the function may look at sizes. Otherwise the function runs; it calls `as_tensor` itself on
    the arguments that may be arrays, numbers or lists.

    Args:
        keras: module and class in Keras's files, `"keras.src.ops.numpy>Reshape"`; None where Keras has none.
        call: names of the parameters that Keras's class takes when it is called, separated by spaces.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def operation(*args: P.args, **kwargs: P.kwargs) -> R:
            if is_symbolic(args) or is_symbolic(kwargs):
                return record_function(operation, args, dict(kwargs))  # type: ignore[no-any-return]
            return function(*args, **kwargs)

        if keras is not None:
            module, _, class_name = keras.partition(">")
            known = Operation(operation, module, class_name, tuple(call.split()))
            operation.operation = known  # type: ignore[attr-defined]
            OPERATIONS.register(name=keras)(lambda: known)
        return operation

    return decorate


def as_tensor(value: Any, dtype: Any = None) -> torch.Tensor:
    """Return a tensor, array, number, nested list or variable as a tensor; tensors as they are."""
    if isinstance(value, torch.Tensor) and dtype is None:
        return value
    return to_tensor(value, dtype)
