"""A learning rate for each epoch."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from neocog.callbacks._callback import Callback
from neocog.callbacks._learning_rate import optimizers_of, record_learning_rates
from neocog.callbacks._registry import CALLBACKS
from neocog.exceptions import ArgumentError, ArgumentTypeError, message
from neocog.training._hook import EpochLogs, Logs


@CALLBACKS.register()
class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of each epoch.

    Args:
        schedule: function `(epoch, learning_rate)` or `(epoch)` to the new rate; epochs start at 0.
        verbose: 1 says what it sets; default 0.

    Example:
        >>> scheduler = LearningRateScheduler(lambda epoch, rate: rate if epoch < 10 else rate * 0.9)
        >>> scheduler.rate_at(10, 1.0)
        0.9
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        super().__init__()
        if not callable(schedule):
            raise ArgumentTypeError(
                message(
                    "LearningRateScheduler",
                    expected="schedule to be a function of the epoch and the rate",
                    got=repr(schedule),
                )
            )
        self.schedule = schedule
        self.verbose = verbose
        self._takes_rate = _takes_two(schedule)

    def rate_at(self, epoch: int, rate: float) -> float:
        """Return what the schedule makes of the rate `rate` at an epoch.

        Raises:
            ArgumentError: it is not a number.
        """
        new = self.schedule(epoch, rate) if self._takes_rate else self.schedule(epoch)
        if isinstance(new, (torch.Tensor, np.ndarray)) and new.ndim == 0:
            new = new.item()
        if isinstance(new, bool) or not isinstance(new, numbers.Real):
            raise ArgumentError(
                message("LearningRateScheduler", expected="schedule to return a number", got=repr(new))
            )
        return float(new)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the rate."""
        for name, optimizer in optimizers_of(self.model):
            rate = self.rate_at(epoch, float(optimizer.learning_rate))
            optimizer.learning_rate = rate
            if self.verbose > 0:
                print(
                    f"\nEpoch {epoch + 1}: LearningRateScheduler setting {f'{name} ' if name else ''}"
                    f"learning rate to {rate}."
                )

    def on_epoch_end(self, epoch: int, logs: EpochLogs | None = None) -> None:
        """Record the rate in the logs."""
        if logs is not None:
            record_learning_rates(self.model, logs)


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return True
    try:
        signature.bind(0, 0.0)
    except TypeError:
        return False
    return True
