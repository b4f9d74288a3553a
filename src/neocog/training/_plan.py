"""The training plan: how `fit` runs a model on this machine, decided once by rules, said in one line.

Every choice is a function of model, batch and machine, never of a stopwatch: the same seed gives the same
numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from neocog.core import has_working_amx
from neocog.training._world import join

# Below this many operations a step (forward, whole batch), casting the weights costs more than bfloat16
# saves.
# Calibrated with `scripts/bench fit` on two cores with AMX; see benchmarks/results.
BFLOAT16_MIN_FLOPS_PER_BATCH = 1e9


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How `fit` runs.

    Attributes:
        device: torch's name of the device.
        threads: CPU threads that torch uses.
        precision: "float32" or "bfloat16" (autocast; weights, losses and metrics stay float32).
        reason: why this precision.
        channels_last: whether 2D convolutions run on channels_last memory.
        optimizer: name of the optimizer, with the kind of kernels behind it.
        compiled: whether the forward pass goes through `torch.compile`.
        flops: operations of one forward pass over a batch.
        processes: how many train together, each on its part of every batch.
    """

    device: str
    threads: int
    precision: str
    reason: str
    channels_last: bool
    optimizer: str
    compiled: bool
    flops: float
    processes: int = 1

    def __str__(self) -> str:
        precision = f"{self.precision} autocast" if self.precision != "float32" else self.precision
        parts = [
            f"{self.device}, {self.threads} threads" if self.device == "cpu" else self.device,
            f"{precision} ({self.reason})",
            *(["channels_last"] if self.channels_last else []),
            self.optimizer,
            "torch.compile" if self.compiled else "eager",
            *([f"{self.processes} processes"] if self.processes > 1 else []),
        ]
        return "plan: " + " · ".join(parts)


def make_plan(
    model: Any, *, flops: float, device: torch.device, optimizer: Any, precision: str, compiled: bool
) -> Plan:
    """Return the plan for a model.

    Args:
        model: the built model.
        flops: operations of one forward pass over a batch.
        device: where it trains.
        optimizer: its optimizer.
        precision: "auto", "float32" or "bfloat16", as in `compile`.
        compiled: whether `torch.compile` was asked for.
    """
    chosen, reason = choose_precision(precision, flops, device)
    kernels = "fused " if getattr(optimizer, "fused", False) else ""
    return Plan(
        device=str(device),
        threads=torch.get_num_threads(),
        precision=chosen,
        reason=reason,
        channels_last=any(parameter.dim() == 4 for parameter in model.parameters()),
        optimizer=kernels + type(optimizer).__name__,
        compiled=compiled,
        flops=flops,
        processes=join().size,
    )


def choose_precision(asked: str, flops: float, device: torch.device) -> tuple[str, str]:
    """Return the precision and the reason for it."""
    if asked != "auto":
        return asked, "as asked"
    native = native_bfloat16(device)
    if native is None:
        return "float32", "no native bfloat16"
    if flops < BFLOAT16_MIN_FLOPS_PER_BATCH:
        return "float32", "small model"
    return "bfloat16", native


@lru_cache
def native_bfloat16(device: torch.device) -> str | None:
    """Return the name of the hardware that multiplies bfloat16 natively on this device, or None."""
    if device.type == "cuda":
        return "tensor cores" if torch.cuda.get_device_capability(device)[0] >= 8 else None
    if device.type == "cpu":
        return "AMX" if has_working_amx() else None
    return None
