"""Gradients with fewer frames: what torch's own calls do, and their way where something is unusual."""

from __future__ import annotations

import pytest
import torch

from neocog.core import backward, no_gradients
from neocog.layers import Dense, Dropout


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_gradients_are_those_of_torch(dtype: torch.dtype) -> None:
    x = torch.randn(5, 3, dtype=dtype, requires_grad=True)
    (x * x).sum().backward()
    expected = x.grad
    x.grad = None
    for times in (1, 2):  # they add up
        backward((x * x).sum())
        assert torch.equal(x.grad, times * expected)


def test_what_torch_refuses_is_refused_in_its_words() -> None:
    with pytest.raises(RuntimeError, match="does not require grad"):
        backward(torch.zeros(()))
    with pytest.raises(RuntimeError, match="scalar outputs"):
        backward(torch.zeros(3, requires_grad=True) * 2)
    loss = (torch.ones(2, requires_grad=True) ** 2).sum()
    backward(loss)
    with pytest.raises(RuntimeError, match="second time"):
        backward(loss)


def test_in_inference_mode_made_first() -> None:
    weight = torch.ones(2, requires_grad=True, dtype=torch.float16)
    with torch.inference_mode():
        pass
    backward((weight * 3).sum())
    assert weight.grad.tolist() == [3, 3]


def test_the_switch_goes_back_after_an_error() -> None:
    def fails() -> None:
        with no_gradients():
            assert not torch.is_grad_enabled()
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        fails()
    assert torch.is_grad_enabled()
    with torch.no_grad(), no_gradients():
        pass
    with torch.no_grad():
        with no_gradients():
            pass
        assert not torch.is_grad_enabled()


def test_a_layer_at_once_is_the_layer() -> None:
    layer = Dense(3, activation="relu")
    x = torch.randn(4, 2)
    assert torch.equal(layer(x), layer.run_at_once(x))
    seen: list[int] = []
    handle = layer.register_forward_hook(lambda *told: seen.append(1))
    layer.run_at_once(x)
    handle.remove()
    layer.run_at_once(x)
    assert seen == [1]
    dropout = Dropout(0.5)
    assert torch.equal(dropout.run_at_once(x), x)
    dropout.train()
    assert not torch.equal(dropout.run_at_once(torch.ones(50, 50)), torch.ones(50, 50))


def test_a_layer_of_the_users_goes_its_own_way() -> None:
    class Own(Dense):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) + 1

    layer = Own(3)
    x = torch.randn(4, 2)
    assert torch.equal(layer(x), layer.run_at_once(x))
