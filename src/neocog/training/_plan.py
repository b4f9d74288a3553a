"""The training plan: how `fit` runs a model on this machine, decided once by rules, said in one line.

Every choice is a function of model, batch and machine, by the thresholds of `_calibration`, and never of a
stopwatch: the same seed gives the same plan and the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.utils._triton import has_triton_package

from neocog.training._calibration import Calibration, calibration_for
from neocog.training._graphs import why_not_recorded
from neocog.training._precision import WHOLE, choose_precision, half_precision, takes_tf32
from neocog.training._recorder import make_recorder
from neocog.training._world import join


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How `fit` runs.

    Attributes:
        device: torch's name of the device.
        threads: CPU threads that torch uses.
        precision: "float32", "bfloat16" or "float16" (autocast; weights, losses and metrics stay float32), or
            "float64", that of the weights.
        reason: why this precision.
        channels_last: whether 2D convolutions run on channels_last memory.
        optimizer: name of the optimizer, with the kind of kernels behind it.
        compiled: whether the forward pass goes through `torch.compile`.
        flops: operations of one forward pass over a batch.
        processes: how many train together, each on its part of every batch.
        tf32: whether products of float32 run in TensorFloat-32; None where the device has none.
        graphs: whether steps are recorded as a CUDA graph.
        data: how batches get to the device, where that takes more than handing them over.
        calibration: where the thresholds come from: "built-in", or the date of the measurement.
        layers: how many layers compute.
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
    tf32: bool | None = None
    graphs: bool = False
    data: str = ""
    calibration: str = "built-in"
    layers: int = 0

    def __str__(self) -> str:
        scaled = ", scaled" if self.precision == "float16" else ""
        autocast = "" if self.precision in WHOLE else f" autocast{scaled}"
        parts = [
            f"{self.device}, {self.threads} threads" if self.device == "cpu" else self.device,
            f"{self.precision}{autocast} ({self.reason})",
            *(["TF32"] if self.tf32 else []),
            *(["channels_last"] if self.channels_last else []),
            self.optimizer,
            "torch.compile" if self.compiled else ("eager" if not self.graphs else ""),
            "CUDA graph" if self.graphs else "",
            f"{self.processes} processes" if self.processes > 1 else "",
            self.data,
            "" if self.calibration == "built-in" else f"calibrated {self.calibration}",
        ]
        return "plan: " + " · ".join(part for part in parts if part)


def make_plan(
    model: Any,
    *,
    flops: float,
    device: torch.device,
    optimizer: Any,
    precision: str,
    compiled: bool | str,
) -> Plan:
    """Return the plan for a model.

    Args:
        model: the built model.
        flops: operations of one forward pass over a batch.
        device: where it trains.
        optimizer: its optimizer.
        precision: "auto", "float32", "bfloat16" or "float16", as in `compile`.
        compiled: `jit_compile`: True and False as asked, "auto" by rule.
    """
    hardware = half_precision(device)
    calibration = calibration_for(device, hardware)
    images = any(parameter.dim() >= 4 for parameter in model.parameters())
    doubles = {parameter.dtype for parameter in model.parameters()} == {torch.float64}
    chosen, reason = choose_precision(
        precision, flops, hardware, calibration, convolves=images, doubles=doubles
    )
    processes = join().size
    kernels = "fused " if getattr(optimizer, "fused", False) else ""
    return Plan(
        device=str(device),
        threads=torch.get_num_threads(),
        precision=chosen,
        reason=reason,
        channels_last=any(parameter.dim() == 4 for parameter in model.parameters()),
        optimizer=kernels + type(optimizer).__name__,
        compiled=processes == 1 and _compiles(compiled, model, flops, device, calibration),
        flops=flops,
        processes=processes,
        tf32=takes_tf32(precision, device),
        graphs=processes == 1 and _records(compiled, model, flops, device, chosen, calibration),
        calibration=calibration.source,
        layers=layers_of(model),
    )


def with_data(plan: Plan, held: str) -> Plan:
    """Return the plan with what is known of the data once they are placed."""
    return replace(plan, data=held)


def _records(
    asked: bool | str,
    model: Any,
    flops: float,
    device: torch.device,
    precision: str,
    calibration: Calibration,
) -> bool:
    """Whether steps are recorded: where the GPU would wait for Python, and all of the step can be.

    Starting the kernels of a layer, forward and backward, takes about as long for any size; computing them
    takes longer the larger they are. With loss scaling each step asks whether gradients are finite.
    """
    if asked is False or precision == "float16" or make_recorder(device) is None or not flops:
        return False
    if flops / layers_of(model) >= calibration.graphs_flops_per_layer:
        return False
    return why_not_recorded(model) is None


def layers_of(model: Any) -> int:
    """Return how many layers compute: modules without others inside."""
    return max(1, sum(not any(module.children()) for module in model.modules()))


def _compiles(
    asked: bool | str, model: Any, flops: float, device: torch.device, calibration: Calibration
) -> bool:
    """Whether the forward pass is compiled: large networks on a GPU whose layers are all known.

    On the CPU it was measured to lose (0.5 to 0.9 times the speed on convolutions). On a GPU it joins what
    stands between convolutions, and takes a minute first.
    """
    if asked is True or asked is False:
        return asked
    if device.type != "cuda" or not has_triton_package():
        return False
    if torch.cuda.get_device_capability(device) < (7, 0) or flops < calibration.compile_flops:
        return False
    return all(_is_traceable(module) for module in model.modules())


def _is_traceable(module: Any) -> bool:
    """Whether a compiler follows a layer: neocog's and torch's own, but for those that draw on the host."""
    where = type(module).__module__
    known = where.startswith(("neocog.", "torch.nn."))
    return known and not where.startswith("neocog.layers.augment") and not getattr(module, "stateful", False)
