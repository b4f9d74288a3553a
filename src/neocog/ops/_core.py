"""Operations about tensors themselves: conversion, types, shapes, gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from neocog.core import standardize_dtype, torch_dtype, tree_flatten
from neocog.exceptions import ArgumentError, message
from neocog.graph import SymbolicTensor
from neocog.ops._op import as_tensor, op


@op("keras.src.ops.core>ConvertToTensor")
def convert_to_tensor(
    x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None
) -> torch.Tensor:
    """Return a number, list, array, variable or tensor as a tensor.

    Args:
        x: what to convert; Python's integers give int32, its floats `floatx()`, arrays keep their type.
        dtype: type of the result; None for the type of `x`.
        sparse: not supported; must be None or False.
        ragged: not supported; must be None or False.

    Example:
        >>> convert_to_tensor([1, 2]).dtype
        torch.int32
    """
    if sparse or ragged:
        raise ArgumentError(
            message("ops.convert_to_tensor", expected="dense tensors", got="sparse or ragged")
        )
    return as_tensor(x, None if dtype is None else torch_dtype(standardize_dtype(dtype)))


def convert_to_numpy(x: Any) -> Any:
    """Return a tensor, variable, number or list of them as a NumPy array; bfloat16 becomes float32.

    Args:
        x: what to convert.

    Example:
        >>> convert_to_numpy(torch.ones(2))
        array([1., 1.], dtype=float32)
    """
    if isinstance(x, (list, tuple)) and any(isinstance(leaf, torch.Tensor) for leaf in tree_flatten(x)):
        return np.array([convert_to_numpy(item) for item in x])
    if isinstance(x, torch.Tensor):
        values = x.detach().cpu()
        values = values.float() if values.dtype == torch.bfloat16 else values
        return values.resolve_conj().resolve_neg().numpy()
    return np.asarray(x)


@op("keras.src.ops.core>Cast")
def cast(x: Any, dtype: Any) -> torch.Tensor:
    """Return `x` in another type.

    Args:
        x: tensor or array of any shape.
        dtype: the new type, such as `"float32"`.

    Example:
        >>> cast([1.7, -1.7], "int32")
        tensor([ 1, -1], dtype=torch.int32)
    """
    return as_tensor(x, torch_dtype(standardize_dtype(dtype)))


@op("keras.src.ops.core>SaturateCast")
def saturate_cast(x: Any, dtype: Any) -> torch.Tensor:
    """Return `x` in another type, values outside its range clipped to it.

    Args:
        x: tensor or array of any shape.
        dtype: the new type, such as `"uint8"`.

    Example:
        >>> saturate_cast([-3.0, 300.0], "uint8")
        tensor([  0, 255], dtype=torch.uint8)
    """
    values, wanted = as_tensor(x), torch_dtype(standardize_dtype(dtype))
    kind = values.dtype
    if kind == torch.bool or wanted == torch.bool or wanted.is_complex:
        return values.to(wanted)
    limits = torch.finfo(wanted) if wanted.is_floating_point else torch.iinfo(wanted)
    own = torch.finfo(kind) if kind.is_floating_point else torch.iinfo(kind)
    low, high = max(limits.min, own.min), min(limits.max, own.max)
    if wanted == torch.int64 and kind.is_floating_point:
        high = 2**63 - 2**40  # the largest float32 below 2**63: its neighbour would wrap around
    return values.clamp(low, high).to(wanted)


def dtype(x: Any) -> str:
    """Return the type of the values of `x` as a string.

    Args:
        x: tensor, array or symbolic tensor.

    Example:
        >>> dtype(torch.ones(2))
        'float32'
    """
    return standardize_dtype(x.dtype)


def shape(x: Any) -> tuple[Any, ...]:
    """Return the shape of `x` as a tuple; None stands for sizes that a symbolic tensor does not know.

    Args:
        x: tensor, array, list or symbolic tensor.

    Example:
        >>> shape(torch.ones(2, 3))
        (2, 3)
    """
    return tuple(x.shape) if hasattr(x, "shape") else tuple(np.shape(x))


def is_tensor(x: Any) -> bool:
    """Return whether `x` is a tensor with values.

    Args:
        x: anything.

    Example:
        >>> is_tensor(torch.ones(2)), is_tensor([1, 1])
        (True, False)
    """
    return isinstance(x, torch.Tensor)


def is_keras_tensor(x: Any) -> bool:
    """Return whether `x` is a symbolic tensor, such as `Input` gives.

    Args:
        x: anything.

    Example:
        >>> is_keras_tensor(SymbolicTensor((None, 3))), is_keras_tensor(torch.ones(2))
        (True, False)
    """
    return isinstance(x, SymbolicTensor)


@op("keras.src.ops.core>StopGradient", call="variable")
def stop_gradient(variable: Any) -> torch.Tensor:
    """Return the values of `variable`, through which no gradient flows.

    Args:
        variable: tensor or variable.

    Example:
        >>> stop_gradient(torch.ones(1, requires_grad=True)).requires_grad
        False
    """
    return as_tensor(variable).detach()


class _WithGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, function: Callable[..., Any], *args: Any) -> Any:
        result = function(*args)
        if not (isinstance(result, tuple) and len(result) == 2 and callable(result[1])):
            raise ArgumentError(
                message("ops.custom_gradient", expected="a function that returns (result, gradient function)",
                        got=type(result).__name__)
            )  # fmt: skip
        outputs, ctx.gradient = result
        ctx.save_for_backward(*(arg for arg in args if isinstance(arg, torch.Tensor)))
        ctx.is_tensor = [isinstance(arg, torch.Tensor) for arg in args]
        ctx.others = [arg for arg in args if not isinstance(arg, torch.Tensor)]
        return outputs

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        tensors, others = iter(ctx.saved_tensors), iter(ctx.others)
        args = [next(tensors) if known else next(others) for known in ctx.is_tensor]
        gradients = ctx.gradient(*args, upstream=upstream[0] if len(upstream) == 1 else upstream)
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        missing = len(args) - len(gradients)
        return (None, *gradients, *(None,) * missing)


class custom_gradient:
    """Let a function of tensors define its own gradient: a decorator.

    The function returns its result and a function of `(*args, upstream)` that returns the gradients to its
    arguments.

    Args:
        f: the function.

    Example:
        >>> @custom_gradient
        ... def double_gradient(x):
        ...     return x * 1.0, lambda x, upstream: 2.0 * upstream
        >>> x = torch.ones(1, requires_grad=True)
        >>> double_gradient(x).sum().backward()
        >>> x.grad
        tensor([2.])
    """

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f = f

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result."""
        function = (lambda *values: self.f(*values, **kwargs)) if kwargs else self.f
        return _WithGradient.apply(function, *args)  # type: ignore[no-untyped-call]


def device(device_name: str) -> torch.device:
    """Return a context in which torch makes its tensors on a device.

    Args:
        device_name: `"cpu"`, `"gpu:0"`, `"cuda:0"`.

    Example:
        >>> with device("cpu:0"):
        ...     print(torch.ones(1).device.type)
        cpu
    """
    if not isinstance(device_name, str):
        raise ArgumentError(
            message("device", expected="a name such as 'cpu' or 'gpu:0'", got=repr(device_name))
        )
    name = device_name.lower().replace("/", "").removeprefix("device:").replace("gpu", "cuda")
    try:
        return torch.device(name)
    except RuntimeError as error:
        expected = "a device of torch (cpu, gpu:0, cuda:1, mps)"
        raise ArgumentError(message("device", expected=expected, got=repr(device_name))) from error


def refuse_sparse(where: str, sparse: bool) -> None:
    """Raise where a sparse result is asked for: torch's results are dense.

    Args:
        where: how the error text names the operation.
        sparse: what the caller asked for.
    """
    if sparse:
        raise ArgumentError(message(where, expected="sparse=False (results are dense on torch)", got="True"))
