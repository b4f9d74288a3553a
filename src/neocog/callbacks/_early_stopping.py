"""Stopping when a value stops improving."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch

from neocog.callbacks._monitor import MonitorCallback
from neocog.callbacks._registry import CALLBACKS
from neocog.core import check_int, check_number
from neocog.training._hook import EpochLogs, Logs


@CALLBACKS.register()
class EarlyStopping(MonitorCallback):
    """Stops training when the monitored value has not improved for `patience` epochs.

    Args:
        monitor: name of the watched value; default `"val_loss"`.
        min_delta: the least change that counts as an improvement; default 0.
        patience: epochs without improvement that are waited; default 0.
        verbose: 1 says when it stops; default 0.
        mode: `"min"`, `"max"` or `"auto"` (default), told from the metric of that name.
        baseline: a value that must be beaten as well before waiting starts anew; default none.
        restore_best_weights: whether the best epoch's weights come back at the end; default False. They are
            kept on the model's device.
        start_from_epoch: epochs before the watch begins; default 0.

    Example:
        >>> stopping = EarlyStopping(monitor="loss", patience=2)
        >>> stopping.mode
        'auto'
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        where = type(self).__name__
        self.patience = check_int(where, "patience", patience, minimum=0)
        self.verbose = verbose
        self.baseline = None if baseline is None else check_number(where, "baseline", baseline)
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = check_int(where, "start_from_epoch", start_from_epoch, minimum=0)
        self.wait = 0
        self.stopped_epoch = 0
        self.best_epoch = 0
        self.best_weights: dict[str, Any] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget what an earlier `fit` left."""
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights = None

    def on_epoch_end(self, epoch: int, logs: EpochLogs | None = None) -> None:
        """Compare, remember, and stop when patience is over."""
        current = self.current(logs or {})
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._remember(epoch)  # whatever comes, the first weights are the best so far
        self.wait += 1
        if self.improves(current, self.best):
            self.best = current
            self.best_epoch = epoch
            if self.restore_best_weights:
                self._remember(epoch)
            if self.baseline is None or self.improves(current, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Give the best weights back where asked."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print(f"Restoring the weights of the best epoch: {self.best_epoch + 1}.")
            self.model.load_state_dict(self.best_weights)

    def _remember(self, epoch: int) -> None:
        self.best_epoch = epoch
        kept = self.best_weights or {}
        self.best_weights = {
            name: _copied(value, kept.get(name)) for name, value in self.model.state_dict().items()
        }

    def state_dict(self) -> dict[str, Any]:
        """Return the counters, the best value and the best weights."""
        return {
            "wait": self.wait,
            "stopped_epoch": self.stopped_epoch,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "best_weights": None if self.best_weights is None else dict(self.best_weights),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        self.wait = state["wait"]
        self.stopped_epoch = state["stopped_epoch"]
        self.best = state["best"]
        self.best_epoch = state["best_epoch"]
        weights = state["best_weights"]
        self.best_weights = None if weights is None else {key: _copied(weights[key]) for key in weights}


def _copied(value: Any, memory: Any = None) -> Any:
    """Return a copy on the same device, in `memory` where that is a tensor of the same kind."""
    if not isinstance(value, torch.Tensor):
        return copy.deepcopy(value)
    with torch.no_grad():
        fits = isinstance(memory, torch.Tensor) and (memory.shape, memory.dtype, memory.device) == (
            value.shape,
            value.dtype,
            value.device,
        )
        return memory.copy_(value) if fits else value.detach().clone()
