"""Local response normalisation."""

from __future__ import annotations

import torch
from torch.nn import functional as F


def local_response_normalization(
    x: torch.Tensor, depth_radius: int = 5, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5
) -> torch.Tensor:
    """Divide each value by a power of the sum of squares of the channels beside it.

        y[c] = x[c] / (bias + alpha · Σ x[k]²)^beta,   k from c - depth_radius to c + depth_radius

    Args:
        x: (…, C), floating point.
        depth_radius: neighbours on each side.
        bias: added to the sum.
        alpha: factor of the sum; not divided by the window's size, as in TensorFlow.
        beta: exponent.

    Example:
        >>> local_response_normalization(torch.tensor([[3.0, 4.0]]), depth_radius=1, bias=0.0)
        tensor([[0.6000, 0.8000]])

    Reference:
        Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks,
        2012, section 3.3.
    """
    span = 2 * depth_radius + 1
    means = F.avg_pool1d(
        (x * x).flatten(0, -2).unsqueeze(1), span, 1, depth_radius
    )  # zeros beyond the ends count
    base = torch.add(bias, means.view(x.shape), alpha=alpha * span)
    return x * base.rsqrt() if beta == 0.5 else x * base.pow(-beta)
