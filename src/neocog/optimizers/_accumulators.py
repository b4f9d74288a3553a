"""What stands before and after the rule: accumulated gradients, moving averages, constraints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from neocog.optimizers._groups import Batch, Group


def add_gradients(batches: list[Batch]) -> None:
    """Add the gradients to the accumulated ones."""
    for batch in batches:
        torch._foreach_add_(batch.slots["gradient_accumulator"], batch.grads)


def mean_gradients(batches: list[Batch], steps: int) -> None:
    """Make each gradient the mean of itself and the accumulated ones."""
    for batch in batches:
        sums = torch._foreach_add(batch.grads, batch.slots["gradient_accumulator"])
        batch.grads = list(torch._foreach_div(sums, steps))


def clear_gradients(groups: list[Group]) -> None:
    """Set the accumulated gradients to zero."""
    for group in groups:
        torch._foreach_zero_(group.slots["gradient_accumulator"])


def average(groups: list[Group], momentum: float, overwrite: bool) -> None:
    """Move the averages towards the variables; with `overwrite`, put them in the variables' place."""
    for group in groups:
        averages = group.slots["average"]
        torch._foreach_mul_(averages, momentum)
        torch._foreach_add_(averages, group.params, alpha=1.0 - momentum)
        if overwrite:
            torch._foreach_copy_(group.params, averages)


def constrain(variables: Iterable[Any]) -> None:
    """Put each variable that has a constraint back where it may be; constraints see Keras's layout."""
    for variable in variables:
        constraint = getattr(getattr(variable, "spec", variable), "constraint", None)
        if constraint is None:
            continue
        with torch.no_grad():
            weight = variable if isinstance(variable, torch.Tensor) else variable.tensor()
            weight.copy_(constraint(weight.detach()))
