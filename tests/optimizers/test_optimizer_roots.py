"""Rules with epsilon inside the root, by torch's kernel of AdaGrad, against their formulas in float64."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from neocog.optimizers import Adagrad, RMSprop

EPSILONS = [1e-7, 1e-3, 0.0]
SHAPES = [(7, 33), (5,), ()]
DECAYS = {"adagrad": (1.0, 1.0), "rmsprop": (0.9, 0.1)}  # of the sums, and the weight of g²


def made(rule: str, epsilon: float, **options: Any) -> Any:
    if rule == "adagrad":
        return Adagrad(0.01, initial_accumulator_value=0.0, epsilon=epsilon, **options)
    return RMSprop(0.01, rho=0.9, epsilon=epsilon, **options)


def slots_of(optimizer: Any) -> list[torch.Tensor]:
    (slots,) = optimizer.state_dict()["slots"].values()
    return list(slots)


@pytest.mark.parametrize("epsilon", EPSILONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rule", sorted(DECAYS))
def test_the_formula(rule: str, dtype: torch.dtype, epsilon: float) -> None:
    generator = torch.Generator().manual_seed(0)
    params = [nn.Parameter(torch.randn(shape, generator=generator).to(dtype)) for shape in SHAPES]
    optimizer = made(rule, epsilon)
    optimizer.build(params)
    assert optimizer.fused
    wanted = [param.detach().double() for param in params]
    sums = [torch.zeros_like(weight) for weight in wanted]
    decay, weight_of_square = DECAYS[rule]
    for step in range(6):
        # From far below epsilon to far above it.
        grads = [torch.randn(s, generator=generator).to(dtype) * 10.0 ** (step - 5) for s in SHAPES]
        optimizer.apply(grads)
        for k, grad in enumerate(grads):
            sums[k] = decay * sums[k] + weight_of_square * grad.double().square()
            wanted[k] -= 0.01 * grad.double() / (sums[k] + epsilon).sqrt()
    close = {"rtol": 2e-6, "atol": 1e-7} if dtype is torch.float32 else {"rtol": 1e-13, "atol": 1e-14}
    for param, slot, weight, total in zip(params, slots_of(optimizer), wanted, sums, strict=True):
        torch.testing.assert_close(param.detach().double(), weight, **close)
        torch.testing.assert_close(slot.double(), total, rtol=close["rtol"], atol=0.0)


@pytest.mark.parametrize("rule", sorted(DECAYS))
def test_what_gets_no_gradient_stays_zero(rule: str) -> None:
    params = [nn.Parameter(torch.ones(300))]
    optimizer = made(rule, 1e-7)
    optimizer.build(params)
    grad = torch.zeros(300)
    grad[::2] = 1.0
    for _ in range(5):
        optimizer.apply([grad])
    (slot,) = slots_of(optimizer)
    assert not slot[1::2].any()
    assert bool((params[0].detach()[1::2] == 1).all())
    assert bool((params[0].detach()[::2] < 1).all())


def test_where_the_kernel_does_not_do_the_usual_way_goes() -> None:
    half = [nn.Parameter(torch.ones(4, dtype=torch.bfloat16))]
    for optimizer in (RMSprop(0.1), Adagrad(0.1)):
        optimizer.build(half)
        assert not optimizer.fused
        optimizer.apply([torch.ones(4, dtype=torch.bfloat16)])
    assert bool((half[0].detach() < 1).all())
    for options in ({"momentum": 0.9}, {"centered": True}, {"rho": 1.0}):
        optimizer = RMSprop(0.1, **options)
        optimizer.build([nn.Parameter(torch.ones(4))])
        assert not optimizer.fused


@pytest.mark.parametrize("rule", sorted(DECAYS))
def test_gradients_are_only_read(rule: str) -> None:
    grad = torch.full((40,), 0.3)
    kept = grad.clone()
    optimizer = made(rule, 1e-7, weight_decay=0.1, clipvalue=0.2)
    optimizer.build([nn.Parameter(torch.ones(40))])
    optimizer.apply([grad])
    assert torch.equal(grad, kept)
