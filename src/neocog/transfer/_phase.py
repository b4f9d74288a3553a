"""How head and top are trained, and what became of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neocog.training import Hook


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How head and top are trained.

    Attributes:
        head_epochs: most epochs of the head.
        head_batch: features a step.
        head_rate: learning rate of the head; None goes by the size of the features.
        head_decay: weight decay of the head, decoupled.
        epochs: most epochs of the top.
        batch: images a step of the top.
        rate: learning rate of the head and of what stands beside it when the top is trained.
        layer_decay: factor of the rate from each block to the one below.
        decay: weight decay of the top.
        warmup: epochs in which the rate of the top rises.
        patience: epochs without a lower validation loss before the head's training stops; half for the top.
        seed: of the order of the samples.
    """

    head_epochs: int = 40
    head_batch: int = 64
    head_rate: float | None = None
    head_decay: float = 0.05
    epochs: int = 6
    batch: int = 32
    rate: float = 1e-4
    layer_decay: float = 0.6
    decay: float = 0.02
    warmup: float = 1.0
    patience: int = 8
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Phase:
    """What became of one training.

    Attributes:
        epochs: values of each epoch, and `seconds`.
        best_epoch: the one whose weights are kept, from 1; 0 where no epoch ended.
        seconds: that it took.
        plan: how it ran, in one line.
        interrupted: whether Ctrl-C ended it.
    """

    epochs: tuple[dict[str, float], ...]
    best_epoch: int
    seconds: float
    plan: str
    interrupted: bool = False

    @property
    def best(self) -> dict[str, float]:
        """The values of the best epoch; empty where no epoch ended."""
        return self.epochs[self.best_epoch - 1] if self.best_epoch else {}


class Clock(Hook):
    """Records the values of every epoch, and how long it took."""

    def __init__(self) -> None:
        self.epochs: list[dict[str, float]] = []
        self._began = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the clock."""
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep the values."""
        seconds = time.perf_counter() - self._began
        numbers = {name: float(np.mean(value)) for name, value in (logs or {}).items()}
        self.epochs.append({**numbers, "seconds": seconds})

    def state_dict(self) -> dict[str, Any]:
        """Return the epochs so far."""
        return {"epochs": [dict(row) for row in self.epochs]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the epochs before a resumed run."""
        self.epochs = [dict(row) for row in state["epochs"]]
