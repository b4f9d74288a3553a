"""Convolutions as matrix products, against torch's own: outputs, gradients, gradients of gradients."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from neocog.functional import conv, conv_relu
from neocog.functional._conv_products import as_products
from neocog.functional._padding import ConvPadding, Window

pytestmark = pytest.mark.usefixtures("on_intel")
CASES = [
    # channels, filters, size, kernel, strides, dilation, padding, bias
    ((64, 8), (4, 4), (3, 3), (1, 1), (1, 1), (1, 1), True),
    ((64, 130), (4, 3), (3, 2), (1, 1), (1, 1), (1, 0), False),
    ((70, 5), (9, 7), (3, 3), (2, 3), (1, 1), (1, 1), True),
    ((64, 6), (8, 9), (3, 3), (2, 2), (2, 3), (0, 2), True),
    ((96, 12), (4, 4), (1, 1), (1, 1), (1, 1), (0, 0), True),
    ((96, 12), (8, 8), (1, 1), (2, 2), (1, 1), (0, 0), False),
    ((64, 3), (1, 12), (1, 5), (1, 1), (1, 1), (0, 2), True),
    ((128, 130), (9, 8), (3, 3), (1, 1), (1, 1), (1, 1), True),
    ((128, 128), (10, 10), (5, 5), (1, 1), (1, 1), (2, 2), False),
]


def made(case: Any, dtype: torch.dtype, batch: int = 3) -> tuple[Any, ...]:
    (channels, filters), size, kernel, strides, dilation, padding, biased = case
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(batch, channels, *size, generator=generator).to(dtype)
    weight = (torch.randn(filters, channels, *kernel, generator=generator) * 0.1).to(dtype)
    bias = torch.randn(filters, generator=generator).to(dtype) if biased else None
    x, weight = (value.contiguous(memory_format=torch.channels_last) for value in (x, weight))
    window = Window(kernel, strides, dilation)
    return x, weight, bias, window, ConvPadding(padding)


def learned(function: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> list[Any]:
    leaves = [value.detach().clone().requires_grad_() for value in (x, weight, bias) if value is not None]
    outputs = function(*leaves, *([None] if bias is None else []))
    push = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(2)).to(outputs.dtype)
    return [outputs.detach(), *torch.autograd.grad(outputs, leaves, push)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_outputs_and_gradients_are_those_of_torch(case: Any, dtype: torch.dtype) -> None:
    x, weight, bias, window, padding = made(case, dtype)
    spatial = (window.strides, padding.kernel, window.dilation)

    def ours(x: Any, weight: Any, bias: Any) -> Any:
        found = as_products(x, weight, bias, window, padding)
        few = found is not None
        places = torch.conv2d(x, weight, bias, *spatial).shape[2:].numel()
        assert few is (places <= 16 or dtype == torch.bfloat16)
        return found if few else conv(x, weight, bias, window, padding)

    def exact(x: Any, weight: Any, bias: Any) -> Any:
        return torch.conv2d(x, weight, bias, *spatial)

    wanted = learned(exact, x.double(), weight.double(), None if bias is None else bias.double())
    got = learned(ours, x, weight, bias)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-2
    push_is_rounded = 2e-3 if dtype == torch.bfloat16 else 0.0
    for a, b in zip(got, wanted, strict=True):
        assert a.dtype == dtype
        assert a.shape == b.shape
        assert float((a - b).abs().max()) <= (tolerance + push_is_rounded) * float(b.abs().max())


def test_a_wrong_gradient_would_be_seen() -> None:
    x, weight, bias, window, padding = made(CASES[0], torch.float32)
    got = learned(lambda *leaves: as_products(*leaves, window, padding), x, weight, bias)
    other = learned(lambda *leaves: as_products(*leaves, window, padding), x, weight * 1.001, bias)
    assert not torch.allclose(got[1], other[1], rtol=1e-5, atol=0)


@pytest.mark.parametrize("case", [CASES[0], CASES[2]], ids=str)
def test_gradients_of_gradients(case: Any) -> None:
    x, weight, bias, window, padding = made(case, torch.float32)

    def penalty(function: Any) -> list[torch.Tensor]:
        leaves = [value.clone().requires_grad_() for value in (x, weight, bias)]
        outputs = function(*leaves)
        (first,) = torch.autograd.grad(outputs.square().sum(), leaves[:1], create_graph=True)
        return list(torch.autograd.grad(first.square().sum(), leaves[1:]))

    spatial = (window.strides, padding.kernel, window.dilation)
    wanted = penalty(lambda *leaves: torch.conv2d(*leaves, *spatial))
    got = penalty(lambda *leaves: as_products(*leaves, window, padding))
    for a, b in zip(got, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4 * float(b.abs().max()))


@pytest.mark.parametrize("wanted", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2)])
def test_only_the_gradients_asked_for(wanted: tuple[int, ...]) -> None:
    x, weight, bias, window, padding = made(CASES[0], torch.float32)
    leaves = [
        value.clone().requires_grad_(number in wanted) for number, value in enumerate((x, weight, bias))
    ]
    as_products(*leaves, window, padding).sum().backward()  # type: ignore[union-attr]
    assert [leaf.grad is not None for leaf in leaves] == [number in wanted for number in range(3)]


def test_rectified_outputs_without_gradients() -> None:
    x, weight, bias, window, padding = made(CASES[0], torch.float32)
    with torch.no_grad():
        got = conv_relu(x, weight, bias, window, padding)
        wanted = torch.conv2d(x, weight, bias, padding=1).relu()
    torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", [CASES[0], CASES[3], CASES[4], CASES[6]], ids=str)
def test_a_rectifier_may_write_over_the_outputs(case: Any) -> None:
    x, weight, bias, window, padding = made(case, torch.float32)
    spatial = (window.strides, padding.kernel, window.dilation)
    wanted = learned(lambda *leaves: torch.conv2d(*leaves, *spatial).relu(), x, weight, bias)
    got = learned(lambda *leaves: torch.relu_(conv(*leaves, window, padding)), x, weight, bias)
    for a, b in zip(got, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4 * float(b.abs().max()))


def test_under_autocast() -> None:
    x, weight, bias, window, padding = made(CASES[0], torch.float32)
    weight.requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = conv(x, weight, bias, window, padding)
    outputs.float().sum().backward()
    assert outputs.dtype == torch.bfloat16
    assert weight.grad is not None
    assert weight.grad.dtype == torch.float32


def test_autocast_leaves_float64() -> None:
    x, weight, bias, window, padding = made(CASES[0], torch.float64)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        wanted = torch.conv2d(x, weight, bias, padding=1)
        for function, expected in ((conv, wanted), (conv_relu, wanted.relu())):
            got = function(x, weight, bias, window, padding)
            torch.testing.assert_close(got, expected)


def test_transformed_calls_stay_convolutions() -> None:
    x, weight, bias, window, padding = made(CASES[0], torch.float32)

    def summed(weight: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return conv(x[None], weight, bias, window, padding).sum()

    each = torch.func.vmap(torch.func.grad(summed), in_dims=(None, 0))(weight, x)
    whole = torch.func.grad(lambda weight: conv(x, weight, bias, window, padding).sum())(weight)
    torch.testing.assert_close(each.sum(0), whole, rtol=1e-4, atol=1e-3)


class _Convolves(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        x, weight, bias, self.window, self.padding = made(CASES[0], torch.float32)
        self.example = x
        self.weight, self.bias = torch.nn.Parameter(weight), torch.nn.Parameter(bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return conv(x, self.weight, self.bias, self.window, self.padding)


def test_exported_for_any_batch() -> None:
    module = _Convolves()
    dynamic = {"x": {0: torch.export.Dim("batch")}}
    with torch.no_grad():
        program = torch.export.export(module, (module.example,), dynamic_shapes=dynamic)
        assert program.module()(module.example[:1].repeat(7, 1, 1, 1)).shape[0] == 7


@pytest.mark.parametrize(
    ("channels", "size", "groups"), [(63, 4, 1), (64, 5, 1), (64, 4, 2)], ids=["channels", "places", "groups"]
)
def test_others_stay_with_torch(channels: int, size: int, groups: int) -> None:
    x, weight, bias, window, padding = made(
        ((channels, 8), (size,) * 2, (3, 3), (1, 1), (1, 1), (1, 1), True), torch.float32
    )
    assert as_products(x, weight[:, : channels // groups], bias, window, padding, groups) is None
