"""Policies of types: what layers compute in, configurations, training, loss scaling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
import torch

import neocog
from neocog import layers, mixed_precision
from neocog.dtype_policies import DTypePolicy, deserialize, get, serialize
from neocog.optimizers import SGD, LossScaleOptimizer


@pytest.fixture(autouse=True)
def _global_policy() -> Iterator[None]:
    yield
    mixed_precision.set_global_policy(None)


@pytest.mark.parametrize("name", ["float32", "float64", "bfloat16", "mixed_bfloat16", "mixed_float16"])
def test_policies_as_in_keras(name: str) -> None:
    ours, theirs = DTypePolicy(name), keras.DTypePolicy(name)
    assert (ours.compute_dtype, ours.variable_dtype) == (theirs.compute_dtype, theirs.variable_dtype)
    assert serialize(ours) == keras.dtype_policies.serialize(theirs)
    assert deserialize(serialize(ours)) == ours == get(name) == get(ours)
    assert repr(ours) == repr(theirs)
    assert ours != DTypePolicy("float16")


@pytest.mark.parametrize("bad", ["float31", 3, {"class_name": "QuantizedDTypePolicy", "config": {}}])
def test_bad_policies(bad: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="expected"):
        get(bad)


def test_global_policy_reaches_layers_made_afterwards() -> None:
    before = layers.Dense(2)
    mixed_precision.set_global_policy("mixed_bfloat16")
    after, own = layers.Dense(2), layers.Dense(2, dtype="float32")
    assert mixed_precision.global_policy() == DTypePolicy("mixed_bfloat16")
    assert (before.compute_dtype, after.compute_dtype, own.compute_dtype) == (
        "float32",
        "bfloat16",
        "float32",
    )
    assert after.variable_dtype == "float32"
    x = torch.ones(1, 3)
    assert (before(x).dtype, after(x).dtype, own(x).dtype) == (torch.float32, torch.bfloat16, torch.float32)
    assert after.kernel.dtype == torch.float32


def test_values_as_in_keras() -> None:
    x = np.random.default_rng(0).normal(size=(4, 6)).astype("float32")
    ours, theirs = layers.Dense(5, dtype="mixed_bfloat16"), keras.layers.Dense(5, dtype="mixed_bfloat16")
    theirs.build((None, 6))
    ours.build((None, 6))
    ours.set_weights([weight.value.detach().float().numpy() for weight in theirs.weights])
    expected = theirs(x)
    assert ours(x).dtype == expected.dtype
    torch.testing.assert_close(ours(x).float(), expected.float(), rtol=2e-2, atol=2e-2)


def test_configuration() -> None:
    layer = layers.Conv2D(2, 3, dtype="mixed_bfloat16")
    config = layer.get_config()
    assert config["dtype"] == serialize(DTypePolicy("mixed_bfloat16"))
    assert layers.Conv2D.from_config(config).dtype_policy == layer.dtype_policy
    assert keras.layers.Conv2D.from_config(config).dtype_policy.name == "mixed_bfloat16"
    layer.dtype_policy = "float64"
    assert (layer.compute_dtype, layer.dtype) == ("float64", "float64")


def network(head: str | None = "float32") -> Any:
    return neocog.Sequential(
        [
            neocog.Input((8, 8, 3)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax", dtype=head),
        ]
    )


@pytest.mark.parametrize("head", ["float32", None])
def test_training(head: str | None) -> None:
    mixed_precision.set_global_policy("mixed_bfloat16")
    model = network(head)
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 48)
    x = (rng.normal(size=(48, 8, 8, 3)) + y[:, None, None, None]).astype("float32")
    model.compile(neocog.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, epochs=8, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert all(weight.value.dtype == torch.float32 for weight in model.weights)
    assert model.predict(x, verbose=0).dtype == np.float32
    inside = model.layers[0](torch.ones(1, 8, 8, 3))
    assert inside.dtype == torch.bfloat16


def test_a_float32_layer_inside_leaves_half_precision() -> None:
    mixed_precision.set_global_policy("mixed_bfloat16")
    seen: list[torch.dtype] = []

    class Look(layers.Layer):
        def call(self, inputs: torch.Tensor) -> torch.Tensor:
            seen.append((inputs @ inputs.mT).dtype)
            return inputs

    model = neocog.Sequential([neocog.Input((4, 4)), Look(), Look(dtype="float32"), Look()])
    seen.clear()
    model(torch.ones(1, 4, 4))
    assert seen == [torch.bfloat16, torch.float32, torch.bfloat16]


def test_float16_on_the_cpu() -> None:
    layer = layers.Dense(2, dtype="mixed_float16")
    with pytest.warns(UserWarning, match="mixed_bfloat16"):
        assert layer(torch.ones(1, 3)).dtype == torch.float32
    mixed_precision.set_global_policy("mixed_float16")
    model = neocog.Sequential([neocog.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    assert isinstance(model.optimizer, LossScaleOptimizer)
    model.compile("sgd", "mse", auto_scale_loss=False)
    assert isinstance(model.optimizer, SGD)


def test_loss_scaling() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    optimizer = LossScaleOptimizer(SGD(0.5), initial_scale=8.0, dynamic_growth_steps=2)
    optimizer.build([weight])
    for _ in range(2):
        optimizer.scale_loss(weight.sum()).backward()
        optimizer.step()
        optimizer.zero_grad()
    assert weight.item() == 0.0
    assert optimizer.dynamic_scale == 16.0
    optimizer.apply([torch.tensor([float("inf")])], [weight])
    assert (weight.item(), optimizer.dynamic_scale, int(optimizer.iterations)) == (0.0, 8.0, 2)
    again = LossScaleOptimizer.from_config(optimizer.get_config())
    again.build([weight])
    again.load_state_dict(optimizer.state_dict())
    assert (again.dynamic_scale, int(again.iterations)) == (8.0, 2)
    store: dict[str, Any] = {}
    optimizer.save_own_variables(store)
    theirs = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5))
    theirs.build([keras.Variable([1.0])])
    assert len(store) == len(theirs.variables)
    other = LossScaleOptimizer(SGD(0.5))
    other.build([weight])
    other.load_own_variables({key: np.asarray(value) for key, value in store.items()})
    assert other.dynamic_scale == 8.0
    with pytest.raises(ValueError, match="inner optimizer"):
        LossScaleOptimizer(SGD(), clipnorm=1.0)
    with pytest.raises(TypeError, match="an optimizer"):
        LossScaleOptimizer("sgd")


@pytest.mark.parametrize("factor", [None, 64.0])
def test_a_fixed_factor_changes_nothing_in_float32(factor: float | None) -> None:
    model = neocog.Sequential([neocog.Input((3,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile(SGD(0.1, loss_scale_factor=factor), "mse")
    model.fit(np.ones((4, 3)), np.zeros((4, 1)), batch_size=4, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], 1 - 0.1 * 2 * 3, rtol=1e-5)
