"""Rules of the user's own, written one variable at a time as in Keras."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
import torch
from optimizer_cases import drive, parameters
from torch import nn

from neocog.optimizers import SGD, Adam, Optimizer


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
