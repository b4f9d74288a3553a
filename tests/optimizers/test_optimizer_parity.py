"""Weights after many steps equal Keras's: every optimizer, option, schedule, size of gradient and shape."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from optimizer_cases import ARGUMENTS, CASES, OPTIONS, SHAPES, Pair, compare, gradients_of

from neocog import optimizers
from neocog.optimizers import schedules

# Keras 3.15 reads tensors through NumPy's older protocol.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_every_registered_optimizer_is_in_the_table() -> None:
    assert {*ARGUMENTS, "LossScaleOptimizer", "MultiOptimizer", "OptimizerMap"} == set(
        optimizers.OPTIMIZERS.names()
    )  # tested on its own


def test_the_comparison_fails_on_a_wrong_value() -> None:
    right = np.ones(3, dtype="float32")
    compare(right, right)
    with pytest.raises(AssertionError):
        compare(right * (1 + 3e-5), right)


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_weights_under_a_schedule(name: str, arguments: dict[str, object]) -> None:
    rate = float(arguments.get("learning_rate", 0.02))  # type: ignore[arg-type]
    schedule = schedules.ExponentialDecay(rate, decay_steps=7, decay_rate=0.6)
    pair = Pair(name, {**arguments, "learning_rate": schedule}, SHAPES)
    rng = np.random.default_rng(1)
    for step in range(50):
        pair.apply(gradients_of(rng, SHAPES))
        if step in (0, 1, 49):
            pair.check()


@pytest.mark.parametrize("scale", [1e-12, 1e-7, 1e-4, 1e4])
@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_tiny_and_large_gradients(name: str, arguments: dict[str, object], scale: float) -> None:
    pair = Pair(name, arguments, SHAPES)
    rng = np.random.default_rng(2)
    for _ in range(12):
        pair.apply(gradients_of(rng, SHAPES, scale))
    pair.check()


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options) or "plain")
@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_shared_options_with_missing_and_zero_gradients(name: str, options: dict[str, object]) -> None:
    pair = Pair(name, {**options, "learning_rate": 0.02}, SHAPES)
    rng = np.random.default_rng(3)
    for step in range(9):
        gradients: list[np.ndarray | None] = list(gradients_of(rng, SHAPES))
        gradients[1] = np.asarray(gradients[1]) * np.float32(0)
        if step % 3 == 1:
            gradients[2] = None
        pair.apply(gradients)
    pair.check()
    pair.finish()
    pair.check()


@given(
    name=st.sampled_from(sorted(ARGUMENTS)),
    shapes=st.lists(st.lists(st.integers(1, 6), max_size=4).map(tuple), min_size=1, max_size=4),
    rate=st.floats(1e-4, 0.5),
    exponent=st.integers(-9, 2),
    seed=st.integers(0, 1000),
)
def test_drawn_shapes_and_rates(
    name: str, shapes: list[tuple[int, ...]], rate: float, exponent: int, seed: int
) -> None:
    pair = Pair(name, {"learning_rate": rate}, shapes, seed)
    rng = np.random.default_rng(seed)
    for _ in range(6):
        pair.apply(gradients_of(rng, shapes, 10.0**exponent))
    pair.check()


@given(beta_1=st.floats(0.0, 0.99), beta_2=st.floats(0.5, 0.99999), exponent=st.integers(-10, -1))
def test_drawn_betas(beta_1: float, beta_2: float, exponent: int) -> None:
    for name in ("Adam", "Nadam", "Adamax"):
        pair = Pair(name, {"beta_1": beta_1, "beta_2": beta_2, "epsilon": 10.0**exponent}, SHAPES)
        rng = np.random.default_rng(4)
        for _ in range(3):
            pair.apply(gradients_of(rng, SHAPES))
        pair.check(rtol=2e-5)


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam"])
def test_a_rate_changed_between_steps(name: str) -> None:
    arguments = {} if name == "Adam" else {"momentum": 0.9}
    pair = Pair(name, {**arguments, "learning_rate": 0.1}, SHAPES)
    rng = np.random.default_rng(5)
    for rate in (0.1, 0.01, 0.0, 0.2):
        pair.keras_optimizer.learning_rate = rate
        pair.optimizer.learning_rate = rate
        for _ in range(3):
            pair.apply(gradients_of(rng, SHAPES))
    pair.check()


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_variables_have_keras_order_and_values(name: str) -> None:
    pair = Pair(name, {"use_ema": True}, SHAPES)
    rng = np.random.default_rng(6)
    for _ in range(3):
        pair.apply(gradients_of(rng, SHAPES))
    theirs = [variable.value.detach().numpy() for variable in pair.keras_optimizer.variables]
    mine = [variable.numpy() for variable in pair.optimizer.variables]
    assert [value.shape for value in mine] == [value.shape for value in theirs]
    for own, other in zip(mine, theirs, strict=True):
        compare(own, other, 2e-5)


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_config_has_keras_keys_and_makes_the_same_optimizer(name: str, arguments: dict[str, object]) -> None:
    mine = getattr(optimizers, name)(**arguments, name="mine")
    theirs = getattr(keras.optimizers, name)(**arguments, name="mine")
    expected = theirs.get_config()
    config = mine.get_config()
    assert set(config) == set(expected)
    for key, value in expected.items():
        assert config[key] == (pytest.approx(value, rel=1e-6) if isinstance(value, float) else value), key
    again = optimizers.deserialize(optimizers.serialize(mine))
    assert type(again) is type(mine)
    assert again.get_config() == config
    if name != "Lamb":  # which Keras exports and cannot deserialize
        theirs = keras.optimizers.deserialize(optimizers.serialize(mine))
        assert theirs.get_config().keys() == expected.keys()


def test_weight_decay_leaves_excluded_variables_alone() -> None:
    for name in ("SGD", "AdamW", "Adam", "Muon"):
        pair = Pair(name, {"weight_decay": 0.2, "learning_rate": 0.1}, SHAPES)
        pair.keras_optimizer.exclude_from_weight_decay(var_list=pair.keras_variables[1:3])
        pair.optimizer.exclude_from_weight_decay(var_list=pair.parameters[1:3])
        rng = np.random.default_rng(7)
        for _ in range(4):
            pair.apply(gradients_of(rng, SHAPES))
        pair.check()


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_float64_weights(name: str) -> None:
    rng = np.random.default_rng(8)
    parameter = torch.nn.Parameter(torch.tensor(rng.normal(size=(3, 4))))
    variable = keras.Variable(parameter.detach().numpy(), dtype="float64")
    mine, theirs = getattr(optimizers, name)(), getattr(keras.optimizers, name)()
    mine.build([parameter])
    theirs.build([variable])
    for _ in range(5):
        gradient = torch.tensor(rng.normal(size=(3, 4)))
        theirs.apply([gradient], [variable])
        parameter.grad = gradient
        mine.step()
    # Keras's rate is a float32 number
    np.testing.assert_allclose(
        parameter.detach().numpy(), variable.value.detach().numpy(), rtol=1e-7, atol=1e-8
    )
