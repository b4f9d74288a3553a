"""The learning-rate range test: what its losses say, and a copy of everything that it disturbs."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from torch import nn

from neocog.core import atomic_path
from neocog.exceptions import TrainingError, message
from neocog.training._snapshot import random_state, set_random_state
from neocog.training._snapshot_own import copied
from neocog.training._together import seed_generators

FEWEST = 10  # losses from which a suggestion can be made
_WIDTH = 0.12  # of the smoothing window, as a share of the steps


@dataclass(frozen=True, kw_only=True)
class LearningRateRange:
    """What a learning-rate range test found.

    Attributes:
        rates: learning rate of each step, rising exponentially.
        losses: loss of each step's batch, before its update.
        smoothed: the losses without their noise (a centred window, so that nothing lags behind).
        steepest: rate at which the smoothed loss falls fastest.
        minimum: rate at which it is lowest.
        diverged: whether the test ended because the loss went up.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    steepest: float
    minimum: float
    diverged: bool

    @property
    def minimum_tenth(self) -> float:
        """A tenth of the rate with the lowest loss: the largest to begin with."""
        return self.minimum / 10

    @property
    def suggestion(self) -> float:
        """The rate to take: midway, on the logarithmic scale, between these two."""
        return math.sqrt(self.steepest * self.minimum_tenth)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "minimum_tenth": self.minimum_tenth, "suggestion": self.suggestion}

    def plot(self, path: str | os.PathLike[str]) -> None:
        """Draw the loss over the learning rate, with the suggestion, into a PNG file."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8, 4.5), layout="constrained")
        FigureCanvasAgg(figure)
        axis = figure.subplots()
        axis.plot(self.rates, self.losses, color="#1f6fb2", alpha=0.3, linewidth=1, label="loss")
        axis.plot(self.rates, self.smoothed, color="#1f6fb2", linewidth=2, label="smoothed")
        marks = (("falls fastest", self.steepest, ":"), ("lowest / 10", self.minimum_tenth, "--"))
        for label, rate, style in (*marks, ("suggestion", self.suggestion, "-")):
            axis.axvline(rate, color="#c8561f", linestyle=style, linewidth=1, label=f"{label}: {rate:.2g}")
        low, high = min(self.smoothed), max(self.smoothed[: max(1, len(self.smoothed) * 3 // 4)])
        axis.set_ylim(low - 0.1 * (high - low + 1e-9), high + 0.5 * (high - low + 1e-9))
        axis.set(
            xscale="log", xlabel="learning rate", ylabel="loss of a batch", title="learning-rate range test"
        )
        axis.grid(alpha=0.3)
        axis.legend(frameon=False)
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format="png", dpi=110)


def read_range(rates: Sequence[float], losses: Sequence[float], *, diverged: bool) -> LearningRateRange:
    """Return what rates and losses of a range test say.

    The loss is smoothed over an eighth of the steps; its slope is taken over the logarithm of the rate, where
    all of the window is before the lowest point.

    Raises:
        TrainingError: there are too few finite losses to say anything.

    Example:
        >>> rates = [10.0 ** (power / 10) for power in range(-50, 0)]
        >>> read_range(rates, [2 / (1 + 1e3 * rate) for rate in rates], diverged=False).steepest < 0.01
        True
    """
    count = next((i for i, loss in enumerate(losses) if not math.isfinite(loss)), len(losses))
    if count < FEWEST:
        raise TrainingError(
            message(
                "find_learning_rate",
                expected=f"at least {FEWEST} finite losses",
                got=count,
                do="Begin at a lower rate, take more steps, or look for NaN in the data.",
            )
        )
    rates, losses = list(rates[:count]), list(losses[:count])
    smooth = _smoothed(np.asarray(losses, dtype=np.float64), max(2.0, _WIDTH * count / 2))
    lowest = int(np.argmin(smooth))
    slope = np.gradient(smooth, np.log(np.asarray(rates)))
    begin = _descent(smooth, lowest)
    steepest = begin + int(np.argmin(slope[begin : lowest + 1]))
    return LearningRateRange(
        rates=tuple(rates),
        losses=tuple(losses),
        smoothed=tuple(float(value) for value in smooth),
        steepest=rates[steepest],
        minimum=rates[lowest],
        diverged=diverged,
    )


def _descent(smooth: Any, lowest: int) -> int:
    """Return where the fall to the lowest point begins: a tenth of it below where the losses began.

    What rises and falls before that is noise, however steep.
    """
    level = float(np.median(smooth[: max(1, len(smooth) // 4)]))
    above = np.flatnonzero(smooth[: lowest + 1] >= level - 0.1 * (level - smooth[lowest]))
    return int(above[-1]) if len(above) else 0


def _smoothed(values: Any, width: float) -> Any:
    """Return values averaged with Gaussian weights of a standard deviation of `width` / 2 steps."""
    # A loss that has gone up a hundredfold must not drown what came before it.
    values = np.minimum(values, values[0] + 3 * abs(values[0] - values.min()) + 1e-12)
    places = np.arange(len(values))
    weights = np.exp(-0.5 * ((places[:, None] - places[None, :]) / (width / 2)) ** 2)
    return (weights * values).sum(1) / weights.sum(1)


class Disturbed:
    """A copy of all that training changes: weights, statistics, optimizer, metrics, random numbers.

    Args:
        model: built and compiled.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        state = model.training_state
        self._weights = {name: copied(value) for name, value in nn.Module.state_dict(model).items()}
        self._optimizer = copied(model.optimizer.state_dict())
        self._metrics = [(metric, metric.state_dict()) for metric in model.metrics]
        self._seeds = [(seed, seed.seed, seed.count) for _, seed in seed_generators(model)]
        self._keeping = [layer for layer in model.modules() if hasattr(layer, "restore_kept")]
        self._kept = [copied(layer.copy_kept()) for layer in self._keeping]
        self._rest = (state.epochs_seen, dict(state.rows), model.stop_training)
        self._random = random_state()

    def put_back(self) -> None:
        """Make everything what it was, bit for bit, and drop all gradients."""
        model, state = self.model, self.model.training_state
        for layer, kept in zip(self._keeping, self._kept, strict=True):
            layer.restore_kept(kept)
        nn.Module.load_state_dict(model, self._weights)
        model.optimizer.load_state_dict(self._optimizer)
        for metric, values in self._metrics:
            metric.load_state_dict(values)
        for seed, number, count in self._seeds:
            seed.seed, seed.count = number, count
        for parameter in model.parameters():
            parameter.grad = None
        state.epochs_seen, rows, model.stop_training = self._rest
        state.rows.clear()
        state.rows.update(rows)
        set_random_state(self._random)
