"""Optimizers beside the numbers: verbs, rates, names, errors, torch's own optimizers."""

from __future__ import annotations

import copy
import json
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from optimizer_cases import ARGUMENTS, parameters
from torch import nn

from neocog import optimizers
from neocog.core import custom_object_scope
from neocog.exceptions import (
    ArgumentError,
    ArgumentTypeError,
    NotBuiltError,
    ShapeError,
    UnknownNameError,
)
from neocog.optimizers import SGD, Adam, Optimizer, TorchOptimizer, schedules


def test_learning_rate_reads_as_a_number_and_assigns() -> None:
    optimizer = Adam(0.25)
    rate = optimizer.learning_rate
    assert (rate * 2, f"{rate:.2f}", rate < 1, rate.item(), float(rate)) == (0.5, "0.25", True, 0.25, 0.25)
    assert rate.numpy() == np.float32(0.25)
    assert torch.ones(1).mul(rate).item() == 0.25
    assert json.dumps({"lr": rate}) == '{"lr": 0.25}'
    assert rate.assign(0.5) == 0.5 == optimizer.learning_rate
    assert copy.deepcopy(rate) == 0.25
    optimizer.learning_rate = np.float32(0.125)
    assert optimizer.learning_rate == 0.125
    optimizer.learning_rate = torch.tensor(0.0)
    assert optimizer.learning_rate == 0.0
    with pytest.warns(DeprecationWarning, match="learning_rate"):
        optimizer.lr = 0.75
    with pytest.warns(DeprecationWarning, match="learning_rate"):
        assert optimizer.lr == 0.75
    assert (optimizer.iterations.numpy(), optimizer.iterations.item(), optimizer.iterations.value) == (
        0,
        0,
        0,
    )


def test_rates_from_schedules_and_functions() -> None:
    optimizer = SGD(schedules.PiecewiseConstantDecay([0], [1.0, 0.5]))
    (weight,) = params = [nn.Parameter(torch.zeros(()))]
    optimizer.build(params)
    for _ in range(3):
        weight.grad = torch.ones(())
        optimizer.step()
    assert weight.item() == -2.0
    with pytest.raises(ArgumentTypeError, match="follows one"):
        optimizer.learning_rate = 0.1
    optimizer.learning_rate = schedules.PiecewiseConstantDecay([0], [1.0, 0.25])
    assert optimizer.learning_rate == 0.25

    def quarter() -> float:
        return 0.25

    by_function = SGD(quarter)
    assert by_function.learning_rate == 0.25
    with custom_object_scope({"quarter": quarter}):
        assert SGD.from_config(by_function.get_config()).learning_rate == 0.25
    with pytest.raises(ArgumentError, match="custom_objects"):
        SGD.from_config(by_function.get_config())


