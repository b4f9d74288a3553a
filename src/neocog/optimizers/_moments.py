"""Moving averages of gradients and of their squares.

`lerp` does in one call what multiplying by a number and adding do in two, and on small tensors the first of
those is the slowest foreach call.
"""

from __future__ import annotations

import torch

Tensors = list[torch.Tensor] | tuple[torch.Tensor, ...]


def track(averages: Tensors, grads: Tensors, decay: float) -> None:
    """average ← decay · average + (1 − decay) · g, in place."""
    torch._foreach_lerp_(averages, grads, 1.0 - decay)


def track_squares(averages: Tensors, grads: Tensors, decay: float) -> None:
    """average ← decay · average + (1 − decay) · g², in place."""
    torch._foreach_lerp_(averages, torch._foreach_mul(grads, grads), 1.0 - decay)
