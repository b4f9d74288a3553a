"""Updates whose numbers lie on the device, so that one recorded step (a CUDA graph) serves all steps.

A recorded kernel repeats the numbers that it was started with. What changes from step to step (the learning
rate, Adam's corrections) is therefore read from tensors of one element, written before each step; the
kernels are the fused ones that run otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch

from neocog.optimizers import _gradients
from neocog.optimizers._adam import Adam, AdamW
from neocog.optimizers._checks import correction
from neocog.optimizers._groups import Batch, Group
from neocog.optimizers._optimizer import Optimizer
from neocog.optimizers._sgd import SGD, fused_sgd


class OnDevice:
    """An optimizer's step in this form; every step of a training goes through it, recorded or not.

    Args:
        optimizer: built, and one that `why_not` has nothing against.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self._numbers: dict[tuple[str, float], torch.Tensor] = {}
        self._written: dict[tuple[str, float], float] = {}
        self._groups: list[Group] = []
        self._factors: set[float] = set()

    def write_numbers(self) -> None:
        """Write this step's numbers, those that differ from the last step's: no sync, no copy from the host.

        A number goes to the device as an argument of the kernel that fills its tensor.
        """
        optimizer = self.optimizer
        optimizer._load_pending()
        rate = optimizer._rate.at(optimizer._iterations)
        if self._groups is not optimizer._table.groups:
            self._groups = optimizer._table.groups
            self._factors = {group.factor for group in self._groups}
        for factor in self._factors:
            self._write("step", factor, _size_of_step(optimizer, rate * factor))
            if optimizer.weight_decay:
                self._write("kept", factor, 1.0 - optimizer.weight_decay * rate * factor)

    def _write(self, name: str, factor: float, value: float) -> None:
        key = (name, factor)
        if key not in self._numbers:
            device = self.optimizer._table.params[0].device
            self._numbers[key] = torch.zeros((), dtype=torch.float32, device=device)
        if self._written.get(key) != value:
            self._numbers[key].fill_(value)
            self._written[key] = value

    def step(self) -> None:
        """Do what the optimizer's own `step` does, by the numbers that `write_numbers` wrote."""
        optimizer = self.optimizer
        plain = torch._C.DisableTorchFunctionSubclass() if optimizer._table.foreign else nullcontext()
        with torch.no_grad(), plain:
            batches = optimizer._table.batches([param.grad for param in optimizer._table.params])
            if not batches:
                return
            if optimizer.loss_scale_factor:
                for batch in batches:
                    batch.grads = list(torch._foreach_div(batch.grads, optimizer.loss_scale_factor))
            _clip(optimizer, batches)
            for batch in batches:
                if optimizer.weight_decay and batch.decayed:
                    torch._foreach_mul_(batch.decayed, self._numbers["kept", batch.factor])
                _UPDATES[type(optimizer)](optimizer, batch, self._numbers["step", batch.factor])
            if optimizer.use_ema:
                optimizer._average()
        self.count()

    def count(self) -> None:
        """Count one step; a recorded one that is repeated runs no Python that would."""
        self.optimizer._iterations += 1


def why_not(optimizer: Any) -> str | None:
    """Return why an optimizer's step cannot be recorded, in a few words; None where it can."""
    name = type(optimizer).__name__
    if type(optimizer) not in _UPDATES:
        return f"{name} is not recorded"
    if optimizer.gradient_accumulation_steps:
        return "gradients are accumulated"
    if optimizer.use_ema and optimizer.ema_overwrite_frequency:
        return "averages replace the weights"
    if not optimizer.fused or any(group.dtype is not torch.float32 for group in optimizer._table.groups):
        return f"{name} has no fused kernels here"
    if len({group.device for group in optimizer._table.groups}) != 1:
        return "the weights lie on several devices"
    return None


def _size_of_step(optimizer: Any, rate: float) -> float:
    """Return the factor of this step's change: Adam's rate with its corrections; the rate itself for SGD."""
    if not isinstance(optimizer, Adam):
        return -rate if optimizer.momentum else rate
    step = optimizer._updates() + 1
    first = correction(optimizer.beta_1, step, False)
    second = correction(optimizer.beta_2, step, False)
    return rate * math.sqrt(second) / first if first else math.nan


def _clip(optimizer: Any, batches: list[Batch]) -> None:
    if optimizer.clipnorm:
        _gradients.clip_by_norm(batches, optimizer.clipnorm)
    elif optimizer.global_clipnorm:
        _gradients.clip_by_global_norm(batches, optimizer.global_clipnorm)
    elif optimizer.clipvalue:
        _gradients.clip_by_value(batches, optimizer.clipvalue)


def _sgd(optimizer: Any, batch: Batch, step: torch.Tensor) -> None:
    """Keras's momentum holds the rate, so gradients are scaled first, and the kernel's own rate is −1."""
    momentum = optimizer.momentum
    if not momentum:
        fused_sgd(batch.params, batch.grads, [], rate=step)
        return
    scaled = list(torch._foreach_mul(batch.grads, step))
    nesterov = bool(optimizer.nesterov)
    fused_sgd(batch.params, scaled, batch.slots["momentum"], -1.0, momentum, nesterov=nesterov)


def _adam(optimizer: Any, batch: Batch, step: torch.Tensor) -> None:
    optimizer.fused_update(batch, step, 0.0)


_UPDATES: dict[type, Callable[[Any, Batch, torch.Tensor], None]] = {SGD: _sgd, Adam: _adam, AdamW: _adam}
