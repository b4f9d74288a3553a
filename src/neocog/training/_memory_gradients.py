"""Where the gradients of a batch's parts go: into `grad`; among several processes, on to the others too.

What torch's DistributedDataParallel has begun to send cannot be called back. So a process that goes by parts
keeps its gradients aside, and then hands them over as its backward pass would have: the others need not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from neocog.exceptions import OutOfMemoryError, message
from neocog.training._memory_kept import Kept


class Gradients:
    """Gradients of the parts of a batch, added up in `grad`.

    Args:
        model: built and compiled.
        kept: its state before the step.
    """

    def __init__(self, model: Any, kept: Kept) -> None:
        self.model = model
        self.kept = kept

    def lead_back(
        self, values: Sequence[torch.Tensor], by: Any = None, leaves: Sequence[torch.Tensor] = ()
    ) -> None:
        """Add the gradients of values, times `by`, to those of the weights and of the leaves."""
        torch.autograd.backward(list(values), by)

    def computing(self) -> AbstractContextManager[Any]:
        """The context in which the parts are computed."""
        return nullcontext()

    @property
    def exchanged(self) -> bool:
        """Whether the other processes have the gradients already, so that they cannot be sent again."""
        return False

    def undo(self) -> None:
        """Put everything back to how it was before the step, gradients too."""
        self.kept.undo()

    def hand_over(self) -> None:
        """Let the other processes have the gradients, and take theirs."""


class OwnGradients(Gradients):
    """Gradients of a process whose step is one of several processes'.

    Args:
        model: trained by torch's DistributedDataParallel.
        kept: its state before the step.
        begun: whether a backward pass failed that had begun to send; what it has sent is right and stays.
    """

    def __init__(self, model: Any, kept: Kept, *, begun: bool) -> None:
        super().__init__(model, kept)
        self.replica = model.training_state.replica
        self.trained = [value for value in self.replica.module.parameters() if value.requires_grad]
        self.left = [value for value in self.trained if not (begun and kept.has_new_gradient(value))]
        self.begun = begun
        self.own: dict[torch.Tensor, torch.Tensor] = {}

    def lead_back(
        self, values: Sequence[torch.Tensor], by: Any = None, leaves: Sequence[torch.Tensor] = ()
    ) -> None:
        """Add the gradients to those kept aside."""
        inputs = [*self.trained, *leaves]
        found = torch.autograd.grad(list(values), inputs, by, allow_unused=True)
        for value, gradient in zip(inputs, found, strict=True):
            if gradient is not None:
                own = self.own.get(value)
                self.own[value] = gradient if own is None else own + gradient
        for leaf in leaves:
            leaf.grad = self.own.pop(leaf, None)

    def computing(self) -> AbstractContextManager[Any]:
        """The model itself, not what would wait for the others."""
        context: AbstractContextManager[Any] = self.model.training_state.by_itself()
        return context

    @property
    def exchanged(self) -> bool:
        """Whether a backward pass came to its end."""
        without = self.model.training_state.unreached.is_without
        return all(self.kept.has_new_gradient(value) or without(value) for value in self.trained)

    def undo(self) -> None:
        """Put everything back but what is sent, and what earlier steps had gathered."""
        self.own.clear()
        self.kept.undo(gradients=False)

    def hand_over(self) -> None:
        """Send what is left to send, as a backward pass of the weights alone."""
        left, self.left = self.left, []  # what fails here cannot be begun again
        if not left:
            expected = "memory for a backward pass of several processes"
            do = "Start all again, with a smaller batch_size."
            raise OutOfMemoryError(message("fit", expected=expected, got="none left at its end", do=do))
        reducer = self.replica.reducer
        if not self.begun:
            reducer.prepare_for_forward()
            reducer.prepare_for_backward([])
        own = [self.own.pop(value, None) for value in left]
        gradients = [
            torch.zeros_like(value) if gradient is None else gradient
            for value, gradient in zip(left, own, strict=True)
        ]
        torch.autograd.backward(left, gradients)
        self.own.clear()
        missing = [value for value, gradient in zip(left, own, strict=True) if gradient is None]
        self.model.training_state.unreached.agree(missing)


def gradients_of(model: Any, kept: Kept, *, begun: bool) -> Gradients:
    """Return where the gradients of parts go.

    Args:
        model: built and compiled.
        kept: its state before the step.
        begun: whether a backward pass failed.
    """
    replica = model.training_state.replica
    if replica is None or not replica.require_backward_grad_sync:
        return Gradients(model, kept)
    return OwnGradients(model, kept, begun=begun)
