"""A `train_step` or `test_step` of the user's in several processes: gradients and logs of all rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import distributed

from neocog.exceptions import ArgumentError, message
from neocog.optimizers._exchange import exchanged_by
from neocog.training._step import LazyLogs, results_of
from neocog.training._world import World, from_everywhere, sum_metrics


class OwnStep:
    """Runs a step of the user's on this process's rows of each batch.

    Nothing is known of what the step does, but that it leads losses back and hands gradients to optimizers.
    So what a backward pass leaves on the weights is averaged over the processes as soon as it ends, each
    counted by its rows, and what `apply` is given otherwise (`torch.autograd.grad`) is averaged there. Losses
    are taken for means over rows.

    Args:
        model: built and compiled.
        world: the processes.
    """

    def __init__(self, model: Any, world: World) -> None:
        self.model, self.world = model, world
        self._weight = 1.0 / world.size
        self._order = {id(value): number for number, value in enumerate(model.parameters())}
        self._hooks: dict[int, Any] = {}
        self._reached: list[torch.Tensor] = []  # weights to which the backward pass under way has led
        self._done: dict[int, tuple[torch.Tensor, int]] = {}  # averaged gradients and their versions, by id

    def __call__(self, data: Any, share: float) -> Any:
        """Train on one batch and return what `train_step` returns.

        Args:
            data: the rows of this process.
            share: their weight among those of all.
        """
        self._weight = share / self.world.size
        self._watch()
        try:
            with exchanged_by(self._exchanged):
                return self.model.train_step(data)
        finally:
            self._done.clear()

    def close(self) -> None:
        """Let the weights go."""
        for hook in self._hooks.values():
            hook.remove()
        self._hooks.clear()

    def _watch(self) -> None:
        """Look after weights that train; some may have been frozen until now."""
        for value in self.model.parameters():
            if value.requires_grad and id(value) not in self._hooks:
                self._hooks[id(value)] = value.register_post_accumulate_grad_hook(self._reach)

    def _reach(self, value: torch.Tensor) -> None:
        if not self._reached:
            engine: Any = torch.autograd.Variable._execution_engine
            engine.queue_callback(self._end_of_backward)
        self._reached.append(value)

    def _end_of_backward(self) -> None:
        reached = sorted(self._reached, key=lambda value: self._order.get(id(value), -1))
        self._reached = []
        gradients = [value.grad for value in reached if value.grad is not None]
        self._average(gradients)
        self._done.update({id(gradient): (gradient, gradient._version) for gradient in gradients})

    def _exchanged(self, grads: Sequence[Any]) -> list[Any]:
        """Return gradients as all processes have them, those that no backward pass averaged as copies."""
        found = [grad.detach().clone() if self._is_new(grad) else grad for grad in grads]
        self._average([new for new, grad in zip(found, grads, strict=True) if new is not grad])
        return found

    def _is_new(self, grad: Any) -> bool:
        if not isinstance(grad, torch.Tensor):
            return False
        return self._done.get(id(grad), (None, -1))[1] != grad._version

    def _average(self, gradients: list[torch.Tensor]) -> None:
        with torch.no_grad():
            for kind in dict.fromkeys(gradient.dtype for gradient in gradients):
                group = [gradient for gradient in gradients if gradient.dtype is kind]
                flat = torch.cat([gradient.reshape(-1) for gradient in group]).mul_(self._weight)
                distributed.all_reduce(flat)
                sizes = [gradient.numel() for gradient in group]
                for gradient, mean in zip(group, torch.split(flat, sizes), strict=True):
                    gradient.copy_(mean.view_as(gradient))


def check_built(model: Any, world: World) -> None:
    """Raise where several processes would each make weights of their own in the first step."""
    inside = (module for module in model.modules() if module is not model or model.has_call)
    if world.alone or all(getattr(module, "built", True) for module in inside):
        return
    expected = f"a model that has its weights before {world.size} processes share them"
    do = "Give each layer its input shape, or call them once on a batch before fit."
    raise ArgumentError(message("fit", expected=expected, got="one that its train_step builds", do=do))


def logs_of_all(model: Any, logs: Any, share: float, world: World, *, own_step: bool) -> Any:
    """Add the metrics of all processes up, and return what a step's logs are then; the same in all.

    Values that are a metric's become that metric's. Others, as the loss of the last batch, become the mean
    over the rows of all; what is no number is that of process 0.

    Args:
        model: whose metrics count the rows of this process alone.
        logs: what the last step returned.
        share: weight of the rows of this process in that step.
        world: the processes.
        own_step: whether the step is the user's; all processes must say the same.
    """
    if world.alone:
        return logs
    if not own_step:
        sum_metrics(model.metrics, world)
        return LazyLogs(model)
    own = {name: plain(value) for name, value in _named(logs).items()}
    measured = results_of(model.metrics)
    known = [name for name, value in own.items() if name in measured and _same(value, measured[name])]
    told = [part for part in from_everywhere((share, own, known), world) if part[0]]
    sum_metrics(model.metrics, world)
    if not any(part[1] for part in told):
        return LazyLogs(model)
    measured = results_of(model.metrics)
    return {
        name: measured[name] if all(name in part[2] for part in told) else _mean(name, told)
        for name in dict.fromkeys(name for part in told for name in part[1])
    }


def plain(value: Any) -> Any:
    """Return a value of a log without device and graph."""
    if isinstance(value, torch.Tensor):
        return value.item() if value.dim() == 0 else value.detach().cpu().numpy()
    return value


def _named(logs: Any) -> Mapping[str, Any]:
    if logs is None:
        return {}
    return logs if isinstance(logs, Mapping) else {"loss": logs}


def _same(one: Any, other: Any) -> bool:
    try:
        return bool(np.array_equal(np.asarray(one), np.asarray(other), equal_nan=True))
    except TypeError:  # what is no number
        return False


def _mean(name: str, told: list[Any]) -> Any:
    """Return the mean of a value over the rows of the processes that have it."""
    parts = [(share, own[name]) for share, own, _ in told if name in own]
    numbers = all(isinstance(value, (int, float, np.ndarray, np.number)) for _, value in parts)
    alike = numbers and len({np.shape(value) for _, value in parts}) == 1
    if not alike:
        return parts[0][1]
    mean = sum(share * np.asarray(value, np.float64) for share, value in parts) / sum(s for s, _ in parts)
    return mean if np.ndim(mean) else float(mean)
