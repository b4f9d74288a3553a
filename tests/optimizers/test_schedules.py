"""Schedules equal Keras's over many steps, restarts and boundaries included."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neocog.exceptions import ArgumentError, ArgumentTypeError
from neocog.optimizers import SGD, schedules

TABLE: dict[str, list[dict[str, object]]] = {
    "ExponentialDecay": [
        {"initial_learning_rate": 0.1, "decay_steps": 100, "decay_rate": 0.96},
        {"initial_learning_rate": 0.1, "decay_steps": 12.3, "decay_rate": 0.5, "staircase": True},
        {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 1.05, "staircase": True},
    ],
    "InverseTimeDecay": [
        {"initial_learning_rate": 0.1, "decay_steps": 1, "decay_rate": 1e-3},
        {"initial_learning_rate": 0.1, "decay_steps": 3.7, "decay_rate": 0.5, "staircase": True},
    ],
    "PiecewiseConstantDecay": [
        {"boundaries": [10], "values": [0.1, 0.01]},
        {"boundaries": [5, 17, 90], "values": [1.0, 0.5, 0.1, 0.05]},
    ],
    "PolynomialDecay": [
        {"initial_learning_rate": 0.1, "decay_steps": 150},
        {"initial_learning_rate": 0.1, "decay_steps": 37, "end_learning_rate": 0.01, "power": 2.5},
        {"initial_learning_rate": 0.1, "decay_steps": 30, "power": 0.5, "cycle": True},
        {"initial_learning_rate": 0.01, "decay_steps": 10, "end_learning_rate": 0.1, "cycle": True},
    ],
    "CosineDecay": [
        {"initial_learning_rate": 0.1, "decay_steps": 150},
        {"initial_learning_rate": 0.1, "decay_steps": 90, "alpha": 0.2},
        {"initial_learning_rate": 0.0, "decay_steps": 90, "warmup_target": 0.3, "warmup_steps": 40},
        {"initial_learning_rate": 0.1, "decay_steps": 50, "warmup_target": 0.2},
    ],
    "CosineDecayRestarts": [
        {"initial_learning_rate": 0.1, "first_decay_steps": 10},
        {"initial_learning_rate": 0.1, "first_decay_steps": 7, "t_mul": 1.0, "m_mul": 0.8},
        {"initial_learning_rate": 0.1, "first_decay_steps": 9, "t_mul": 1.5, "m_mul": 0.7, "alpha": 0.1},
        {"initial_learning_rate": 0.1, "first_decay_steps": 3, "t_mul": 3.0, "m_mul": 1.1},
    ],
}
CASES = [(name, arguments) for name, table in TABLE.items() for arguments in table]


def compare(mine: float, theirs: float) -> None:
    assert mine == pytest.approx(theirs, rel=1e-5, abs=1e-9)


def both(name: str, arguments: dict[str, object]) -> tuple[object, object]:
    return getattr(schedules, name)(**arguments), getattr(keras.optimizers.schedules, name)(**arguments)


def test_every_registered_schedule_is_in_the_table() -> None:
    assert set(TABLE) == set(schedules.SCHEDULES.names())


def test_the_comparison_fails_on_a_wrong_value() -> None:
    with pytest.raises(AssertionError):
        compare(0.1, 0.100002)


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_rates_over_many_steps(name: str, arguments: dict[str, object]) -> None:
    mine, theirs = both(name, arguments)
    for step in [*range(160), 999, 1000, 12345]:
        compare(mine(step), float(theirs(step)))  # type: ignore[operator]


@given(
    first=st.integers(1, 50),
    t_mul=st.sampled_from([1.0, 1.5, 2.0, 2.5, 3.0, 5.0]),
    m_mul=st.floats(0.5, 1.2),
)
def test_restarts_fall_on_keras_steps(first: int, t_mul: float, m_mul: float) -> None:
    arguments = {"initial_learning_rate": 1.0, "first_decay_steps": first, "t_mul": t_mul, "m_mul": m_mul}
    mine, theirs = both("CosineDecayRestarts", arguments)
    at, length = 0.0, float(first)
    for _ in range(5):
        for step in (int(at), int(at) + 1, max(int(at) - 1, 0)):
            assert mine(step) == pytest.approx(float(theirs(step)), rel=1e-5, abs=1e-6)  # type: ignore[operator]
        at += length
        length *= t_mul


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_config_round_trip_in_both_directions(name: str, arguments: dict[str, object]) -> None:
    mine, theirs = both(name, arguments)
    described = schedules.serialize(mine)  # type: ignore[arg-type]
    assert described == keras.optimizers.schedules.serialize(theirs)
    again = schedules.deserialize(described)
    assert type(again) is type(mine)
    assert again(17) == mine(17)  # type: ignore[operator]


def test_tensors_and_arrays_give_tensors() -> None:
    schedule = schedules.PolynomialDecay(1.0, 10, 0.0)
    assert isinstance(schedule(3), float)
    assert schedule(torch.tensor(5)).item() == 0.5
    assert schedule(torch.arange(3)).shape == (3,)
    assert schedule(np.arange(4).reshape(2, 2)).shape == (2, 2)
    assert schedule(np.int64(10)) == 0.0
    with pytest.raises(ArgumentTypeError, match="step to be a number"):
        schedule("3")


def test_own_schedules_see_a_tensor_and_are_found_by_name() -> None:
    class Rsqrt(schedules.LearningRateSchedule):
        def __init__(self, top: float) -> None:
            self.top = top

        def __call__(self, step: torch.Tensor) -> torch.Tensor:
            return self.top * torch.rsqrt(step + 1.0)

        def get_config(self) -> dict[str, float]:
            return {"top": self.top}

    optimizer = SGD(Rsqrt(0.5))
    optimizer.iterations = 3
    assert float(optimizer.learning_rate) == 0.25
    again = SGD.from_config(optimizer.get_config(), custom_objects={"Rsqrt": Rsqrt})
    again.iterations = 24
    assert float(again.learning_rate) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("ExponentialDecay", (0.1, 0, 0.5), "decay_steps above 0"),
        ("InverseTimeDecay", (-0.1, 1, 0.5), "initial_learning_rate in"),
        ("PolynomialDecay", (0.1, -5), "decay_steps above 0"),
        ("CosineDecay", (0.1, 0), "decay_steps above 0"),
        ("CosineDecayRestarts", (0.1, 0), "first_decay_steps above 0"),
        ("PiecewiseConstantDecay", ([1, 2], [0.1]), "one value more than boundaries"),
        ("PiecewiseConstantDecay", ([2, 1], [0.1, 0.2, 0.3]), "increasing boundaries"),
    ],
)
def test_bad_arguments(name: str, arguments: tuple[object, ...], text: str) -> None:
    with pytest.raises(ArgumentError, match=text):
        getattr(schedules, name)(*arguments)


def test_a_schedule_without_call_or_config_says_so() -> None:
    empty = schedules.LearningRateSchedule()
    with pytest.raises(NotImplementedError, match="__call__"):
        empty(0)
    with pytest.raises(NotImplementedError, match="get_config"):
        empty.get_config()
