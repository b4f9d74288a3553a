"""What several processes do in common at each step: random numbers, gathered gradients, an end for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import torch

from neocog.core import OwnRows, on_rows
from neocog.data import Batch
from neocog.exceptions import ArgumentError, message
from neocog.optimizers._together import accumulates, applies_next, put_back
from neocog.random import SeedGenerator
from neocog.training._hook import HookList
from neocog.training._shares import rows_of
from neocog.training._world import World, any_of, mean_statistics, same_everywhere

_APART = 1_000_003  # between the seeds of two processes


class Together:
    """The steps of one process among several.

    Torch's global generator on the CPU is in the same state in all processes between two steps, as if there
    were one process: data that draw from it are the same. Within a step, on a CPU, the layers go on drawing
    from it, for the rows of all; whatever else draws (a layer of the user's) gets numbers of its own in each
    process.

    Args:
        model: on the device where it trains.
        world: the processes.
    """

    def __init__(self, model: Any, world: World) -> None:
        self.world = world
        self.on_cpu = next((p.device.type for p in model.parameters()), "cpu") == "cpu"
        self.may_stop = False
        self.rows: OwnRows | None = None  # of the batch under way
        self._uneven = self._checked = False
        self._before: list[tuple[Any, Any]] | None = None  # metrics, where rows stand in for none
        self.given: dict[int, int] = {}  # versions of the gradients that earlier steps had gathered, by id
        for module in model.modules():
            if hasattr(module, "asked_to_synchronize"):
                module.asked_to_synchronize = model.compile_settings.synchronized
        self._common = torch.Generator()
        torch.set_rng_state(same_everywhere(torch.get_rng_state(), world))
        self._common.set_state(torch.get_rng_state())
        seed = int(torch.randint(0, 2**31 - 1, (), generator=self._common)) + _APART * world.rank
        self.apart = torch.Generator().manual_seed(seed).get_state()
        if not self.on_cpu:
            torch.cuda.manual_seed_all(seed)
        for _, generator in seed_generators(model):
            common = self.on_cpu and getattr(generator, "draws_for_rows", False)
            if generator.seed is not None and not common:
                generator.seed += _APART * world.rank

    def begin_epoch(self, model: Any, hooks: HookList) -> None:
        """Let the processes agree on the state of the generator, and whether to ask each other for an end."""
        torch.set_rng_state(same_everywhere(torch.get_rng_state(), self.world))
        calls = (*hooks.calls("on_train_batch_begin"), *hooks.calls("on_train_batch_end"))
        wishes = (any(_may_stop(call) for call in calls), bool(model.stop_training))
        self.may_stop, model.stop_training = any_of(wishes, self.world)

    def step_on(self, model: Any, batch: Batch, data: Any) -> Callable[[], Any]:
        """Return what trains on this process's rows of a batch, once all is ready for that."""
        self.rows = rows_of(batch, self._common if self.on_cpu else None, at_once=True)
        model.training_state.processes = self.world.size
        self._uneven = batch.rows is not None and batch.rows[1] % self.world.size != 0
        if self._uneven:  # statistics are alike before the step, so that each can count by its rows after it
            mean_statistics(model, self.world)
        self._before = None if batch.share else [(metric, metric.state_dict()) for metric in model.metrics]
        self._gather(model)
        return partial(self._step, model, data)

    def _step(self, model: Any, data: Any) -> Any:
        sharded = model.training_state.sharded
        with self._drawing(), nullcontext() if sharded is None else sharded.norms():
            return model.training_state.train_step(model, data)

    def end_step(self, model: Any, batch: Batch) -> None:
        """Take back what rows were counted as that stand in for none, and weigh statistics by their rows."""
        if self._uneven:
            mean_statistics(model, self.world, batch.share)
        if self._before is not None:
            for metric in model.metrics:
                metric.reset_state()
            for metric, state in self._before:
                metric.load_state_dict(state)
        if not self._checked:
            self._checked = True
            _check_metrics(model.metrics, self.world)

    def ends(self, model: Any) -> bool:
        """Whether one of the processes asks the training to stop after a batch; then all do."""
        return self.agree_on_end(model) if self.may_stop else bool(model.stop_training)

    def agree_on_end(self, model: Any) -> bool:
        """Let all processes stop where one of them asks for it, and return whether they do."""
        (model.stop_training,) = any_of((bool(model.stop_training),), self.world)
        return bool(model.stop_training)

    def _gather(self, model: Any) -> None:
        """Exchange gradients in those steps alone that apply them."""
        replica, optimizer = model.training_state.replica, model.optimizer
        if replica is None or not accumulates(optimizer):
            return
        last = applies_next(optimizer)
        replica.require_backward_grad_sync = last
        self.given = {}
        if last:
            put_back(optimizer)
            gradients = [value.grad for value in model.parameters() if value.grad is not None]
            self.given = {id(gradient): gradient._version for gradient in gradients}

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        if self.rows is None or not self.on_cpu:
            with on_rows(self.rows):
                yield
            return
        self._common.set_state(torch.get_rng_state())
        try:
            with on_rows(self.rows), self.drawing_apart():
                yield
        finally:
            torch.set_rng_state(self._common.get_state())

    @contextmanager
    def drawing_apart(self) -> Iterator[None]:
        """Inside the block, torch's generator on the CPU gives this process's own numbers."""
        before = torch.get_rng_state()
        torch.set_rng_state(self.apart)
        try:
            yield
        finally:
            self.apart = torch.get_rng_state()
            torch.set_rng_state(before)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of this process's own numbers."""
        return {"apart": self.apart}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` returned."""
        self.apart = state["apart"]


def is_to_end(model: Any) -> bool:
    """Whether a training is to stop, between two epochs; where one of several processes asks, all do."""
    together = model.training_state.together
    return bool(model.stop_training) if together is None else together.agree_on_end(model)


def seed_generators(model: Any) -> Iterator[tuple[str, SeedGenerator]]:
    """Give the seed generators of a model's layers, with the paths where they are."""
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            if isinstance(value, SeedGenerator):
                yield f"{path}.{name}", value


def _check_metrics(metrics: list[Any], world: World) -> None:
    """Raise where a metric of the user's keeps nothing in variables: nobody could add it up."""
    for metric in metrics:
        if not metric.variables and not type(metric).update_state.__module__.startswith("neocog."):
            where = f'{type(metric).__name__} "{metric.name}"'
            expected = f"state in variables, to be added up over {world.size} processes"
            do = "Make it in __init__ with self.add_variable(...), and add to it with assign_add."
            raise ArgumentError(message(where, expected=expected, got="none", do=do))


def _may_stop(call: Any) -> bool:
    """Return whether a hook's verb may ask for an end: one of the user's, or a guard against NaN."""
    kind = type(getattr(call, "__self__", call))
    return not kind.__module__.startswith("neocog.") or kind.__name__ == "TerminateOnNaN"
