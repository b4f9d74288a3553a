"""What a training step changes before its update, kept so that a step that failed leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from operator import attrgetter
from typing import Any

import torch

from neocog.core import OwnRows, on_rows
from neocog.optimizers import TorchOptimizer
from neocog.training._together import seed_generators
from neocog.training._trainable import statistics_of

_VERSION = attrgetter("_version")
_SMALL = 1 << 16  # elements up to which a buffer is copied at every step; larger ones when they changed


class PartRows(OwnRows):
    """The rows of a part of a batch; what is drawn for the whole batch is let go, but for them."""

    def part(self, value: torch.Tensor, rows: int) -> torch.Tensor:
        """Return the values of `rows` rows among those drawn for all, in memory of their own."""
        return super().part(value, rows).clone()


class Kept:
    """The state of a model, its optimizer and the random generators before a step.

    Taking it costs about half a microsecond a buffer (running statistics), a random generator or a few
    weights: less than a hundredth of what the layers that have these cost themselves.

    Args:
        model: built and compiled.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.optimizer = model.compile_settings.optimizer
        buffers = [value for _, value in statistics_of(model)]
        self._small = [value for value in buffers if value.numel() <= _SMALL]
        self._small_copies = [value.detach().clone() for value in self._small]
        self._large = [value for value in buffers if value.numel() > _SMALL]
        self._large_copies = [value.detach().clone() for value in self._large]
        self._large_versions = [value._version for value in self._large]
        self._seeds = [seed for _, seed in seed_generators(model)]
        self._device = next((value.device for value in model.parameters()), torch.device("cpu"))
        self._counter = vars(getattr(self.optimizer, "inner_optimizer", self.optimizer))
        self.together = model.training_state.together
        self.draws_by_rows = self._device.type == "cpu"
        self._common = torch.Generator()
        self._torch_states = _torch_states(self.optimizer)
        self._known_states = 0 if self._torch_states is None else len(self._torch_states)
        self._watched = _watched(model, self.optimizer)
        self.take()

    def take(self) -> None:
        """Keep the state as it is now; everything stays on the device: no sync."""
        self._cpu_random = torch.default_generator.get_state()
        self._gpu_random = _gpu_generator(self._device).get_state() if self._device.type == "cuda" else None
        self._apart = None if self.together is None else self.together.apart
        self._given = {} if self.together is None else self.together.given
        self._counts = [(seed.seed, seed.count) for seed in self._seeds]
        if self._small:
            with torch.no_grad():
                torch._foreach_copy_(self._small_copies, self._small)
        for index, value in enumerate(self._large):
            if value._version != self._large_versions[index]:
                self._large_copies[index].copy_(value.detach())
                self._large_versions[index] = value._version
        self._early = [(metric, metric.state_dict()) for metric in self.early_metrics()]
        if self._torch_states is not None and len(self._torch_states) != self._known_states:
            self._known_states = len(self._torch_states)
            self._watched = _watched(self.model, self.optimizer)
        self._version = sum(map(_VERSION, self._watched))  # versions only grow
        self._iterations = self._done()

    @property
    def draws(self) -> bool:
        """Whether the model's layers draw random numbers."""
        return bool(self._seeds)

    @property
    def update_done(self) -> bool:
        """Whether the optimizer has finished an update since."""
        return self._done() != self._iterations

    @property
    def update_begun(self) -> bool:
        """Whether any weight, or any state of the optimizer, has changed since."""
        return bool(sum(map(_VERSION, self._watched)) != self._version)

    def has_new_gradient(self, parameter: torch.Tensor) -> bool:
        """Whether a backward pass has reached a weight since; among several processes."""
        gradient = parameter.grad
        return gradient is not None and self._given.get(id(gradient)) != gradient._version

    def undo(self, *, gradients: bool = True) -> None:
        """Put everything back, and drop all gradients, unless they are to stay."""
        self.drop_losses()
        if gradients:
            self.drop_gradients()
        self.rewind()
        for metric, state in self._early:
            metric.load_state_dict(state)
        if self._torch_states is not None:
            for parameter in list(self._torch_states)[self._known_states :]:
                del self._torch_states[parameter]  # begun in vain, perhaps by half

    def rewind(self) -> None:
        """Put the buffers and the random generators back."""
        with torch.no_grad():
            for value, copy in zip(self._small, self._small_copies, strict=True):
                value.copy_(copy)
            for index, value in enumerate(self._large):
                value.copy_(self._large_copies[index])
                self._large_versions[index] = value._version
        torch.default_generator.set_state(self._cpu_random)
        if self.together is not None:
            self.together.apart = self._apart
        if self._gpu_random is not None:
            _gpu_generator(self._device).set_state(self._gpu_random)
        for seed, (number, count) in zip(self._seeds, self._counts, strict=True):
            seed.seed, seed.count = number, count

    @contextmanager
    def drawing(self, part: Any) -> Iterator[None]:
        """Inside the block, neocog's layers draw for a part's rows what they would for the whole batch's.

        That holds on a CPU. Elsewhere, and for layers of the user's, each part draws on from the one before.
        """
        rows: PartRows | None = PartRows(part.first, part.count, part.total, False, self._common)
        if self.together is not None:
            whole = self.together.rows
            first = 0 if whole is None else whole.first + part.first
            rows = None if whole is None else PartRows(first, part.count, whole.total, False, self._common)
        if not self.draws_by_rows or rows is None:
            yield
            return
        self._common.set_state(self._cpu_random)
        for seed, (number, count) in zip(self._seeds, self._counts, strict=True):
            if getattr(seed, "draws_for_rows", False):
                seed.seed, seed.count = number, count
        apart = nullcontext() if self.together is None else self.together.drawing_apart()
        with on_rows(rows), apart:
            yield
        if part.last and torch.equal(torch.default_generator.get_state(), self._cpu_random):
            torch.default_generator.set_state(self._common.get_state())

    def drop_gradients(self) -> None:
        """Drop all gradients."""
        for parameter in self.model.parameters():
            parameter.grad = None

    def drop_losses(self) -> None:
        """Drop the losses that layers hold on to."""
        for layer in self.model.modules():
            if hasattr(layer, "forget_own_losses"):
                layer.forget_own_losses()

    def _done(self) -> int:
        """Return the number of updates done."""
        found = self._counter.get("_iterations")
        return int(self.optimizer.iterations if found is None else found)

    def early_metrics(self) -> list[Any]:
        """The metrics that a step updates before the weights: losses of several outputs, those of layers."""
        if not hasattr(self, "_early_found"):
            settings = self.model.compile_settings
            late = {id(settings.loss_tracker)}
            for head in settings.heads:
                late.update(id(metric) for metric in (*head.metrics, *head.weighted_metrics))
            self._early_found = [metric for metric in self.model.metrics if id(metric) not in late]
        return self._early_found


