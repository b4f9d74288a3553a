"""Gradients of convolutions: who wants any, and torch's own."""

from __future__ import annotations

import torch

Gradients = tuple[torch.Tensor | None, ...]


def takes_gradients(*leaves: torch.Tensor | None) -> bool:
    """Return whether what is computed from `leaves` now keeps what their gradients need."""
    return torch.is_grad_enabled() and any(leaf is not None and leaf.requires_grad for leaf in leaves)


def torch_gradients(
    gradient: torch.Tensor,
    x: torch.Tensor,
    weight: torch.Tensor,
    strides: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
    wanted: list[bool],
) -> Gradients:
    """Return torch's gradients to inputs, weights and bias, those that are `wanted`; it can derive them."""
    spatial = (strides, padding, dilation, False, (0, 0), 1)
    return tuple(torch.ops.aten.convolution_backward(gradient, x, weight, [len(weight)], *spatial, wanted))
