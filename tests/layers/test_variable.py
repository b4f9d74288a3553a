"""`Variable` made by the user, as in Keras, and as an attribute of layers and models."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import keras
import numpy as np
import pytest
import torch

import neocog
from neocog import Variable, initializers

ARGUMENTS: list[dict[str, Any]] = [
    {"initializer": "zeros", "shape": (3,)},
    {"initializer": "ones", "shape": (2, 3), "dtype": "float64"},
    {"initializer": [1.0, 2.0]},
    {"initializer": [1, 2], "trainable": False},
    {"initializer": np.arange(3, dtype="int64"), "trainable": False},
    {"initializer": 1.5, "name": "rate"},
    {"initializer": [[1.0]], "dtype": "bfloat16"},
]


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=range(7))
def test_as_in_keras(arguments: dict[str, Any]) -> None:
    ours, theirs = Variable(**arguments), keras.Variable(**arguments)
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert neocog.backend.standardize_dtype(ours.dtype) == theirs.dtype
    assert ours.trainable == theirs.trainable
    assert np.array_equal(ours.numpy().astype("float64"), theirs.value.detach().double().numpy())
    if "name" in arguments:
        assert ours.name == ours.path == "rate"


def test_initializers_and_functions() -> None:
    assert Variable(initializers.Constant(2.0), shape=(2,)).tolist() == [2.0, 2.0]
    made = Variable(lambda shape, dtype=None: torch.full(shape, 7.0), shape=(2,))
    assert made.tolist() == [7.0, 7.0]
    with pytest.raises(ValueError, match="a shape"):
        Variable("zeros")
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        Variable([1.0], shape=(3,))
    with pytest.raises(ValueError, match="arguments"):
        Variable([1.0], colour="red")


def test_assigning() -> None:
    array = np.ones(2, "float32")
    variable = Variable(array)
    variable.assign_add([1.0, 2.0]).assign_sub(0.5)
    assert variable.tolist() == [1.5, 2.5]
    assert array.tolist() == [1.0, 1.0]
    variable.assign(3.0)
    assert np.asarray(variable).tolist() == [3.0, 3.0]
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        variable.assign([1.0, 2.0, 3.0])
    count = Variable(0, trainable=False, dtype="int32")
    count.assign_add(2)
    assert int(count) == 2
    assert not count.requires_grad


def test_arithmetic_and_gradients() -> None:
    variable = Variable([2.0])
    for result in (variable + 1, 1 + variable, variable * 2, variable**2, -variable, variable @ variable):
        assert type(result) is torch.Tensor
    (variable**2).sum().backward()
    assert variable.value.grad.tolist() == [4.0]
    assert neocog.ops.square(variable).tolist() == [4.0]


def test_copies() -> None:
    variable = Variable([1.0], name="v", trainable=False)
    for again in (copy.deepcopy(variable), pickle.loads(pickle.dumps(variable))):  # noqa: S301
        assert isinstance(again, Variable)
        assert (again.name, again.trainable, again.tolist()) == ("v", False, [1.0])
        again.assign([5.0])
    assert variable.tolist() == [1.0]
    assert "path=v" in repr(variable)


class Counting(neocog.layers.Layer):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = Variable("ones", shape=(2,), name="scale")
        self.calls = Variable(0, trainable=False, dtype="int64")
        self.parts = [Variable(1.0), Variable(2.0)]

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        self.calls.assign_add(1)
        return inputs * self.scale * self.parts[0]


def test_on_layers_and_models() -> None:
    layer = Counting()
    x = torch.ones(3, 2)
    layer(x)
    layer(x)
    assert int(layer.calls) == 2
    assert len(layer.weights) == 4
    assert len(layer.trainable_weights) == 3
    layer.trainable = False
    assert layer.trainable_weights == []
    layer.trainable = True
    assert len(layer.trainable_weights) == 3
    model = neocog.Sequential([neocog.Input((2,)), layer])
    model.compile("sgd", "mse")
    before = layer.scale.numpy().copy()
    model.fit(np.ones((4, 2)), np.zeros((4, 2)), verbose=0)
    assert not np.array_equal(layer.scale.numpy(), before)
    assert len(model.get_weights()) == 4
