"""Which convolutions leave oneDNN's own way, by processor."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from neocog.functional import conv
from neocog.functional._conv_products import _Products
from neocog.functional._padding import ConvPadding, Window
from neocog.functional._winograd import _Winograd


def way(channels: int, filters: int, size: int, kernel: int, dtype: torch.dtype, batch: int = 32) -> str:
    """What a convolution of equal padding is when it learns."""
    x = torch.randn(batch, channels, size, size).to(dtype).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(filters, channels, kernel, kernel).to(dtype).requires_grad_()
    window, padding = Window((kernel,) * 2, (1, 1), (1, 1)), ConvPadding((kernel // 2,) * 2)
    outputs = conv(x, weight, None, window, padding)
    wanted = torch.conv2d(x.double(), weight.detach().double(), padding=kernel // 2)
    furthest = float((outputs.detach() - wanted).abs().max() / wanted.std())
    assert furthest < (0.1 if dtype == torch.bfloat16 else 1e-4)
    node = outputs.grad_fn
    if isinstance(node, _Winograd._backward_cls):
        return "filtering"
    if isinstance(node, _Products._backward_cls):
        return "products" if node.whole else "weights"
    return "oneDNN"


@pytest.mark.parametrize(
    ("vendor", "expected"),
    [
        ("GenuineIntel", ["products", "oneDNN", "products", "weights", "products", "filtering", "filtering"]),
        ("AuthenticAMD", ["oneDNN", "oneDNN", "oneDNN", "oneDNN", "products", "oneDNN", "filtering"]),
        ("", ["products", "oneDNN", "products", "weights", "products", "filtering", "filtering"]),
    ],
)
def test_the_way_of_a_convolution(
    vendor: str, expected: list[str], processor_by: Callable[[str], None]
) -> None:
    processor_by(vendor)
    float32, bfloat16 = torch.float32, torch.bfloat16
    found = [
        way(128, 128, 4, 3, float32),
        way(128, 128, 7, 3, float32),
        way(128, 128, 4, 3, bfloat16),
        way(128, 128, 7, 3, bfloat16),
        way(128, 128, 4, 1, bfloat16),
        way(128, 128, 16, 3, float32),
        way(256, 256, 16, 3, float32),
    ]
    assert found == expected


@pytest.mark.parametrize("vendor", ["GenuineIntel", "AuthenticAMD"])
def test_types_that_were_not_measured_stay_with_torch(
    vendor: str, processor_by: Callable[[str], None]
) -> None:
    processor_by(vendor)
    assert way(128, 128, 4, 1, torch.float64, batch=2) == way(256, 256, 16, 3, torch.float64) == "oneDNN"
