"""What callbacks that watch one value share: reading it, and telling better from worse."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from neocog.callbacks._callback import Callback
from neocog.core import check_number
from neocog.exceptions import ArgumentError, message

_MODES = ("auto", "min", "max")


class MonitorCallback(Callback):
    """Keeps the best value of `monitor` so far.

    Args:
        monitor: name of the watched value in the logs.
        mode: `"min"`, `"max"`, or `"auto"`: told from the metric of that name.
        best: the value to beat at the start; None for any.
        min_delta: the least change that counts as better; its sign is ignored.
    """

    def __init__(
        self, monitor: str, mode: str = "auto", best: float | None = None, min_delta: float = 0
    ) -> None:
        super().__init__()
        if mode not in _MODES:
            warnings.warn(
                f"{type(self).__name__}: expected mode to be one of {_MODES}, got {mode!r}; 'auto' is used.",
                stacklevel=3,
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = best
        self.min_delta = abs(check_number(type(self).__name__, "min_delta", min_delta))
        self._direction: str | None = {"min": "down", "max": "up"}.get(mode)
        self._told_missing = False

    def current(self, logs: Mapping[str, Any]) -> float | None:
        """Return the watched value, or None; the first time that it is missing, warn with what there is."""
        value = logs.get(self.monitor)
        if value is None:
            if not self._told_missing:
                self._told_missing = True
                warnings.warn(
                    f"{type(self).__name__}: expected a value {self.monitor!r} to monitor, got "
                    f"{', '.join(logs) or 'no values'}. Set monitor to one of these.",
                    stacklevel=3,
                )
            return None
        try:
            return float(value)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ArgumentError(
                message(
                    type(self).__name__,
                    expected=f"{self.monitor!r} to be one number an epoch",
                    got=repr(value),
                    do="Give the metric an average.",
                )
            ) from error

    def improves(self, value: float, reference: float | None) -> bool:
        """Return whether `value` is better than `reference` by more than `min_delta`."""
        if reference is None:
            return True
        # In float32, as logs are made: a change of exactly min_delta must not count by a rounding.
        if self.direction() == "up":
            return bool(np.float32(value - self.min_delta) > np.float32(reference))
        return bool(np.float32(value + self.min_delta) < np.float32(reference))

    def direction(self) -> str:
        """Return "up" where a larger value is better, else "down".

        Raises:
            ArgumentError: the mode is `"auto"` and nothing tells.
        """
        if self._direction is None:
            self._direction = _direction_of(self.monitor, self.model)
        if self._direction is None:
            raise ArgumentError(
                message(
                    type(self).__name__,
                    expected=f"to know whether {self.monitor!r} should grow or shrink",
                    got="mode='auto' and no metric of that name",
                    do="Pass mode='max' or mode='min'.",
                )
            )
        return self._direction


def _direction_of(monitor: str, model: Any) -> str | None:
    name = monitor.removeprefix("val_")
    if name == "loss" or name.endswith("_loss"):
        return "down"
    found = None
    for metric in _all_metrics(model):
        known = getattr(metric, "_direction", None)
        # With several outputs the logs put the output's name in front.
        if known is not None and (metric.name == name or name.endswith(f"_{metric.name}")):
            found = known
            if metric.name == name:
                break
    if found is None and (name in ("acc", "auc") or name.endswith("accuracy")):
        return "up"
    return found


def _all_metrics(model: Any) -> Iterator[Any]:
    for metric in getattr(model, "metrics", None) or []:
        yield metric
        yield from getattr(metric, "metrics", None) or []
