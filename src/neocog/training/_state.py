"""What training keeps of a model between steps: the plan, and who adds losses and constraints."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch

from neocog.graph import module_call
from neocog.training._plan import Plan
from neocog.training._world import together


class TrainingState:
    """Things worked out once before the first step, so that the step itself asks nothing.

    Attributes:
        plan: how training runs; None before the first `fit`.
        epochs_seen: number of epochs trained since `compile`, which numbers the data's orders.
        first_epoch: where `fit` begins instead of at `initial_epoch`; a callback may set it before the first.
        finished: whether the last `fit` came to its end, without an error on the way.
        snapshots: what takes the snapshots of the last `fit`, or None.
        share: weight of the loss of the batch under way, where several processes share it; see `Batch`.
    """

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.epochs_seen = 0
        self.first_epoch: int | None = None
        self.finished = False
        self.snapshots: Any = None
        self.share = 1.0
        self._autocast: AbstractContextManager[Any] = nullcontext()
        self._forward: Callable[[Any], Any] | None = None
        self._penalized: list[Any] = []
        self._constrained: list[tuple[Any, Any]] = []

    def prepare(self, model: Any) -> None:
        """Find the layers that add losses and the weights under constraints."""
        layers = [module for module in model.modules() if hasattr(module, "may_add_losses")]
        self._penalized = [layer for layer in layers if layer.may_add_losses()]
        self._constrained = [
            (view, view.spec.constraint)
            for view in model.weights
            if view.spec.constraint is not None and view.value.requires_grad
        ]

    def use(self, plan: Plan | None, model: Any = None) -> None:
        """Run a model under a plan, or plainly in float32 (None)."""
        if plan is not None:
            self.plan = plan
        self._forward = None
        if plan is not None and plan.compiled:
            self._forward = torch.compile(partial(module_call, model))
        if plan is not None and plan.processes > 1:
            self._forward = together(model)
        if plan is None or plan.precision == "float32":
            self._autocast = nullcontext()
        else:
            device = torch.device(plan.device).type
            self._autocast = torch.autocast(device, dtype=getattr(torch, plan.precision))

    def autocast(self) -> AbstractContextManager[Any]:
        """The context in which the forward pass runs."""
        return self._autocast

    def forward(self, model: Any, x: Any) -> Any:
        """Compute a training batch's outputs, under the plan's precision and through its compiled form."""
        if self._penalized:
            for layer in self._penalized:
                layer.forget_own_losses()
        with self._autocast:
            try:
                return module_call(model, x) if self._forward is None else self._forward(x)
            except RuntimeError:
                model.check_inputs((x,))  # says it in the model's terms where a later batch does not fit
                raise

    def penalties(self) -> list[torch.Tensor]:
        """What layers and regularizers add to the loss of the batch just computed."""
        if not self._penalized:
            return []
        return [loss for layer in self._penalized for loss in layer.own_losses()]

    def apply_constraints(self) -> None:
        """Put constrained weights back where they may be, after an update."""
        if not self._constrained:
            return
        with torch.no_grad():
            for view, constraint in self._constrained:
                view.tensor().copy_(constraint(view.tensor()))
