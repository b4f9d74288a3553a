"""What every registered optimizer and schedule keeps to; one without a row here fails."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from contract import (
    check_config,
    check_documented,
    check_forgotten,
    check_public,
    features,
    moved,
    network,
    no_sync,
)

from neocog import layers, optimizers
from neocog.exceptions import ArgumentError, ArgumentTypeError
from neocog.optimizers import OPTIMIZERS, schedules
from neocog.optimizers.schedules import SCHEDULES

CASES: dict[str, dict[str, Any]] = {
    "Adadelta": {"rho": 0.9, "epsilon": 1e-5},
    "Adafactor": {"clip_threshold": 0.9},
    "Adagrad": {"initial_accumulator_value": 0.2},
    "Adam": {"amsgrad": True, "clipnorm": 1.0},
    "AdamW": {"weight_decay": 0.01},
    "Adamax": {"beta_1": 0.8},
    "Ftrl": {"l1_regularization_strength": 0.01, "beta": 0.1},
    "Lamb": {"epsilon": 1e-5},
    "Lion": {"beta_2": 0.95},
    "Muon": {"ns_steps": 3},
    "Nadam": {"global_clipnorm": 1.0},
    "RMSprop": {"centered": True, "momentum": 0.5},
    "ScheduleFreeAdamW": {"warmup_steps": 3},
    "SGD": {"momentum": 0.9, "nesterov": True, "clipvalue": 0.5},
}
SCHEDULE_CASES: dict[str, dict[str, Any]] = {
    "CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 10, "warmup_target": 0.2, "warmup_steps": 2},
    "CosineDecayRestarts": {"initial_learning_rate": 0.1, "first_decay_steps": 4, "m_mul": 0.9},
    "ExponentialDecay": {
        "initial_learning_rate": 0.1,
        "decay_steps": 3,
        "decay_rate": 0.5,
    },
    "InverseTimeDecay": {
        "initial_learning_rate": 0.1,
        "decay_steps": 3,
        "decay_rate": 0.5,
        "staircase": True,
    },
    "PiecewiseConstantDecay": {"boundaries": [1, 3], "values": [0.3, 0.2, 0.1]},
    "PolynomialDecay": {"initial_learning_rate": 0.1, "decay_steps": 5, "power": 2.0, "cycle": True},
}


def make(name: str, **extra: Any) -> Any:
    return OPTIMIZERS.resolve(name)(**{"learning_rate": 0.05, **CASES[name], **extra})


def parameters(dtype: torch.dtype = torch.float32, device: str = "cpu") -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(2)
    shapes = ((3, 4), (4,), (2, 3, 3, 3))
    drawn = [torch.randn(shape, generator=generator).to(device, dtype) for shape in shapes]
    return [torch.nn.Parameter(value) for value in drawn]


def gradients(like: list[torch.nn.Parameter], step: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(100 + step)
    return [torch.randn(p.shape, generator=generator).to(p.device, p.dtype) for p in like]


def advance(optimizer: Any, params: list[torch.nn.Parameter], *steps: int) -> None:
    for step in steps:
        optimizer.apply(gradients(params, step), params)


def test_every_registered_optimizer_and_schedule_has_a_row() -> None:
    assert set(OPTIMIZERS.names()) == {*CASES, "LossScaleOptimizer", "MultiOptimizer", "OptimizerMap"}
    assert set(SCHEDULES.names()) == set(SCHEDULE_CASES)


def test_every_optimizer_and_schedule_is_public() -> None:
    check_public(OPTIMIZERS, optimizers)
    check_public(SCHEDULES, schedules)


@pytest.mark.parametrize("name", CASES)
class TestOptimizer:
    def test_documented(self, name: str) -> None:
        check_documented(OPTIMIZERS.resolve(name))

    def test_names_do_not_mind_case(self, name: str) -> None:
        for spelling in (name, name.lower(), name.upper()):
            assert type(optimizers.get(spelling)) is OPTIMIZERS.resolve(name)

    def test_config_round_trip(self, name: str) -> None:
        again = check_config(OPTIMIZERS, make(name))
        one, other = parameters(), parameters()
        advance(make(name), one, 1, 2)
        advance(again, other, 1, 2)
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))

    @pytest.mark.parametrize("schedule", SCHEDULE_CASES)
    def test_config_round_trip_with_a_schedule(self, name: str, schedule: str) -> None:
        rate = SCHEDULES.resolve(schedule)(**SCHEDULE_CASES[schedule])
        again = check_config(OPTIMIZERS, make(name, learning_rate=rate))
        assert float(again.learning_rate) == rate(0)

    def test_unknown_argument_is_refused(self, name: str) -> None:
        with pytest.raises(ArgumentTypeError, match=r"learning_rat'. Did you mean 'learning_rate'\?"):
            make(name, learning_rat=0.1)

    @pytest.mark.parametrize("rate", [-0.1, float("nan"), None, "fast"])
    def test_rates_that_are_none_are_refused(self, name: str, rate: Any) -> None:
        with pytest.raises((ArgumentError, ArgumentTypeError), match="learning_rate"):
            make(name, learning_rate=rate)

    @pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
    def test_other_floats(self, name: str, dtype: torch.dtype) -> None:
        exact, other = parameters(), parameters(dtype)
        advance(make(name), exact, 1)
        advance(make(name), other, 1)
        assert all(p.dtype is dtype for p in other)
        tolerance = 1e-4 if dtype is torch.float64 else 0.1
        for a, b in zip(exact, other, strict=True):
            torch.testing.assert_close(a.detach(), b.detach().float(), rtol=tolerance, atol=tolerance)

    @pytest.mark.parametrize("extra", [{}, {"use_ema": True}, {"gradient_accumulation_steps": 2}])
    def test_state_round_trip(self, name: str, extra: dict[str, Any]) -> None:
        optimizer, params = make(name, **extra), parameters()
        advance(optimizer, params, 1, 2, 3)
        state, weights = copy.deepcopy(optimizer.state_dict()), copy.deepcopy(params)
        advance(optimizer, params, 4, 5)
        other = make(name, **extra, learning_rate=0.7)
        other.build(weights)
        other.load_state_dict(state)
        advance(other, weights, 4, 5)
        assert all(torch.equal(a, b) for a, b in zip(params, weights, strict=True))
        assert float(other.learning_rate) == pytest.approx(0.05)
        assert int(other.iterations) == int(optimizer.iterations)

    def test_nothing_is_kept(self, name: str) -> None:
        optimizer, params = make(name), parameters()
        advance(optimizer, params, 1)
        rest = gradients(params, 2)[1:]
        check_forgotten(
            lambda: gradients(params, 2)[0].requires_grad_(), lambda x: optimizer.apply([x, *rest], params)
        )
        assert all(p.is_leaf and p.requires_grad and p.grad is None for p in params)

    def test_gradients_stay_as_they_are(self, name: str) -> None:
        optimizer, params = make(name), parameters()
        grads = gradients(params, 1)
        for _ in range(2):
            optimizer.apply(grads, params)
        assert all(torch.equal(a, b) for a, b in zip(grads, gradients(params, 1), strict=True))

    def test_stays_on_the_device(self, name: str) -> None:
        optimizer, params = make(name), parameters()
        advance(optimizer, params, 1)
        grads = gradients(params, 2)
        with no_sync():
            optimizer.apply(grads, params)
        elsewhere = parameters(device="meta")
        advance(make(name), elsewhere, 1, 2)

    def test_trains_a_model(self, name: str) -> None:
        model = network(layers.Dense(4, activation="softmax"))
        model.compile(make(name), "sparse_categorical_crossentropy")
        before = model.get_weights()
        history = model.fit(features(), torch.arange(8) % 4, batch_size=4, epochs=1, verbose=0)
        assert np.isfinite(history.history["loss"]).all()
        assert moved(before, model.get_weights())
        assert int(model.optimizer.iterations) == 2

    def test_trains_by_name(self, name: str) -> None:
        model = network(layers.Dense(1))
        model.compile(name.lower(), "mse")
        before = model.get_weights()
        model.fit(features(), torch.ones(8, 1), batch_size=4, epochs=1, verbose=0)
        assert moved(before, model.get_weights())


@pytest.mark.parametrize("name", SCHEDULE_CASES)
class TestSchedule:
    def test_documented(self, name: str) -> None:
        check_documented(SCHEDULES.resolve(name))

    def test_config_round_trip(self, name: str) -> None:
        schedule = SCHEDULES.resolve(name)(**SCHEDULE_CASES[name])
        again = check_config(SCHEDULES, schedule)
        assert [again(step) for step in range(12)] == [schedule(step) for step in range(12)]

    def test_unknown_argument_is_refused(self, name: str) -> None:
        with pytest.raises(TypeError, match="no_such_argument"):
            SCHEDULES.resolve(name)(**SCHEDULE_CASES[name], no_such_argument=1)

    def test_numbers_give_numbers_and_tensors_tensors(self, name: str) -> None:
        schedule = SCHEDULES.resolve(name)(**SCHEDULE_CASES[name])
        rates = [schedule(step) for step in range(8)]
        assert all(type(rate) is float and rate >= 0 for rate in rates)
        for steps in (torch.arange(8), np.arange(8)):
            torch.testing.assert_close(schedule(steps), torch.tensor(rates))

    def test_drives_an_optimizer_in_fit(self, name: str) -> None:
        schedule = SCHEDULES.resolve(name)(**SCHEDULE_CASES[name])
        model = network(layers.Dense(1))
        model.compile(optimizers.SGD(schedule), "mse")
        before = model.get_weights()
        model.fit(features(), torch.ones(8, 1), batch_size=2, epochs=1, verbose=0)
        assert moved(before, model.get_weights())
        assert float(model.optimizer.learning_rate) == pytest.approx(schedule(4))
