"""`bench`: how fast this machine is."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from neocog import layers, zoo
from neocog.core import check_number, default_device, processor_name
from neocog.models import Sequential
from neocog.training import half_precision
from neocog.workflows._events import Reporter, silent
from neocog.workflows._timing import Clock, Way, half_type, type_name, wait

_GEMM = 2048
_COPIED = 1 << 27  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """One speed: what, how much of what unit, and how it ran."""

    what: str
    value: float
    unit: str
    how: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchResult:
    """What `bench` measured.

    Attributes:
        machine: the processor or GPU.
        threads: CPU threads that torch uses.
        torch: its version.
        speeds: in the order of measuring.
    """

    machine: str
    threads: int
    torch: str
    speeds: tuple[Speed, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        speeds = [{"what": s.what, "value": s.value, "unit": s.unit, "how": s.how} for s in self.speeds]
        return {"machine": self.machine, "threads": self.threads, "torch": self.torch, "speeds": speeds}


def bench(*, seconds: float = 1.0, report: Reporter = silent) -> BenchResult:
    """Measure matrix products, memory, and how many samples a second `fit` trains on.

    Args:
        seconds: about how long each measurement takes.
        report: told of the progress.
    """
    seconds = check_number("bench", "seconds", seconds, minimum=0.01, maximum=60)
    device = default_device()
    jobs: list[tuple[str, Callable[[], Speed]]] = [
        ("float32 product", lambda: _product(torch.float32, device, seconds)),
        ("memory copy", lambda: _copy(device, seconds)),
    ]
    if half_precision(device) is not None:
        kind = half_type(device)
        jobs.insert(1, (f"{type_name(kind)} product", lambda: _product(kind, device, seconds)))
    jobs += [(name, partial(_training, name, make, seconds)) for name, make in _NETWORKS]
    clock = Clock(len(jobs), report)
    speeds = []
    for name, job in jobs:
        clock.next(name)
        speeds.append(job())
    clock.end()
    return BenchResult(
        machine=_machine(device),
        threads=torch.get_num_threads(),
        torch=str(torch.__version__),
        speeds=tuple(speeds),
    )


_NETWORKS: tuple[tuple[str, Callable[[], tuple[Any, tuple[int, ...], int]]], ...] = (
    ("perceptron 784-512-10, batch 128", lambda: (_perceptron(), (784,), 128)),
    ("LeNet-5, batch 128", lambda: (zoo.lenet5_tanh(input_shape=(28, 28, 1)), (28, 28, 1), 128)),
    ("Fashion-MNIST network, batch 32", lambda: (zoo.fashion_cnn(), (28, 28, 1), 32)),
)


def _perceptron() -> Any:
    return Sequential(
        [layers.Input((784,)), layers.Dense(512, activation="relu"), layers.Dense(10, activation="softmax")]
    )


def _repeated(work: Callable[[], Any], seconds: float) -> float:
    """Return the seconds of one call: the median, after two that do not count."""
    found: list[float] = []
    end = math.inf
    while len(found) < 5 or time.perf_counter() < end:
        began = time.perf_counter()
        work()
        wait()
        found.append(time.perf_counter() - began)
        if len(found) == 2:
            end = time.perf_counter() + seconds
    return statistics.median(found[2:])


def _product(kind: torch.dtype, device: torch.device, seconds: float) -> Speed:
    size = _GEMM if device.type == "cpu" else 4 * _GEMM
    a, b = (torch.rand(size, size, device=device).to(kind) for _ in range(2))
    gflops = 2 * size**3 / _repeated(lambda: a @ b, seconds) / 1e9
    return Speed(what=f"{type_name(kind)} product {size}×{size}", value=gflops, unit="GFLOP/s")


def _copy(device: torch.device, seconds: float) -> Speed:
    source = torch.zeros(_COPIED // 4, device=device)
    target = torch.empty_like(source)
    gigabytes = 2 * _COPIED / _repeated(lambda: target.copy_(source), seconds) / 1e9
    return Speed(what="memory copy, read and written", value=gigabytes, unit="GB/s")


def _training(name: str, make: Callable[[], tuple[Any, tuple[int, ...], int]], seconds: float) -> Speed:
    model, shape, batch = make()
    way = Way(lambda: model, shape, batch)
    way.last(seconds / 2)
    speed = batch / statistics.median(way.run() for _ in range(2))
    how = str(model.plan).removeprefix("plan: ")
    return Speed(what=f"fit: {name}", value=speed, unit="samples/s", how=how)


def _machine(device: torch.device) -> str:
    return str(torch.cuda.get_device_name(device)) if device.type == "cuda" else processor_name()
