"""A lower learning rate when a value stops improving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neocog.callbacks._learning_rate import optimizers_of, record_learning_rates
from neocog.callbacks._monitor import MonitorCallback
from neocog.callbacks._registry import CALLBACKS
from neocog.core import check_int, check_number
from neocog.exceptions import ArgumentError, ArgumentTypeError, message
from neocog.training._hook import EpochLogs, Logs


@CALLBACKS.register()
class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by `factor` when the value has not improved for `patience` epochs.

    Args:
        monitor: name of the watched value; default `"val_loss"`.
        factor: what the rate is multiplied by, below 1; default 0.1.
        patience: epochs without improvement that are waited; default 10.
        verbose: 1 says when it reduces; default 0.
        mode: `"min"`, `"max"` or `"auto"` (default), told from the metric of that name.
        min_delta: the least change that counts as an improvement; default 1e-4.
        cooldown: epochs after a reduction in which nothing is counted; default 0.
        min_lr: the rate never falls below this; default 0.
        **kwargs: `epsilon`, the older name of `min_delta`.

    Example:
        >>> ReduceLROnPlateau(factor=0.5, patience=3).factor
        0.5
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if "epsilon" in kwargs:
            min_delta = kwargs.pop("epsilon")  # its name before Keras 2.1
        if kwargs:
            raise ArgumentTypeError(
                message("ReduceLROnPlateau", expected="known arguments only", got=", ".join(kwargs))
            )
        super().__init__(monitor, mode, min_delta=min_delta)
        where = type(self).__name__
        if check_number(where, "factor", factor, minimum=0) >= 1:
            raise ArgumentError(message(where, expected="factor below 1", got=factor))
        self.factor = factor
        self.patience = check_int(where, "patience", patience, minimum=0)
        self.verbose = verbose
        self.cooldown = check_int(where, "cooldown", cooldown, minimum=0)
        self.min_lr = check_number(where, "min_lr", min_lr, minimum=0)
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget what an earlier `fit` left."""
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def on_epoch_end(self, epoch: int, logs: EpochLogs | None = None) -> None:
        """Record the rate in the logs, compare, and reduce it when patience is over."""
        logs = {} if logs is None else logs
        record_learning_rates(self.model, logs)
        current = self.current(logs)
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def in_cooldown(self) -> bool:
        """Return whether a reduction was made fewer than `cooldown` epochs ago."""
        return self.cooldown_counter > 0

    def _reduce(self, epoch: int) -> bool:
        reduced = False
        for name, optimizer in optimizers_of(self.model):
            old = float(optimizer.learning_rate)
            if old <= self.min_lr:
                continue
            new = max(old * self.factor, self.min_lr)
            optimizer.learning_rate = new
            reduced = True
            if self.verbose > 0:
                print(
                    f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing{f' {name}' if name else ''} "
                    f"learning rate to {new}."
                )
        return reduced

    def state_dict(self) -> dict[str, Any]:
        """Return the counters and the best value."""
        return {"best": self.best, "wait": self.wait, "cooldown_counter": self.cooldown_counter}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        self.best = state["best"]
        self.wait = state["wait"]
        self.cooldown_counter = state["cooldown_counter"]
