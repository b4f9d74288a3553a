"""An optimizer's state: resumed equals uninterrupted, and what does not fit is refused."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import torch
from optimizer_cases import ARGUMENTS, SHAPES, drive, parameters
from torch import nn

from neocog import optimizers
from neocog.exceptions import (
    ArgumentError,
    ShapeError,
)
from neocog.optimizers import SGD, Adam


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_state_continues_bit_for_bit(name: str) -> None:
    arguments = {"use_ema": True, "gradient_accumulation_steps": 2, "learning_rate": 0.03}
    straight, params = optimizers.get(name).__class__(**arguments), parameters()
    straight.build(params)
    drive(straight, params, range(5))
    state = copy.deepcopy(straight.state_dict())
    resumed_params = [nn.Parameter(param.detach().clone()) for param in params]
    early, late = (type(straight)(**{**arguments, "learning_rate": 1.0}) for _ in range(2))
    early.load_state_dict(state)  # before build
    early.build(resumed_params)
    late_params = [nn.Parameter(param.detach().clone()) for param in params]
    late.build(late_params)
    late.load_state_dict(state)
    for optimizer, own in ((straight, params), (early, resumed_params), (late, late_params)):
        drive(optimizer, own, range(5, 9))
    for a, b, c in zip(params, resumed_params, late_params, strict=True):
        assert torch.equal(a, b)
        assert torch.equal(a, c)
    assert straight.iterations == early.iterations == 4


def test_state_is_plain_numbers_and_tensors() -> None:
    optimizer, params = Adam(), parameters()
    optimizer.build(params)
    drive(optimizer, params, range(2))
    state = optimizer.state_dict()
    assert state["iterations"] == 2
    assert json.loads(json.dumps({key: state[key] for key in ("iterations", "learning_rate", "scalars")}))
    assert set(state["slots"]) == {"momentum", "velocity"}
    assert all(type(slot) is torch.Tensor for slots in state["slots"].values() for slot in slots)


def test_state_of_another_optimizer_is_refused() -> None:
    adam, sgd, params = Adam(), SGD(momentum=0.9), parameters()
    adam.build(params)
    sgd.build(params)
    with pytest.raises(ArgumentError, match="a state with slots"):
        sgd.load_state_dict(adam.state_dict())
    other = Adam()
    other.build(parameters()[:2])
    with pytest.raises(ArgumentError, match="momentum slots 6"):
        adam.load_state_dict(other.state_dict())
    shaped = Adam()
    shaped.build([nn.Parameter(torch.ones(2, *shape)) for shape in SHAPES])
    with pytest.raises(ShapeError, match="momentum 0 of shape"):
        adam.load_state_dict(shaped.state_dict())


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_own_variables_round_trip(name: str) -> None:
    first, params = optimizers.get(name), parameters()
    first.build(params)
    drive(first, params, range(3))
    store: dict[str, np.ndarray] = {}
    first.save_own_variables(store)
    second = optimizers.get(name)
    copies = [nn.Parameter(param.detach().clone()) for param in params]
    second.build(copies)
    second.load_own_variables(store)
    for optimizer, own in ((first, params), (second, copies)):
        drive(optimizer, own, range(3, 5))
    for a, b in zip(params, copies, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-7)
    assert second.iterations == 5
    with pytest.warns(UserWarning, match="starts afresh"):
        second.load_own_variables({"0": np.zeros(())})
    with pytest.raises(ShapeError, match="values of shape"):
        second.set_weights([np.zeros(99) for _ in store])


def test_variables_assign_to_the_optimizer() -> None:
    optimizer = optimizers.Nadam()
    optimizer.build(parameters())
    variables = optimizer.variables
    variables[0].assign(7)
    variables[1].assign(0.5)
    variables[-1].assign(0.25)
    assert (optimizer.iterations, optimizer.learning_rate) == (7, 0.5)
    assert optimizer.state_dict()["scalars"] == {"u_product": 0.25}
    with pytest.raises(ShapeError, match="values of shape"):
        variables[2].assign(np.zeros(2))
