"""Several optimizers for one model, beside real Keras."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import pytest
import torch

import neocog
from neocog import layers, optimizers
from neocog.exceptions import ArgumentError, ArgumentTypeError, NotBuiltError


def network(lib):
    return lib.Sequential(
        [lib.layers.Input((3,)), lib.layers.Dense(4, name="base"), lib.layers.Dense(1, name="head")]
    )


def chosen(lib):
    optimizer_map = lib.optimizers.OptimizerMap(lib.optimizers.SGD(0.1, momentum=0.9))
    optimizer_map["head/.*"] = lib.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.5)
    return lib.optimizers.MultiOptimizer(optimizer_map)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # real Keras's own
def test_training_is_that_of_keras(tmp_path):
    draw = np.random.RandomState(0)
    x, y = draw.randn(32, 3).astype("float32"), draw.randn(32, 1).astype("float32")
    ours, theirs = network(neocog), network(keras)
    theirs.set_weights(ours.get_weights())
    for model, lib in ((ours, neocog), (theirs, keras)):
        model.compile(chosen(lib), "mse")
        for _ in range(20):
            model.train_on_batch(x, y)
    for a, b in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    assert int(ours.optimizer.iterations) == int(theirs.optimizer.iterations) == 20
    assert [tuple(v.shape) for v in ours.optimizer.variables] == [
        tuple(v.shape) for v in theirs.optimizer.variables
    ]
    config = ours.optimizer.get_config()
    again = optimizers.deserialize(optimizers.serialize(ours.optimizer))
    assert again.get_config() == config
    ours.save(tmp_path / "m.keras")
    loaded = neocog.models.load_model(tmp_path / "m.keras")
    ours.train_on_batch(x, y)
    loaded.train_on_batch(x, y)
    for a, b in zip(ours.get_weights(), loaded.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_state_and_own_steps():
    def made():
        params = [torch.nn.Parameter(torch.ones(2, 2)), torch.nn.Parameter(torch.ones(2))]
        adam, sgd = optimizers.Adam(0.1), optimizers.SGD(0.1, momentum=0.5)
        optimizer = optimizers.MultiOptimizer(lambda v: adam if v.ndim > 1 else sgd)
        optimizer.build(params)
        return params, optimizer

    def advance(params, optimizer):
        optimizer.zero_grad()
        sum((p**2).sum() for p in params).backward()
        optimizer.step()

    params, optimizer = made()
    advance(params, optimizer)
    others, again = made()
    for p, q in zip(others, params):
        p.data.copy_(q.data)
    again.load_state_dict(optimizer.state_dict())
    advance(params, optimizer)
    advance(others, again)
    assert all(torch.equal(p, q) for p, q in zip(others, params))
    again.set_weights([v.numpy() for v in optimizer.variables])
    assert int(again.iterations) == 2
    with pytest.raises(ArgumentTypeError, match="OptimizerMap to write"):
        optimizer.get_config()


def test_bad_use_is_refused():
    multi = optimizers.MultiOptimizer(optimizers.OptimizerMap(optimizers.SGD()))
    with pytest.raises(AttributeError, match="one of its `optimizers`"):
        multi.learning_rate
    with pytest.raises(NotBuiltError, match="Call build"):
        multi.apply([torch.ones(1)])
    with pytest.raises(ArgumentTypeError, match="OptimizerMap or a function"):
        optimizers.MultiOptimizer({"a": optimizers.SGD()})
    with pytest.raises(ArgumentTypeError, match="a default optimizer"):
        optimizers.OptimizerMap("sgd")
    held = optimizers.OptimizerMap(optimizers.SGD(), {"a/.*": optimizers.Adam()})
    with pytest.raises(ArgumentError, match="each key once"):
        held["a/.*"] = optimizers.SGD()
    with pytest.raises(ArgumentError, match="wraps no others"):
        held["b"] = multi
    held[".*/k"] = optimizers.SGD()
    with pytest.raises(ArgumentError, match="one optimizer for 'a/k'"):
        held["a/k"]
    assert held["b"] is held.default_optimizer
    del held["a/.*"]
    assert list(held) == [".*/k"]
    model = neocog.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile(optimizers.MultiOptimizer(lambda v: multi), "mse")
    with pytest.raises(ArgumentError, match="wraps no others"):
        model.train_on_batch(np.ones((2, 2), "float32"), np.ones((2, 1), "float32"))