def test_keras_2_spellings() -> None:
    with pytest.warns(DeprecationWarning, match="learning_rate") as caught:
        optimizer = SGD(lr=1.0, decay=1.0)
    assert "learning_rate" in str(caught[0].message)
    assert "InverseTimeDecay" in str(caught[1].message)
    assert caught[0].filename == __file__
    weight = nn.Parameter(torch.zeros(()))
    for _ in range(3):
        optimizer.apply([torch.ones(())], [weight])
    assert weight.item() == pytest.approx(-(1 + 1 / 2 + 1 / 3))
    assert optimizer.learning_rate == 1.0  # as in Keras 2, the rate before decay, which callbacks set
    again = SGD.from_config(optimizer.get_config())
    again.iterations = 3
    assert float(again.learning_rate) == pytest.approx(0.25)
    old = {"name": "SGD", "learning_rate": 0.5, "decay": 0.0, "momentum": 0.0, "nesterov": False}
    assert SGD.from_config({**old, "jit_compile": False, "is_legacy_optimizer": True}).learning_rate == 0.5
    assert Adam(epsilon=None).epsilon == 1e-7


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_names_in_any_case(name: str) -> None:
    for spelling in (name, name.lower(), name.upper()):
        assert type(optimizers.get(spelling)).__name__ == name
    kind = optimizers.OPTIMIZERS.resolve(name)
    assert optimizers.get(kind).__class__ is kind
    made = kind()
    assert optimizers.get(made) is made
    assert optimizers.get({"class_name": name, "config": {"learning_rate": 0.5}}).learning_rate == 0.5


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: SGD(learning_rat=0.1), ArgumentTypeError, "Did you mean 'learning_rate'"),
        (lambda: Adam(beta1=0.1), ArgumentTypeError, "Did you mean 'beta_1'"),
        (lambda: SGD(-0.1), ArgumentError, r"learning_rate in \[0, inf\]"),
        (lambda: SGD(float("nan")), ArgumentError, "learning_rate in"),
        (lambda: SGD("fast"), ArgumentTypeError, "a schedule or a function"),
        (lambda: SGD(None), ArgumentTypeError, "a schedule or a function"),
        (
            lambda: SGD(clipnorm=1.0, clipvalue=1.0),
            ArgumentError,
            "got clipnorm and clipvalue",
        ),
        (lambda: SGD(clipvalue=-1.0), ArgumentError, "clipvalue in"),
        (lambda: SGD(momentum=1.5), ArgumentError, r"momentum in \[0, 1\]"),
        (lambda: SGD(use_ema=True, ema_momentum=2.0), ArgumentError, "ema_momentum in"),
        (lambda: SGD(use_ema=True, ema_overwrite_frequency=-1), ArgumentError, "ema_overwrite_frequency"),
        (lambda: SGD(gradient_accumulation_steps=1), ArgumentError, "gradient_accumulation_steps"),
        (lambda: SGD(loss_scale_factor=0.0), ArgumentError, "loss_scale_factor above 0"),
        (lambda: optimizers.AdamW(weight_decay=None), ArgumentError, "weight_decay to be a number"),
        (lambda: optimizers.Lion(beta_1=0.0), ArgumentError, "beta_1 above 0"),
        (lambda: optimizers.Ftrl(learning_rate_power=0.5), ArgumentError, "learning_rate_power in"),
        (
            lambda: optimizers.Adagrad(initial_accumulator_value=-1.0),
            ArgumentError,
            "initial_accumulator_value",
        ),
        (lambda: optimizers.get("adamm"), UnknownNameError, "Did you mean .*'adam'"),
        (lambda: optimizers.get(3), ArgumentTypeError, "optimizer"),
        (lambda: optimizers.get(abs), ArgumentTypeError, "a name, a config or an optimizer"),
        (lambda: TorchOptimizer(3), ArgumentTypeError, "a torch.optim.Optimizer"),  # type: ignore[arg-type]
    ],
)
def test_bad_arguments(make: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()  # type: ignore[operator]


def test_bad_variables_and_gradients() -> None:
    optimizer, params = Adam(), parameters()
    with pytest.raises(NotBuiltError, match="build"):
        optimizer.step()
    with pytest.raises(NotBuiltError, match="build"):
        optimizer.apply([torch.ones(1)])
    optimizer.apply([])
    with pytest.raises(ArgumentError, match="listed twice"):
        Adam().build([params[0], params[0]])
    with pytest.raises(ShapeError, match="parameters, or objects"):
        Adam().build([3])
    optimizer.build(params)
    optimizer.build(params)
    with pytest.raises(ArgumentError, match="this optimizer was built on other variables"):
        optimizer.build(parameters())
    with pytest.raises(ArgumentError, match="this optimizer was built on other variables"):
        optimizer.apply([torch.ones(1)], [nn.Parameter(torch.ones(1))])
    with pytest.raises(ArgumentError, match="one gradient for each of 6"):
        optimizer.apply([torch.ones(1)])
    with pytest.raises(ShapeError, match=r"a gradient of shape \(5, 3\), got \(3, 5\)"):
        optimizer.apply([torch.ones(3, 5)], params[:1])
    with pytest.raises(ArgumentError, match="a gradient for some variable"):
        optimizer.apply([None] * 6)
    with pytest.warns(UserWarning, match="no variable has a gradient"):
        optimizer.step()
    assert optimizer.iterations == 0
    with pytest.warns(UserWarning, match="no gradients for variable 0"):
        optimizer.apply([None, torch.ones(3)], params[:2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.apply([None, torch.ones(3)], params[:2])  # said once
    with pytest.raises(NotImplementedError, match="update_step"):
        Optimizer(0.1).apply([torch.ones(3)], [params[1]])


def test_apply_gradients_and_subsets() -> None:
    optimizer, params = SGD(1.0), parameters()
    before = [param.detach().clone() for param in params]
    optimizer.build(params)
    assert optimizer.apply_gradients([(torch.ones(3), params[1]), (np.ones((5, 3)), params[0])]) == 1
    for k, (param, old) in enumerate(zip(params, before, strict=True)):
        torch.testing.assert_close(param.detach(), old - (1.0 if k < 2 else 0.0))


def test_wrappers_with_value_and_constraints() -> None:
    weight = nn.Parameter(torch.ones(2))
    wrapper = SimpleNamespace(
        value=weight,
        name="bias",
        path="dense/bias",
        shape=(2,),
        dtype=torch.float32,
        tensor=lambda: weight,
        spec=SimpleNamespace(axes=None, reshape=None, constraint=lambda w: torch.clamp(w, min=0.0)),
    )
    optimizer = Adam(0.5, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply([torch.tensor([1.0, 0.0])], [wrapper])
    torch.testing.assert_close(weight.detach(), torch.tensor([0.5, 1.0]))
    optimizer.apply([torch.tensor([100.0, 0.0])], [SimpleNamespace(**vars(wrapper))])  # a fresh wrapper
    assert weight.min().item() >= 0.0
    assert [variable.path for variable in optimizer.variables[2:]] == [
        "dense_bias_momentum",
        "dense_bias_velocity",
    ]


def test_named_parameters_can_be_excluded_by_name() -> None:
    layer = nn.Linear(2, 2)
    bias = layer.bias.detach().clone()
    optimizer = optimizers.AdamW(0.1, weight_decay=0.5)
    optimizer.build(layer.named_parameters())
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    before = layer.weight.detach().clone()
    for param in layer.parameters():
        param.grad = torch.zeros_like(param)
    optimizer.step()
    assert torch.equal(layer.bias, bias)
    torch.testing.assert_close(layer.weight.detach(), before * 0.95)


def test_zero_grad_and_scale_loss() -> None:
    params = parameters()
    optimizer = SGD(loss_scale_factor=4.0)
    optimizer.build(params)
    params[0].grad = torch.ones(5, 3)
    optimizer.zero_grad(set_to_none=False)
    assert params[0].grad.abs().sum() == 0
    optimizer.zero_grad()
    assert params[0].grad is None
    assert optimizer.scale_loss(2.0) == 8.0
    assert SGD().scale_loss(2.0) == 2.0


def test_torch_optimizers_take_the_same_verbs() -> None:
    weight, other = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2))
    inner = torch.optim.SGD([{"params": [weight]}, {"params": [other], "lr": 0.5}], lr=1.0, momentum=0.5)
    optimizer = optimizers.get(inner)
    assert isinstance(optimizer, TorchOptimizer)
    assert (optimizer.name, optimizer.built, optimizer.fused, optimizer.learning_rate) == (
        "sgd",
        True,
        False,
        1.0,
    )
    weight.grad, other.grad = torch.ones(2), torch.ones(2)
    optimizer.step()
    optimizer.zero_grad()
    assert weight.grad is None
    assert (weight[0].item(), other[0].item(), optimizer.iterations) == (-1.0, -0.5, 1)
    optimizer.learning_rate = 0.5
    assert [group["lr"] for group in inner.param_groups] == [0.5, 0.25]
    optimizer.learning_rate.assign(0.0)
    optimizer.learning_rate = 0.5
    assert [group["lr"] for group in inner.param_groups] == [0.5, 0.5]
    state = copy.deepcopy(optimizer.state_dict())
    optimizer.apply_gradients([(torch.ones(2), weight), (None, other)])
    after = weight.detach().clone()
    with torch.no_grad():
        weight.fill_(-1.0)
    optimizer.load_state_dict(state)
    assert optimizer.iterations == 1
    optimizer.apply([torch.ones(2)], [weight])
    assert torch.equal(weight, after)
    optimizer.build([weight])
    optimizer.finalize_variable_values([weight])
    assert optimizer.scale_loss(3.0) == 3.0
    with pytest.raises(ArgumentError, match="one gradient for each"):
        optimizer.apply([torch.ones(2)], [nn.Parameter(torch.ones(2))])
    with pytest.raises(ArgumentError, match="learning_rate in"):
        optimizer.learning_rate = -1.0
