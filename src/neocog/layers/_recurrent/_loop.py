"""A cell over all time steps: by torch's kernels where they compute the same, else step by step.

With a mask, a step that does not count carries output and states on (the output is 0 before the first that
counts, and at every such step where zeros are asked for). The kernels know no masks: the counted steps are
moved to the front, and the outputs back to where they belong.

Legend: B samples, T steps, F features, U units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch

from neocog.core import tree_flatten, tree_pack
from neocog.layers._recurrent._cell import Masks, RecurrentCell

Step = Callable[[torch.Tensor, Any], tuple[torch.Tensor, Any]]
Result = tuple[torch.Tensor, list[Any]]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is asked of a run over a sequence.

    Attributes:
        mask: (B, T), True where a step counts, in the order of the steps; None counts all.
        zeros: whether outputs of steps that do not count are 0.
        sequences: whether the outputs of all steps are wanted, or the last one's alone.
        states: whether the last states are wanted.
    """

    mask: torch.Tensor | None
    zeros: bool
    sequences: bool
    states: bool


def run_fused(cell: RecurrentCell, inputs: torch.Tensor, states: list[Any], run: Run) -> Result:
    """Return the outputs, (B, T, U) or the last one's (B, U), and the last states, by torch's kernels."""
    if run.mask is None:
        outputs, last = cell.fused(inputs, states)
        return outputs if run.sequences else outputs[:, -1], last
    mask = run.mask
    count = mask.long().cumsum(1)  # steps that counted so far
    total = count[:, -1]
    front = inputs.gather(1, _counted_first(mask, count).unsqueeze(-1).expand(inputs.shape))
    exact = run.states and len(states) > 1  # the last output is the only state that outputs tell
    outputs, last = cell.fused(front, states, total.clamp(min=1) if exact else None)
    final = _carried(outputs, total.unsqueeze(1)).squeeze(1)
    any_step = (total > 0).unsqueeze(-1)
    found = last if exact else [final]
    last = [torch.where(any_step, new, old.to(new.dtype)) for new, old in zip(found, states, strict=False)]
    if not run.sequences:
        return (final * mask[:, -1:] if run.zeros else final), last
    outputs = _carried(outputs, count)
    return outputs * mask.unsqueeze(-1) if run.zeros else outputs, last


def _counted_first(mask: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
    """Return the numbers of the steps, those that count first, each kind in its order: (B, T)."""
    rest = count[:, -1:] + mask.logical_not().long().cumsum(1)
    place = torch.where(mask, count, rest) - 1
    steps = torch.arange(mask.shape[1], device=mask.device).expand(mask.shape)
    return torch.zeros_like(place).scatter(1, place, steps)


def _carried(outputs: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
    """Return the output after so many counted steps, 0 after none: (B, N, U) for counts (B, N)."""
    place = (count - 1).clamp(min=0).unsqueeze(-1).expand(*count.shape, outputs.shape[-1])
    return torch.where((count > 0).unsqueeze(-1), outputs.gather(1, place), 0.0)


def run_cell(
    cell: RecurrentCell, inputs: torch.Tensor, states: list[Any], run: Run, given: Masks, kept: Masks
) -> Result:
    """Return what `run_fused` returns, step by step; the inputs of all steps are projected at once.

    Args:
        cell: a built-in cell.
        inputs: (B, T, F).
        states: the first states.
        run: what is asked for.
        given: what the inputs of each step are multiplied by.
        kept: what the state is multiplied by at each step.
    """
    each_step = None if given is None else [mask.unsqueeze(1) for mask in given]
    projected = cell.project(inputs, each_step)
    return run_steps(lambda x, old: cell.advance(x, old, kept), projected.unbind(1), states, run)


def run_steps(step: Step, inputs: Iterable[torch.Tensor], states: list[Any], run: Run) -> Result:
    """Return outputs and last states of any step function, called on one time step after another."""
    outputs: list[torch.Tensor] = []
    carried: torch.Tensor | None = None
    for number, x in enumerate(inputs):
        output, new = step(x, states)
        new = list(new) if isinstance(new, (list, tuple)) else [new]
        if run.mask is not None:
            counts = run.mask[:, number]
            before = torch.zeros_like(output) if carried is None or run.zeros else carried
            output = carried = _where(counts, output, before)
            pairs = zip(tree_flatten(new), tree_flatten(states), strict=True)
            new = tree_pack(new, [_where(counts, a, b) for a, b in pairs])
        states = new
        if run.sequences:
            outputs.append(output)
    return (torch.stack(outputs, 1) if run.sequences else output), states


def _where(counts: torch.Tensor, new: torch.Tensor, old: torch.Tensor) -> torch.Tensor:
    return torch.where(counts.reshape(-1, *(1,) * (new.ndim - 1)), new, old)
