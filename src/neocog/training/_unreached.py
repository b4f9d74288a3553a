"""Weights that a step's loss does not reach, where torch's engine exchanges gradients.

DistributedDataParallel waits for a gradient of every weight. Those of a layer that nothing uses, of an output
without a loss, of a layer that is left out now and then, never come: zeros stand in for them. A weight that
no process has reached then has no gradient, as in one process, so that momentum and decay leave it alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from neocog.training._trainable import uses_own_loss
from neocog.training._world import World, any_of


class Unreached:
    """Completes the backward passes of one process among several.

    Where every step goes the same way, the processes tell each other in the first one alone what they reach;
    elsewhere at every step, a tiny exchange.

    Args:
        model: built and compiled.
        replica: what exchanges its gradients.
        world: the processes.
    """

    def __init__(self, model: Any, replica: Any, world: World) -> None:
        self._model, self._replica, self._world = model, replica, world
        self._trained = [value for value in model.parameters() if value.requires_grad]
        self._agreed: list[torch.Tensor] = []  # what nobody has reached
        self._settled = False  # whether that holds for all steps

    def complete(self, given: Mapping[int, int]) -> None:
        """Let a backward pass come to its end for torch's engine, which may still wait for gradients.

        Args:
            given: versions of the gradients that were there before the pass, by id.
        """
        if not self._replica.require_backward_grad_sync:
            return
        missing = [
            value
            for value in self._trained
            if value.grad is None or given.get(id(value.grad)) == value.grad._version
        ]
        if missing:
            torch.autograd.backward(missing, [torch.zeros_like(value) for value in missing])
        self.agree(missing)

    def agree(self, missing: Sequence[torch.Tensor]) -> None:
        """Take the gradients of weights away that no process has reached.

        Args:
            missing: those that this one has not.
        """
        if not self._settled:
            absent = {id(value) for value in missing}
            counts = self._model.training_state.share > 0.0  # a row that stands in for none reaches nothing
            reached = any_of(
                tuple(counts and id(value) not in absent for value in self._trained), self._world
            )
            self._agreed = [value for value, by_any in zip(self._trained, reached, strict=True) if not by_any]
            self._settled = _goes_one_way(self._model)
        for value in self._agreed:
            value.grad = None

    def is_without(self, value: torch.Tensor) -> bool:
        """Whether no process has reached a weight in the last step that was completed."""
        return any(value is other for other in self._agreed)


def _goes_one_way(model: Any) -> bool:
    """Whether every step reaches the same weights: there is no code of the user's in it."""
    heads = model.compile_settings.heads
    losses = [getattr(head.loss, "fn", head.loss) for head in heads if head.loss is not None]
    kinds = [type(module) for module in model.modules()]
    named = [getattr(item, "__module__", "") for item in (*kinds, *losses)]
    return (
        getattr(model, "_body", None) is not None
        and uses_own_loss(model)
        and all(name.partition(".")[0] in ("neocog", "torch") for name in named)
        and not any(kind.__name__ == "Lambda" for kind in kinds)
    )
