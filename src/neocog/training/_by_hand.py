"""Steps whose gradients are computed by formulas, not by torch's differentiation: small perceptrons.

There, recording what happens and walking back through the records costs as much as the products. The model
says what its layers are (`dense_stack`), its loss what gradient it has (`with_gradient`); what either does
not know goes the usual way.
"""

from __future__ import annotations

from typing import Any

import torch

from neocog.training._trainable import Trainable, uses_own_loss


class ByHand:
    """Computes a batch's outputs, loss and gradients in one go.

    Args:
        model: built and compiled.
        stack: its layers, by `dense_stack`.
    """

    def __init__(self, model: Trainable, stack: Any) -> None:
        self.model = model
        self.stack = stack
        self.watches_changes = True  # whether a callback of the user's may change the model between steps
        self._looked = False
        self._knows = True  # whether the loss has a formula for what it gets

    def __call__(self, x: Any, y: Any, sample_weight: Any) -> tuple[torch.Tensor, torch.Tensor] | None:
        """Return the loss and the outputs, with the gradients in the weights' `grad`; None where it has to
        be done the usual way.
        """
        settings = self.model.compile_settings
        if not self._knows or sample_weight is not None or not settings.settled or len(settings.heads) != 1:
            return None
        head = settings.heads[0]
        loss_of = getattr(head.loss, "with_gradient", None)
        if loss_of is None or head.weight is not None or not self._is_usual(x, y):
            return None
        if not self._looked and not self._looks_usual():
            return None
        with self.model.training_state.autocast():
            computed = self.stack.forward(x)
        if computed is None:
            return None
        kind = torch.promote_types(torch.float32, computed.outputs.dtype)
        found = loss_of(y, computed.outputs.to(kind), computed.sums.to(kind), self.stack.kind)
        self._knows = found is not None
        if found is None:
            return None
        loss, gradient, of_sums = found
        self.stack.backward(computed, gradient, of_sums=of_sums)
        return loss, computed.outputs

    def watch(self, watches_changes: bool) -> None:
        """Look at the model's layers again; at each step, where someone may change them in between."""
        self.watches_changes, self._looked = watches_changes, False

    def _looks_usual(self) -> bool:
        """Whether nobody watches the model or a part of it."""
        usual = not torch.is_anomaly_enabled() and bool(self.stack.is_usual())
        self._looked = usual and not self.watches_changes
        return usual

    def _is_usual(self, x: Any, y: Any) -> bool:
        if not isinstance(x, torch.Tensor) or not isinstance(y, torch.Tensor) or x.requires_grad:
            return False
        return torch.is_grad_enabled() and self.model.training_state.share == 1.0


def by_hand(model: Any) -> ByHand | None:
    """Return what computes a model's steps, or None: for all but stacks of dense layers under a loss of
    `compile`.
    """
    layers = getattr(model, "dense_stack", None)
    if layers is None or not uses_own_loss(model):
        return None
    one = torch.ones(())
    if model.compile_settings.optimizer.scale_loss(one) is not one:
        return None
    stack = layers()
    return None if stack is None else ByHand(model, stack)