def _torch_states(optimizer: Any) -> Any:
    """Return the states of a torch optimizer by parameter, which its first step makes; else None."""
    return optimizer.optimizer.state if isinstance(optimizer, TorchOptimizer) else None


def _watched(model: Any, optimizer: Any) -> list[torch.Tensor]:
    """Return some of the weights and of the optimizer's tensors; an update that began changed one of them.

    Each operation of an update goes through all variables, or each variable through all operations.
    """
    weights = _spread([value for value in model.parameters() if value.requires_grad])
    return weights + (_tensors_in(optimizer.state_dict()) if hasattr(optimizer, "state_dict") else [])


def _tensors_in(state: Any) -> list[torch.Tensor]:
    if isinstance(state, torch.Tensor):
        return [state]
    items = list(state.values()) if isinstance(state, Mapping) else state
    if not isinstance(items, (list, tuple)):
        return []
    return [value for item in _spread(list(items)) for value in _tensors_in(item)]


def _spread(items: list[Any]) -> list[Any]:
    """Return the first, the last, and two between."""
    count = len(items)
    return items if count <= 8 else [items[0], items[count // 3], items[2 * count // 3], items[-1]]


def _gpu_generator(device: torch.device) -> torch.Generator:
    index = torch.cuda.current_device() if device.index is None else device.index
    return torch.cuda.default_generators[index]
