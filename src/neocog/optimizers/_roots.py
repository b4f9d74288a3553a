"""w −= lr · g / √s for rules with epsilon inside the root, by torch's fused kernel of AdaGrad.

The kernel adds g² to the sums that it is given, takes their root and moves the weights, all in one walk over
memory; by themselves these are two walks and a slow root. Its own epsilon, outside the root, is 0: the one
inside is in the sums before it starts.
"""

from __future__ import annotations

import torch

from neocog.optimizers._groups import Batch, Group

_TYPES = (torch.float32, torch.float64)  # sums of half precision would lose epsilon


def takes(part: Batch | Group) -> bool:
    """Return whether the kernel does for these parameters: on the CPU, where no other way is as fast."""
    first = part.params[0]
    return part.fused and first.device.type == "cpu" and first.dtype in _TYPES


def scaled_sums(squares: list[torch.Tensor], scale: float, epsilon: float) -> list[torch.Tensor]:
    """Return scale · (square + epsilon), new tensors, in one walk over each."""
    constant = torch.full((), scale * epsilon, dtype=squares[0].dtype)
    return [torch.add(constant, square, alpha=scale) for square in squares]


def add_and_move(batch: Batch, sums: list[torch.Tensor], rate: float) -> None:
    """s ← s + g², w −= rate · g / √s, in place."""
    torch._fused_adagrad_(
        batch.params,
        batch.grads,
        sums,
        batch.far_steps(),
        lr=rate,
        lr_decay=0.0,
        weight_decay=0.0,
        eps=0.0,
        maximize=False,
    )
