"""Accumulated gradients of several processes: when they are exchanged, and put back to be exchanged."""

from __future__ import annotations

from typing import Any

import torch

from neocog.optimizers._loss_scale import LossScaleOptimizer
from neocog.optimizers._optimizer import Optimizer


def accumulates(optimizer: Any) -> bool:
    """Return whether an optimizer gathers gradients over several steps, so that only the last exchanges them.

    Not where a loss scale looks at the gradients of every step: all processes must see the same.
    """
    known = isinstance(optimizer, Optimizer) and not isinstance(optimizer, LossScaleOptimizer)
    return known and bool(optimizer.gradient_accumulation_steps) and optimizer.built


def applies_next(optimizer: Any) -> bool:
    """Return whether the next step updates the variables, and does not only gather gradients."""
    return bool((optimizer._iterations + 1) % optimizer.gradient_accumulation_steps == 0)


def put_back(optimizer: Any) -> None:
    """Move the gradients gathered so far onto the variables, where `backward` adds the last ones to them."""
    table = optimizer._table
    gathered = table.slots["gradient_accumulator"]
    with torch.no_grad():
        for param, slot in zip(table.params, gathered, strict=True):
            if param.requires_grad:
                param.grad = slot.clone() if param.grad is None else param.grad.add_(slot)
                slot.zero_()


def gathered_gradients(optimizer: Any) -> list[torch.Tensor]:
    """Return what was gathered since the last update, the optimizer's own tensors; none where nothing was."""
    if not accumulates(optimizer) or optimizer._iterations % optimizer.gradient_accumulation_steps == 0:
        return []
    return list(optimizer._table.slots["gradient_accumulator"])
