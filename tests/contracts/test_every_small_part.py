"""What every registered initializer, regularizer, constraint and activation keeps to."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from contract import check_config, check_documented, check_public, features, moved, network, no_sync

from neocog import activations, constraints, initializers, layers, regularizers
from neocog.activations import ACTIVATIONS
from neocog.constraints import CONSTRAINTS
from neocog.core import Registry, set_random_seed
from neocog.initializers import INITIALIZERS
from neocog.regularizers import REGULARIZERS

# Arguments, and a shape that the initializer can fill.
INITIALIZER_CASES: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "ArrayInitializer": ({"value": [1.0, 2.0, 3.0]}, (3,)),
    "Constant": ({"value": 0.5}, (4, 3)),
    "GlorotNormal": ({"seed": 3}, (3, 3, 4, 5)),
    "GlorotUniform": ({"seed": 3}, (4, 5)),
    "HeNormal": ({"seed": 3}, (4, 5)),
    "HeUniform": ({"seed": 3}, (4, 5)),
    "Identity": ({"gain": 2.0}, (4, 4)),
    "LecunNormal": ({"seed": 3}, (4, 5)),
    "LecunUniform": ({"seed": 3}, (4, 5)),
    "Ones": ({}, (4, 5)),
    "Orthogonal": ({"gain": 2.0, "seed": 3}, (4, 5)),
    "RandomNormal": ({"mean": 1.0, "stddev": 0.1, "seed": 3}, (4, 5)),
    "RandomUniform": ({"minval": -1.0, "maxval": 1.0, "seed": 3}, (4, 5)),
    "STFT": ({"side": "imag", "scaling": "spectrum"}, (16, 1, 9)),
    "TruncatedNormal": ({"mean": 1.0, "stddev": 0.1, "seed": 3}, (4, 5)),
    "VarianceScaling": ({"scale": 2.0, "mode": "fan_avg", "distribution": "uniform", "seed": 3}, (4, 5)),
    "Zeros": ({}, (4, 5)),
}
REGULARIZER_CASES: dict[str, dict[str, Any]] = {
    "L1": {"l1": 0.1},
    "L1L2": {"l1": 0.1, "l2": 0.2},
    "L2": {"l2": 0.1},
    "OrthogonalRegularizer": {"factor": 0.1, "mode": "columns"},
}
CONSTRAINT_CASES: dict[str, dict[str, Any]] = {
    "MaxNorm": {"max_value": 0.5, "axis": 0},
    "MinMaxNorm": {"min_value": 0.4, "max_value": 0.6, "axis": 0},
    "NonNeg": {},
    "UnitNorm": {"axis": 0},
}
ACTIVATION_ARGUMENTS: dict[str, dict[str, Any]] = {"threshold": {"threshold": 0.1, "default_value": -1.0}}
FAMILIES: list[tuple[Registry[Any], Any, dict[str, Any]]] = [
    (INITIALIZERS, initializers, INITIALIZER_CASES),
    (REGULARIZERS, regularizers, REGULARIZER_CASES),
    (CONSTRAINTS, constraints, CONSTRAINT_CASES),
]
CLASSES = [(registry, name) for registry, _, cases in FAMILIES for name in cases]
W = torch.randn(5, 4, generator=torch.Generator().manual_seed(1))


def make(registry: Registry[Any], name: str, **extra: Any) -> Any:
    cases = next(cases for known, _, cases in FAMILIES if known is registry)
    row = cases[name]
    return registry.resolve(name)(**(row[0] if isinstance(row, tuple) else row), **extra)


@pytest.mark.parametrize(("registry", "package", "cases"), FAMILIES, ids=lambda value: "")
def test_every_registered_class_is_public_and_has_a_row(
    registry: Registry[Any], package: Any, cases: dict[str, Any]
) -> None:
    assert set(registry.names()) == set(cases)
    check_public(registry, package)


def test_every_activation_is_public() -> None:
    check_public(ACTIVATIONS, activations)


@pytest.mark.parametrize(("registry", "name"), CLASSES, ids=[name for _, name in CLASSES])
class TestClass:
    def test_documented(self, registry: Registry[Any], name: str) -> None:
        check_documented(registry.resolve(name))

    def test_unknown_argument_is_refused(self, registry: Registry[Any], name: str) -> None:
        with pytest.raises(TypeError, match=r"no_such_argument|takes no arguments"):
            make(registry, name, no_such_argument=1)

    def test_config_round_trip(self, registry: Registry[Any], name: str) -> None:
        made = make(registry, name)
        again = check_config(registry, made)
        given = INITIALIZER_CASES[name][1] if registry is INITIALIZERS else W
        assert torch.equal(again(given), made(given))


@pytest.mark.parametrize("name", INITIALIZER_CASES)
class TestInitializer:
    @pytest.mark.parametrize("dtype", [None, "float64", torch.bfloat16])
    def test_shape_and_type(self, name: str, dtype: Any) -> None:
        shape = INITIALIZER_CASES[name][1]
        got = make(INITIALIZERS, name)(shape, dtype=dtype)
        assert tuple(got.shape) == shape
        assert got.dtype is {None: torch.float32, "float64": torch.float64}.get(dtype, torch.bfloat16)
        assert got.device.type == "cpu"
        assert torch.isfinite(got).all()
        assert not got.requires_grad

    def test_each_call_has_its_own_memory(self, name: str) -> None:
        initializer, shape = make(INITIALIZERS, name), INITIALIZER_CASES[name][1]
        expected = initializer(shape).clone()
        initializer(shape).fill_(7.0)
        assert torch.equal(initializer(shape), expected)

    def test_the_global_seed_repeats_it(self, name: str) -> None:
        cls, (arguments, shape) = INITIALIZERS.resolve(name), INITIALIZER_CASES[name]
        if "seed" not in arguments:
            pytest.skip("draws nothing")
        unseeded = {**arguments, "seed": None}
        drawn = []
        for _ in range(2):
            set_random_seed(5)
            drawn.append((cls(**unseeded)(shape), cls(**unseeded)(shape)))
        assert torch.equal(drawn[0][0], drawn[1][0])
        assert torch.equal(drawn[0][1], drawn[1][1])
        assert not torch.equal(drawn[0][0], drawn[0][1])

    def test_a_seed_of_its_own_leaves_the_global_one_alone(self, name: str) -> None:
        state = torch.get_rng_state()
        make(INITIALIZERS, name)(INITIALIZER_CASES[name][1])
        assert torch.equal(state, torch.get_rng_state())

    def test_fills_a_layer(self, name: str) -> None:
        shape = INITIALIZER_CASES[name][1]
        if len(shape) != 2:
            pytest.skip("does not fill a matrix")
        layer = layers.Dense(shape[1], kernel_initializer=make(INITIALIZERS, name))
        layer.build((None, shape[0]))
        np.testing.assert_array_equal(layer.get_weights()[0], make(INITIALIZERS, name)(shape).numpy())


@pytest.mark.parametrize("name", REGULARIZER_CASES)
class TestRegularizer:
    def test_is_a_penalty_with_a_gradient(self, name: str) -> None:
        weight = W.clone().requires_grad_()
        with no_sync():
            penalty = make(REGULARIZERS, name)(weight)
        assert penalty.shape == ()
        assert penalty > 0
        penalty.backward()
        assert weight.grad is not None
        assert torch.isfinite(weight.grad).all()
        assert make(REGULARIZERS, name)(W.double()).dtype is torch.float64
        assert make(REGULARIZERS, name)(W.to("meta")).device.type == "meta"

    def test_adds_to_the_loss_of_fit(self, name: str) -> None:
        targets = torch.zeros(8, 4)
        losses = []
        for regularizer in (None, make(REGULARIZERS, name)):
            model = network(layers.Dense(4, kernel_regularizer=regularizer))
            model.compile("sgd", "mse")
            losses.append(
                model.fit(features(), targets, batch_size=8, epochs=1, verbose=0).history["loss"][0]
            )
            kernel = network(layers.Dense(4)).get_weights()[2]  # the same seed: the same first weights
        penalty = make(REGULARIZERS, name)(torch.as_tensor(kernel)).item()
        assert losses[1] == pytest.approx(losses[0] + penalty, rel=1e-4)


@pytest.mark.parametrize("name", CONSTRAINT_CASES)
class TestConstraint:
    def test_once_is_enough(self, name: str) -> None:
        with no_sync():
            once = make(CONSTRAINTS, name)(W)
            twice = make(CONSTRAINTS, name)(once)
        torch.testing.assert_close(twice, once, rtol=1e-4, atol=1e-5)
        assert not torch.equal(once, W)
        assert once.shape == W.shape
        assert make(CONSTRAINTS, name)(W.double()).dtype is torch.float64
        assert make(CONSTRAINTS, name)(W.bfloat16()).dtype is torch.bfloat16
        assert make(CONSTRAINTS, name)(W.to("meta")).device.type == "meta"

    def test_its_argument_stays_as_it_is(self, name: str) -> None:
        weight = W.clone()
        make(CONSTRAINTS, name)(weight)
        assert torch.equal(weight, W)

    @pytest.mark.parametrize("optimizer", ["sgd", "adam", "adafactor"])
    def test_holds_after_fit(self, name: str, optimizer: str) -> None:
        model = network(layers.Dense(4, kernel_constraint=make(CONSTRAINTS, name)))
        model.compile(optimizer, "mse")
        before = model.get_weights()
        model.fit(features(), torch.ones(8, 4), batch_size=4, epochs=1, verbose=0)
        assert moved(before, model.get_weights())
        kernel = torch.as_tensor(model.get_weights()[2])
        torch.testing.assert_close(make(CONSTRAINTS, name)(kernel), kernel, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ACTIVATIONS.names())
class TestActivation:
    def call(self, name: str, x: Any) -> torch.Tensor:
        return ACTIVATIONS.resolve(name)(x, **ACTIVATION_ARGUMENTS.get(name, {}))  # type: ignore[no-any-return]

    def test_documented(self, name: str) -> None:
        function = ACTIVATIONS.resolve(name)
        check_documented(function, besides=frozenset({"x"}))
        assert ">>>" in (inspect.getdoc(function) or "")

    def test_unknown_argument_is_refused(self, name: str) -> None:
        with pytest.raises(TypeError, match="no_such_argument"):
            ACTIVATIONS.resolve(name)(W, no_such_argument=1)

    def test_name_round_trip(self, name: str) -> None:
        function = activations.get(name)
        assert activations.serialize(function) == name
        assert activations.deserialize(activations.serialize(function)) is function
        assert layers.Activation(name).get_config()["activation"] == name

    @pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
    def test_types_stay(self, name: str, dtype: torch.dtype) -> None:
        got = self.call(name, W.to(dtype))
        assert got.dtype is dtype
        torch.testing.assert_close(got.float(), self.call(name, W.to(dtype).float()), rtol=0.05, atol=0.05)

    def test_large_values_are_no_trouble(self, name: str) -> None:
        x = torch.tensor([[-1e4, -50.0, 0.0, 50.0]], requires_grad=True)
        with no_sync():
            got = self.call(name, x)
            got.nan_to_num(posinf=0.0).sum().backward()
        assert not torch.isnan(got).any()
        assert x.grad is not None
        assert not torch.isnan(x.grad).any()

    def test_inputs_stay_and_devices_too(self, name: str) -> None:
        x = W.clone()
        self.call(name, x)
        assert torch.equal(x, W)
        assert self.call(name, W.to("meta")).device.type == "meta"

    def test_arrays_and_integers_are_taken(self, name: str) -> None:
        if name == "linear":
            pytest.skip("returns what it is given, as in Keras")
        torch.testing.assert_close(self.call(name, W.numpy()), self.call(name, W))
        assert self.call(name, torch.arange(4)).is_floating_point()

    def test_trains_a_model(self, name: str) -> None:
        if name in ACTIVATION_ARGUMENTS or name == "glu":
            pytest.skip("needs arguments, or changes the shape")
        model = network(layers.Dense(4, activation=name), layers.Dense(1))
        model.compile("sgd", "mse")
        before = model.get_weights()
        model.fit(features(), torch.ones(8, 1), batch_size=4, epochs=1, verbose=0)
        assert moved(before, model.get_weights())
