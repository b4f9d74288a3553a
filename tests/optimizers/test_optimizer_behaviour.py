"""Everything about optimizers beside the numbers: verbs, state, rates, own rules, layouts, errors."""

from __future__ import annotations

import copy
import json
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from optimizer_cases import ARGUMENTS, SHAPES
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


def parameters(seed: int = 0) -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(seed)
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in SHAPES]


def drive(optimizer: Optimizer, params: list[nn.Parameter], steps: range) -> None:
    for step in steps:
        generator = torch.Generator().manual_seed(step)
        for param in params:
            param.grad = torch.randn(param.shape, generator=generator)
        optimizer.step()
        optimizer.zero_grad()


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


class OwnMomentum(Optimizer):
    """The example of Keras's documentation, in torch's operations."""

    def build(self, variables: list[object]) -> None:
        super().build(variables)
        self.momentums = [self.add_variable_from_reference(v, name="momentum") for v in variables]

    def update_step(self, gradient: torch.Tensor, variable: object, learning_rate: float) -> None:
        m = self.momentums[self._get_variable_index(variable)]
        self.assign(m, m * 0.9 - gradient * learning_rate)
        self.assign_add(variable, m)


@pytest.mark.parametrize("options", [{}, {"clipnorm": 0.5}, {"weight_decay": 0.1}, {"use_ema": True}])
def test_own_rules_equal_built_in_ones(options: dict[str, object]) -> None:
    own, ours = OwnMomentum(0.1, **options), SGD(0.1, momentum=0.9, **options)  # type: ignore[arg-type]
    own_params, params = parameters(), parameters()
    own.build(own_params)
    ours.build(params)
    assert ours.fused
    assert not own.fused
    drive(own, own_params, range(4))
    drive(ours, params, range(4))
    for a, b in zip(own_params, params, strict=True):
        torch.testing.assert_close(a, b)
    assert [v.numpy().shape for v in own.variables] == [v.numpy().shape for v in ours.variables]
    state = copy.deepcopy(own.state_dict())
    again = OwnMomentum(0.1, **options)  # type: ignore[arg-type]
    copies = [nn.Parameter(p.detach().clone()) for p in own_params]
    again.build(copies)
    again.load_state_dict(state)
    drive(own, own_params, range(4, 6))
    drive(again, copies, range(4, 6))
    assert all(torch.equal(a, b) for a, b in zip(own_params, copies, strict=True))


def test_own_rules_may_wrap_built_in_ones() -> None:
    class Scaled(Adam):
        def update_step(self, gradient: torch.Tensor, variable: object, learning_rate: float) -> None:
            super().update_step(gradient, variable, learning_rate * 2.0)

    scaled, plain = Scaled(0.1), Adam(0.2)
    a, b = parameters(), parameters()
    scaled.build(a)
    plain.build(b)
    drive(scaled, a, range(3))
    drive(plain, b, range(3))
    for x, y in zip(a, b, strict=True):
        torch.testing.assert_close(x, y)


def test_own_rules_see_keras_layout() -> None:
    kernel = nn.Parameter(torch.randn(4, 3, 2, 2).contiguous(memory_format=torch.channels_last))
    reference = SimpleNamespace(
        value=kernel,
        name="kernel",
        path="conv/kernel",
        shape=(2, 2, 3, 4),
        dtype=torch.float32,
        tensor=lambda: kernel,
        spec=SimpleNamespace(axes=(2, 3, 1, 0), reshape=None, constraint=None),
    )
    before = kernel.detach().clone()
    seen = []

    class Rule(OwnMomentum):
        def update_step(self, gradient: torch.Tensor, variable: object, learning_rate: float) -> None:
            seen.append((tuple(gradient.shape), tuple(variable.shape), variable.path))  # type: ignore[attr-defined]
            super().update_step(gradient, variable, learning_rate)

    rule = Rule(1.0)
    gradient = torch.randn(4, 3, 2, 2)
    rule.apply([gradient], [reference])
    assert seen == [((2, 2, 3, 4), (2, 2, 3, 4), "conv_kernel")]
    torch.testing.assert_close(kernel.detach(), before - gradient)
    adam = Adam()
    adam.apply([gradient], [reference])
    assert [variable.shape for variable in adam.variables[2:]] == [(2, 2, 3, 4)] * 2
    values = torch.arange(48.0).reshape(2, 2, 3, 4)
    adam.variables[2].assign(values)
    assert torch.equal(adam.state_dict()["slots"]["momentum"][0], values.permute(3, 2, 0, 1))


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


