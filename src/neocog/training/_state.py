"""What training keeps of a model between steps: the plan, and who adds losses and constraints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch.nn.modules.module import _has_any_global_hook as _hooked_globally

from neocog.functional import first_order
from neocog.graph import module_call
from neocog.training._by_hand import ByHand, by_hand
from neocog.training._compiled_forward import CompiledForward
from neocog.training._graphs import RecordedStep, is_known, why_not_recorded
from neocog.training._own_steps import OwnStep
from neocog.training._plan import Plan
from neocog.training._precision import autocast, float32_products
from neocog.training._recorder import make_recorder
from neocog.training._sharded import Sharded
from neocog.training._together import Together
from neocog.training._trainable import runs_own
from neocog.training._unreached import Unreached
from neocog.training._world import join, replicated


class TrainingState:
    """Things worked out once before the first step, so that the step itself asks nothing.

    Attributes:
        plan: how training runs; None before the first `fit`.
        epochs_seen: number of epochs trained since `compile`, which numbers the data's orders.
        first_epoch: where `fit` begins instead of at `initial_epoch`; a callback may set it before the first.
        finished: whether the last `fit` came to its end, without an error on the way.
        snapshots: what takes the snapshots of the last `fit`, or None.
        share: weight of the loss of the batch under way, where several processes share it; see `Batch`.
        processes: how many share it.
        rows: most rows that "train", "test" or "predict" compute at once, since memory ran out at more.
        together: what several processes do in common at each step; None where there is one.
        sharded: the shares of the model, where each process keeps one alone.
        replica: what exchanges gradients between processes; None where nothing does.
        unreached: what completes its backward passes.
        own_step: what does so around a `train_step` of the user's.
        recorded: what stands in for the model's step where the plan has CUDA graphs, or None.
        by_hand: what computes loss and gradients where neither takes torch's differentiation, or None.
    """

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.epochs_seen = 0
        self.first_epoch: int | None = None
        self.finished = False
        self.snapshots: Any = None
        self.share = 1.0
        self.processes = 1
        self.rows: dict[str, int] = {}
        self.together: Together | None = None
        self.replica: Any = None
        self.unreached: Unreached | None = None
        self.own_step: OwnStep | None = None
        self.sharded: Sharded | None = None
        self.recorded: RecordedStep | None = None
        self.by_hand: ByHand | None = None
        self._autocast: AbstractContextManager[Any] = nullcontext()
        self._at_once = False  # whether the model runs without torch's call around it
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
        if self.own_step is not None:
            self.own_step.close()
        self._forward = self.replica = self.recorded = self.by_hand = self.own_step = None
        self.unreached = None
        self.share, self.processes = 1.0, 1
        watched = _hooked_globally()  # type: ignore[no-untyped-call]
        self._at_once = getattr(model, "_body", None) is not None and not watched
        self._autocast = nullcontext()
        if plan is None:
            return
        if plan.precision == "float16":
            model.compile_settings.scale_losses()
        self._autocast = autocast(plan.device, plan.precision)
        if plan.processes > 1 and model.compile_settings.sharded:
            pass  # the shares exchange gradients themselves
        elif plan.processes > 1 and not runs_own(model, "train_step"):
            self.own_step = OwnStep(model, join())
        elif plan.processes > 1:
            self._forward = self.replica = replicated(model)
            self.unreached = Unreached(model, self.replica, join())
        elif plan.compiled:
            self._forward = CompiledForward(model)
        plain = self._forward is None and not self._penalized and self._at_once
        if plain and plan.precision != "float16" and torch.device(plan.device).type == "cpu":
            self.by_hand = by_hand(model)
        recorder = make_recorder(torch.device(plan.device)) if plan.graphs else None
        if recorder is not None and why_not_recorded(model) is None:  # a snapshot's plan may not fit
            self.recorded = RecordedStep(model, recorder)

    @property
    def is_compiled(self) -> bool:
        """Whether the forward pass goes through a compiler."""
        return isinstance(self._forward, CompiledForward)

    def running(self) -> AbstractContextManager[None]:
        """The settings of the process that hold while `fit` runs; before and after they are the user's."""
        tf32 = None if self.plan is None else self.plan.tf32
        return nullcontext() if tf32 is None else float32_products(tf32)

    def watch(self, calls: list[Any]) -> bool:
        """Look for changes of the model after each batch where callbacks of the user's are called there.

        Returns whether they are.
        """
        watches = not all(is_known(getattr(call, "__self__", call)) for call in calls)
        if self.recorded is not None:
            self.recorded.watches_changes = watches
        if self.by_hand is not None:
            self.by_hand.watch(watches)
        return watches

    def train_step(self, model: Any, data: Any) -> Any:
        """Train on one batch: by the model's own step, recorded where the plan says so."""
        if self.own_step is not None:
            return self.own_step(data, self.share)
        return model.train_step(data) if self.recorded is None else self.recorded(data)

    def autocast(self) -> AbstractContextManager[Any]:
        """The context in which the forward pass runs."""
        return self._autocast

    def forward(self, model: Any, x: Any) -> Any:
        """Compute a training batch's outputs, under the plan's precision and through its compiled form."""
        if self._penalized:
            for layer in self._penalized:
                layer.forget_own_losses()
        with self._autocast, first_order():
            try:
                if self._forward is not None:
                    return self._forward(x)
                return model.run_at_once(x) if self._at_once else module_call(model, x)
            except RuntimeError:
                model.check_inputs((x,))  # says it in the model's terms where a later batch does not fit
                raise

    @contextmanager
    def by_itself(self) -> Iterator[None]:
        """Inside the block the model computes as that of one process, and its gradients stay there."""
        forward, self._forward = self._forward, None
        try:
            yield
        finally:
            self._forward = forward

    def complete_backward(self) -> None:
        """Let the exchange of gradients come to its end, which may wait for weights that were not reached."""
        if self.unreached is not None:
            self.unreached.complete({} if self.together is None else self.together.given)

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
