"""Operators and torch functions in a graph are the operations that files know."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

from typing import Any

import keras
import numpy as np
import pytest
import torch
from beside_keras import same
from numpy_like_arrays import F, G

import neocog
from neocog import ops

OPERATORS = {
    "Add": lambda x, y: x + y,
    "Subtract": lambda x, y: 1 - x,
    "Multiply": lambda x, y: x * 2.0,
    "TrueDivide": lambda x, y: 2.0 / x,
    "FloorDivide": lambda x, y: x // 2,
    "Mod": lambda x, y: x % y,
    "Power": lambda x, y: x**2,
    "Matmul": lambda x, y: x @ np.ones((4, 2), "float32"),
    "Negative": lambda x, y: -x,
    "Absolute": lambda x, y: abs(x),
    "Less": lambda x, y: x < 1,
    "LessEqual": lambda x, y: x <= y,
    "Greater": lambda x, y: x > 0,
    "GreaterEqual": lambda x, y: x >= 0,
    "NotEqual": lambda x, y: x != y,
    "LogicalAnd": lambda x, y: (x > 0) & (y > 0),
    "LogicalOr": lambda x, y: (x > 0) | (y > 0),
    "LogicalXor": lambda x, y: (x > 0) ^ (y > 0),
    "LogicalNot": lambda x, y: ~(x > 0),
    "Round": lambda x, y: round(x, 1),
    "GetItem": lambda x, y: x[:, None, 1:3],
    "Reshape": lambda x, y: x.reshape((-1, 2)),
    "Squeeze": lambda x, y: x[:, None].squeeze(1),
}


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_operators_are_the_classes_of_keras(name: str) -> None:
    result = OPERATORS[name](neocog.Input((4,)), neocog.Input((4,)))
    theirs = OPERATORS[name](keras.Input((4,)), keras.Input((4,)))
    call = ops.operation_call(result.node.operation, result.node.args, result.node.kwargs)
    assert call is not None
    assert call[0].class_name == name == type(theirs._keras_history.operation).__name__
    assert result.shape == tuple(theirs.shape)
    assert call[0].function(*call[1], **call[2]).shape == result.shape


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "name"),
    [
        (torch.mean, (F,), {"dim": 1, "keepdim": True}, "Mean"),
        (torch.cat, ([F, G],), {"dim": -1}, "Concatenate"),
        (torch.softmax, (F,), {"dim": 1}, "Softmax"),
        (torch.clamp, (F,), {"min": 0.0, "max": 1.0}, "Clip"),
        (torch.transpose, (F, 0, 1), {}, "Swapaxes"),
        (torch.einsum, ("ij,ij->i", F, G), {}, "Einsum"),
        (torch.where, (F > 0, F, G), {}, "Where"),
        (torch.roll, (F, 1, 0), {}, "Roll"),
    ],
)
def test_torch_functions_are_operations_of_keras(function: Any, args: Any, kwargs: Any, name: str) -> None:
    def tensors(tree: Any) -> Any:
        if isinstance(tree, (list, tuple)):
            return type(tree)(tensors(item) for item in tree)
        return torch.tensor(tree) if isinstance(tree, np.ndarray) else tree

    call = ops.operation_call(function, tensors(args), kwargs)
    assert call is not None
    assert call[0].class_name == name
    same(name, call[0].function(*call[1], **call[2]), function(*tensors(args), **kwargs))


def test_what_no_file_knows_is_no_operation() -> None:
    assert ops.operation_of(torch.cdist) is None
    assert ops.operation_of(lambda x: x) is None
    assert ops.operation_call(torch.add, (F, G), {"alpha": 2}) is None
    assert ops.operation_of(ops.mean).class_name == "Mean"