def reference_steps(name: str, weights: list[torch.Tensor], grads: list[torch.Tensor]) -> list[torch.Tensor]:
    """Three steps on contiguous copies: what any layout has to give."""
    params = [nn.Parameter(weight.detach().clone().contiguous()) for weight in weights]
    optimizer = optimizers.get(name)
    optimizer.build(params)
    for _ in range(3):
        optimizer.apply([grad.contiguous() for grad in grads])
    return [param.detach() for param in params]


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_any_strides(name: str) -> None:
    torch.manual_seed(0)
    kernel = torch.randn(4, 3, 2, 5)
    wide = torch.randn(6, 8)
    weights = [
        nn.Parameter(kernel.contiguous(memory_format=torch.channels_last)),
        nn.Parameter(kernel.clone()),
        nn.Parameter(torch.randn(5, 3).t()),
        nn.Parameter(wide[:, ::2]),  # gaps in memory
        nn.Parameter(torch.randn(0, 3)),
    ]
    grads = [
        torch.randn(4, 3, 2, 5),
        torch.randn(4, 3, 2, 5).contiguous(memory_format=torch.channels_last),
        torch.randn(3, 5),
        torch.randn(4, 6).t(),
        torch.zeros(0, 3),
    ]
    expected = reference_steps(name, weights, grads)
    optimizer = optimizers.get(name)
    optimizer.build(weights)
    for _ in range(3):
        optimizer.apply(grads)
    for weight, wanted in zip(weights, expected, strict=True):
        torch.testing.assert_close(weight.detach(), wanted, rtol=1e-5, atol=1e-6)
    assert torch.equal(weights[3], wide[:, ::2])  # still the same memory


@pytest.mark.parametrize("name", ["Adam", "SGD", "RMSprop"])
def test_parameters_that_change_format_or_type_after_build(name: str) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(3, 4, 3)
    twin = copy.deepcopy(layer)
    inputs = torch.randn(2, 3, 6, 6)
    pairs = [(module, optimizers.get(name)) for module in (layer, twin)]
    for module, optimizer in pairs:
        optimizer.build(module.parameters())
    for step in range(4):
        if step == 2:
            layer.to(memory_format=torch.channels_last)
        for module, optimizer in pairs:
            optimizer.zero_grad()
            module(inputs).square().sum().backward()
            optimizer.step()
    torch.testing.assert_close(layer.weight, twin.weight)
    layer.double()
    layer(inputs.double()).sum().backward()
    optimizer = pairs[0][1]
    optimizer.zero_grad()
    layer(inputs.double()).sum().backward()
    optimizer.step()
    assert all(
        slot.dtype is torch.float64 for slots in optimizer.state_dict()["slots"].values() for slot in slots
    )


def test_sparse_gradients_are_those_of_dense_ones() -> None:
    dense, sparse = nn.Embedding(5, 2), nn.Embedding(5, 2, sparse=True)
    sparse.load_state_dict(dense.state_dict())
    for layer in (dense, sparse):
        optimizer = Adam(0.1)
        optimizer.build(layer.parameters())
        for _ in range(2):
            optimizer.zero_grad()
            layer(torch.tensor([1, 3, 3])).square().sum().backward()
            optimizer.step()
    torch.testing.assert_close(dense.weight, sparse.weight)


def test_mixed_types_and_subclasses_of_parameters() -> None:
    class Weight(nn.Parameter):
        pass

    params = [
        Weight(torch.ones(3)),
        nn.Parameter(torch.ones(3, dtype=torch.float64)),
        nn.Parameter(torch.ones(3, dtype=torch.bfloat16)),
    ]
    optimizer = Adam(0.25, global_clipnorm=1.0)
    optimizer.build(params)
    for param in params:
        param.grad = torch.ones_like(param)
    optimizer.step()
    for param in params:
        torch.testing.assert_close(
            param.detach().double(), torch.full((3,), 0.75, dtype=torch.float64), rtol=1e-2, atol=0
        )
    assert optimizer.fused


def test_gradients_are_not_written_to() -> None:
    for options in (
        {},
        {"clipnorm": 0.1},
        {"clipvalue": 0.1},
        {"global_clipnorm": 0.1},
        {"loss_scale_factor": 2.0},
    ):
        for name in sorted(ARGUMENTS):
            optimizer = optimizers.OPTIMIZERS.resolve(name)(**options)
            weight, grad = nn.Parameter(torch.ones(2, 2)), torch.full((2, 2), 3.0)
            optimizer.apply([grad], [weight])
            assert torch.equal(grad, torch.full((2, 2), 3.0)), (name, options)


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
