"""What measuring speed needs: models ready to be timed, and a clock that says how long the rest takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from neocog.core import set_random_seed
from neocog.training import half_precision
from neocog.workflows._events import Event, Reporter

_BATCHES = 8  # of one epoch of a measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Measuring(Event):
    """Measurements are under way: `done` of `total`, and about how many seconds are left."""

    done: int
    total: int
    what: str
    seconds_left: float | None = None


class Clock:
    """Tells how far the measurements are, and about how long the rest takes."""

    def __init__(self, total: int, report: Reporter) -> None:
        self.total, self.report, self.done = total, report, 0
        self._began = time.perf_counter()

    def next(self, what: str) -> None:
        """Begin the next one."""
        elapsed = time.perf_counter() - self._began
        left = elapsed / self.done * (self.total - self.done) if self.done else None
        self.report(Measuring(done=self.done, total=self.total, what=what, seconds_left=left))
        self.done += 1

    def end(self) -> None:
        """Say that all is measured."""
        self.report(Measuring(done=self.total, total=self.total, what="measured", seconds_left=0.0))


class Way:
    """One way to train a network, ready to be timed."""

    def __init__(self, make: Callable[[], Any], shape: tuple[int, ...], batch: int, **settings: Any) -> None:
        set_random_seed(0)
        self.model = make()
        self.model.compile("adam", "sparse_categorical_crossentropy", **settings)
        rng = np.random.default_rng(0)
        self.x = rng.random((_BATCHES * batch, *shape), dtype=np.float32)
        self.y = rng.integers(0, 10, len(self.x))
        self.batch = batch
        self.epochs = 1
        self.run()  # kernels chosen, memory at its peak, steps recorded

    def run(self) -> float:
        """Train and return the seconds of a step."""
        began = time.perf_counter()
        self.model.fit(self.x, self.y, batch_size=self.batch, epochs=self.epochs, verbose=0)
        wait()
        return (time.perf_counter() - began) / (self.epochs * len(self.x) // self.batch)

    def last(self, seconds: float) -> None:
        """Let a run take about so many seconds, two steps at least."""
        step = self.run()
        steps = min(_BATCHES, max(2, round(seconds / step)))
        self.x, self.y = self.x[: steps * self.batch], self.y[: steps * self.batch]
        self.epochs = max(1, min(1000, round(seconds / (step * steps))))


def wait() -> None:
    """Wait for what a GPU still has to do."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def half_type(device: torch.device) -> torch.dtype:
    """Return the type of half precision that a device multiplies."""
    return torch.float16 if half_precision(device) == "float16 tensor cores" else torch.bfloat16


def type_name(kind: torch.dtype) -> str:
    """Return torch's name of a type."""
    return str(kind).removeprefix("torch.")
