"""Convolution and pooling in oneDNN's own tensors, where steps on large images wait for memory.

Torch's max pooling writes the place of each maximum in eight bytes, where oneDNN takes one, and its gradient
fills the whole image with zeros first: in bfloat16 on AMX, that took longer than the convolutions around it.
oneDNN's pooling takes and gives opaque tensors only, so a run of layers stays in them from end to end.
Gradients of gradients are not known there: who needs none says so with `first_order`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import torch

from neocog.functional._autocast import runs_now
from neocog.functional._padding import ConvPadding, PoolPadding, Window


class _Promised(threading.local):
    first_order = False


_promised = _Promised()


@contextmanager
def first_order() -> Iterator[None]:
    """Inside the block nobody takes gradients of gradients."""
    before, _promised.first_order = _promised.first_order, True
    try:
        yield
    finally:
        _promised.first_order = before


def onednn_pays(x: torch.Tensor) -> bool:
    """Return whether layers on `x` may run in oneDNN's tensors: bfloat16 by autocast on a CPU."""
    if x.device.type != "cpu" or not runs_now(x):
        return False
    if not torch.is_autocast_enabled("cpu") or torch.get_autocast_dtype("cpu") is not torch.bfloat16:
        return False
    return (_promised.first_order or not torch.is_grad_enabled()) and _works()


def to_onednn(x: torch.Tensor) -> torch.Tensor:
    """Return `x`, (B, C, H, W), in bfloat16 as one of oneDNN's tensors."""
    return x.to(torch.bfloat16).contiguous().to_mkldnn()


def from_onednn(x: torch.Tensor) -> torch.Tensor:
    """Return one of oneDNN's tensors as an ordinary one, (B, C, H, W) in channels_last memory."""
    return x.to_dense().contiguous(memory_format=torch.channels_last)


def onednn_conv(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, window: Window, padding: ConvPadding
) -> torch.Tensor:
    """Return `conv` of one of oneDNN's tensors; weights are ordinary ones."""
    weight, bias = weight.to(torch.bfloat16), None if bias is None else bias.to(torch.bfloat16)
    spatial = (padding.kernel, window.strides, window.dilation)
    return torch.mkldnn_convolution(x, weight, bias, *spatial, 1)


def onednn_max_pool(x: torch.Tensor, window: Window, padding: PoolPadding) -> torch.Tensor:
    """Return `max_pool` of one of oneDNN's tensors."""
    return torch.mkldnn_max_pool2d(x, window.kernel, window.strides, padding.kernel)


@lru_cache
def _works() -> bool:
    """Whether this torch and this processor do it, backward too: tried once, on numbers that are exact."""
    if not torch._C._has_mkldnn or not torch.backends.mkldnn.enabled:
        return False
    window, x = Window((1, 1), (1, 1), (1, 1)), torch.arange(64.0).view(1, 1, 8, 8)
    weight = torch.full((1, 1, 1, 1), 2.0, requires_grad=True)
    try:
        with torch.enable_grad(), torch.autocast("cpu", enabled=False):
            outputs = onednn_conv(to_onednn(x), weight, None, window, ConvPadding((0, 0)))
            outputs = onednn_max_pool(outputs, Window((2, 2), (2, 2), (1, 1)), PoolPadding((0, 0)))
            outputs = from_onednn(torch.relu(outputs))
            (gradient,) = torch.autograd.grad(outputs.float().sum(), weight)
    except (RuntimeError, TypeError, AttributeError, NotImplementedError):
        return False
    best = x[..., 1::2, 1::2]
    return bool((outputs == 2 * best).all()) and float(gradient) == float(best.sum())
