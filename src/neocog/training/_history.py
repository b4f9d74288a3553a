"""What `fit` returns: losses and metrics, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neocog.training._hook import EpochLogs, Hook, Logs


class History(Hook):
    """The record of a training run.

    Attributes:
        history: name of a value to the list of its values, one an epoch.
        epoch: numbers of the epochs, from 0.
        params: what was known of the run: epochs, steps, verbose.
    """

    def __init__(self) -> None:
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Start the list of epochs anew."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: EpochLogs | None = None) -> None:
        """Add the values of an epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of the record."""
        return {
            "history": {name: list(values) for name, values in self.history.items()},
            "epoch": list(self.epoch),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a record."""
        self.history = {name: list(values) for name, values in state["history"].items()}
        self.epoch = list(state["epoch"])
