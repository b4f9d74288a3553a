"""What a model costs: floating-point operations of one forward pass."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import tree_map


def forward_flops(model: Any, x: Any) -> int:
    """Return the floating-point operations of the forward pass on one sample of the batch `x`.

    Matrix products and convolutions are counted (two operations a multiply-add), everything else is not.
    """
    from torch.utils.flop_counter import FlopCounterMode

    one = tree_map(lambda leaf: leaf[:1] if isinstance(leaf, torch.Tensor) and leaf.dim() else leaf, x)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(one, training=False)
    return int(counter.get_total_flops())
