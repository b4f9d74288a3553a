"""Any strides, types and kinds of parameters give what contiguous float32 ones give."""

from __future__ import annotations

import copy

import pytest
import torch
from optimizer_cases import ARGUMENTS
from torch import nn

from neocog import optimizers
from neocog.optimizers import Adam


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
