"""Python's operators and torch's functions in a graph, as the operations that files know them by."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

import torch

from neocog.ops._op import OPERATIONS, Operation

_NUMPY = "keras.src.ops.numpy>"
_NN = "keras.src.ops.nn>"

# Class to the functions that do the same, for one argument `input` and for two, `input` and `other`.
_ONE: dict[str, tuple[Any, ...]] = {
    "Absolute": (operator.abs, torch.abs, torch.absolute),
    "Arctan": (torch.atan, torch.arctan),
    "Ceil": (torch.ceil,),
    "Cos": (torch.cos,),
    "Exp": (torch.exp,),
    "Expm1": (torch.expm1,),
    "Floor": (torch.floor,),
    "Isfinite": (torch.isfinite,),
    "Isinf": (torch.isinf,),
    "Isnan": (torch.isnan,),
    "Log": (torch.log,),
    "Log10": (torch.log10,),
    "Log1p": (torch.log1p,),
    "Log2": (torch.log2,),
    "LogicalNot": (torch.logical_not,),
    "Negative": (operator.neg, torch.neg, torch.negative),
    "Ravel": (torch.ravel,),
    "Reciprocal": (torch.reciprocal,),
    "Sign": (torch.sign,),
    "Sin": (torch.sin,),
    "Sqrt": (torch.sqrt,),
    "Square": (torch.square,),
    "Tan": (torch.tan,),
    "Tanh": (torch.tanh, torch.nn.functional.tanh),
    "Trunc": (torch.trunc,),
}
_TWO: dict[str, tuple[Any, ...]] = {
    "Add": (operator.add, torch.add),
    "Arctan2": (torch.atan2, torch.arctan2),
    "Divide": (torch.div, torch.divide),
    "Equal": (operator.eq, torch.eq),
    "FloorDivide": (operator.floordiv, torch.floor_divide),
    "Greater": (operator.gt, torch.gt, torch.greater),
    "GreaterEqual": (operator.ge, torch.ge, torch.greater_equal),
    "Less": (operator.lt, torch.lt, torch.less),
    "LessEqual": (operator.le, torch.le, torch.less_equal),
    "LogicalAnd": (torch.logical_and,),
    "LogicalOr": (torch.logical_or,),
    "LogicalXor": (torch.logical_xor,),
    "Matmul": (operator.matmul, torch.matmul),
    "Maximum": (torch.maximum,),
    "Minimum": (torch.minimum,),
    "Mod": (operator.mod, torch.remainder),
    "Multiply": (operator.mul, torch.mul, torch.multiply),
    "NotEqual": (operator.ne, torch.ne, torch.not_equal),
    "Power": (operator.pow, torch.pow),
    "Subtract": (operator.sub, torch.sub, torch.subtract),
    "TrueDivide": (operator.truediv, torch.true_divide),
}
# Function to the class and to torch's names of its parameters, in the order of the operation's.
_OTHERS: dict[Any, tuple[str, str]] = {
    operator.getitem: (_NUMPY + "GetItem", "input key"),
    torch.all: (_NUMPY + "All", "input dim keepdim"),
    torch.amax: (_NUMPY + "Amax", "input dim keepdim"),
    torch.amin: (_NUMPY + "Amin", "input dim keepdim"),
    torch.any: (_NUMPY + "Any", "input dim keepdim"),
    torch.argmax: (_NUMPY + "Argmax", "input dim keepdim"),
    torch.argmin: (_NUMPY + "Argmin", "input dim keepdim"),
    torch.cat: (_NUMPY + "Concatenate", "tensors dim"),
    torch.concat: (_NUMPY + "Concatenate", "tensors dim"),
    torch.clamp: (_NUMPY + "Clip", "input min max"),
    torch.clip: (_NUMPY + "Clip", "input min max"),
    torch.einsum: (_NUMPY + "Einsum", ""),
    torch.flip: (_NUMPY + "Flip", "input dims"),
    torch.logsumexp: ("keras.src.ops.math>Logsumexp", "input dim keepdim"),
    torch.mean: (_NUMPY + "Mean", "input dim keepdim"),
    torch.movedim: (_NUMPY + "Moveaxis", "input source destination"),
    torch.permute: (_NUMPY + "Transpose", "input dims"),
    torch.prod: (_NUMPY + "Prod", "input dim keepdim"),
    torch.reshape: (_NUMPY + "Reshape", "input shape"),
    torch.roll: (_NUMPY + "Roll", "input shifts dims"),
    torch.round: (_NUMPY + "Round", "input decimals"),
    torch.rsqrt: ("keras.src.ops.math>Rsqrt", "input"),
    torch.squeeze: (_NUMPY + "Squeeze", "input dim"),
    torch.stack: (_NUMPY + "Stack", "tensors dim"),
    torch.sum: (_NUMPY + "Sum", "input dim keepdim"),
    torch.swapaxes: (_NUMPY + "Swapaxes", "input axis0 axis1"),
    torch.tile: (_NUMPY + "Tile", "input dims"),
    torch.transpose: (_NUMPY + "Swapaxes", "input dim0 dim1"),
    torch.unsqueeze: (_NUMPY + "ExpandDims", "input dim"),
    torch.where: (_NUMPY + "Where", "condition input other"),
    torch.log_softmax: (_NN + "LogSoftmax", "input dim"),
    torch.nn.functional.log_softmax: (_NN + "LogSoftmax", "input dim"),
    torch.nn.functional.logsigmoid: (_NN + "LogSigmoid", "input"),
    torch.nn.functional.relu: (_NN + "Relu", "input"),
    torch.nn.functional.relu6: (_NN + "Relu6", "input"),
    torch.nn.functional.sigmoid: (_NN + "Sigmoid", "input"),
    torch.nn.functional.silu: (_NN + "Silu", "input"),
    torch.nn.functional.softmax: (_NN + "Softmax", "input dim"),
    torch.nn.functional.softsign: (_NN + "Softsign", "input"),
    torch.relu: (_NN + "Relu", "input"),
    torch.sigmoid: (_NN + "Sigmoid", "input"),
    torch.softmax: (_NN + "Softmax", "input dim"),
}

_TABLE: dict[Any, tuple[str, tuple[str, ...]]] = {
    **{function: (_NUMPY + name, ("input",)) for name, group in _ONE.items() for function in group},
    **{function: (_NUMPY + name, ("input", "other")) for name, group in _TWO.items() for function in group},
    **{function: (key, tuple(names.split())) for function, (key, names) in _OTHERS.items()},
}


def operation_of(function: Callable[..., Any]) -> Operation | None:
    """Return the operation that does what `function` (one of ours, an operator, a torch function) does.

    None is for functions that no file knows. torch's names of parameters may differ: `operation_call`
    translates them.

    Example:
        >>> import operator
        >>> operation_of(operator.add).class_name
        'Add'
    """
    own = getattr(function, "operation", None)
    if isinstance(own, Operation):
        return own
    found = _entry(function)
    return None if found is None else _operation(found[0])


def operation_call(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[Operation, tuple[Any, ...], dict[str, Any]] | None:
    """Return a call of an operator or a torch function as the operation and the arguments that do the same.

    None is for what no file knows: other functions, and arguments that Keras's operation has not.
    """
    operation = operation_of(function)
    if operation is None:
        return None
    found = _entry(function)
    if found is None:  # one of ours
        return operation, args, dict(kwargs)
    names = found[1]
    if len(args) > len(names) > 0:
        return None
    theirs = dict(zip(names, signature(operation.function).parameters, strict=False))
    if any(name not in theirs for name in kwargs):
        return None
    return operation, args, {theirs[name]: value for name, value in kwargs.items()}


def _entry(function: Any) -> tuple[str, tuple[str, ...]] | None:
    try:
        return _TABLE.get(function)
    except TypeError:  # no hash
        return None


def _operation(key: str) -> Operation | None:
    found: Operation | None = OPERATIONS.resolve(key)() if key in OPERATIONS.names() else None
    return found
