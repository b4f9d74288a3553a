"""Schedules that decay: exponentially, with the inverse of time, by a polynomial, in steps."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from neocog.core import check_number
from neocog.exceptions import ArgumentError, message
from neocog.optimizers.schedules._base import (
    SCHEDULES,
    LearningRateSchedule,
    check_rate,
    check_steps,
    plain_number,
    power,
    single,
)


@SCHEDULES.register()
class ExponentialDecay(LearningRateSchedule):
    """initial_learning_rate · decay_rate ^ (step / decay_steps).

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: steps after which the rate is `decay_rate` times the initial one, above 0.
        decay_rate: factor, 0 or more.
        staircase: round step / decay_steps down, so that the rate falls in steps; default False.
        name: default `"ExponentialDecay"`.

    Raises:
        ArgumentError: a number is out of its range.

    Example:
        >>> ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5, staircase=True)(25)
        0.025
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        where = type(self).__name__
        self.initial_learning_rate = check_rate(where, "initial_learning_rate", initial_learning_rate)
        self.decay_steps = check_steps(where, "decay_steps", decay_steps)
        self.decay_rate = check_number(where, "decay_rate", plain_number(decay_rate), minimum=0.0)
        self.staircase = staircase
        self.name = name

    def _fraction(self, step: float) -> float:
        fraction = single(step / single(self.decay_steps))
        return float(math.floor(fraction)) if self.staircase else fraction

    def _rate(self, step: float) -> float:
        return self.initial_learning_rate * power(single(self.decay_rate), self._fraction(step))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


@SCHEDULES.register()
class InverseTimeDecay(ExponentialDecay):
    """initial_learning_rate / (1 + decay_rate · step / decay_steps).

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: unit of the steps, above 0; 1 gives Keras 2's `decay=decay_rate`.
        decay_rate: 0 or more.
        staircase: round step / decay_steps down; default False.
        name: default `"InverseTimeDecay"`.

    Raises:
        ArgumentError: a number is out of its range.

    Example:
        >>> InverseTimeDecay(0.1, decay_steps=1, decay_rate=0.25)(4)
        0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def _rate(self, step: float) -> float:
        return self.initial_learning_rate / (1.0 + self.decay_rate * self._fraction(step))


@SCHEDULES.register()
class PiecewiseConstantDecay(LearningRateSchedule):
    """values[0] up to and with step boundaries[0], values[1] up to boundaries[1], …, the last value after.

    Args:
        boundaries: steps, increasing.
        values: rates, one more than boundaries.
        name: default `"PiecewiseConstant"`.

    Raises:
        ArgumentError: the lengths do not fit, or the boundaries do not increase.

    Example:
        >>> schedule = PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001])
        >>> schedule(100), schedule(101), schedule(1000)
        (0.1, 0.01, 0.001)
    """

    def __init__(
        self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant"
    ) -> None:
        where = type(self).__name__
        self.boundaries = [plain_number(boundary) for boundary in boundaries]
        self.values = [check_rate(where, "values", value) for value in values]
        self.name = name
        if len(self.boundaries) != len(self.values) - 1 or not self.boundaries:
            raise ArgumentError(
                message(
                    where,
                    expected="at least one boundary, and one value more than boundaries",
                    got=f"{len(self.boundaries)} boundaries and {len(self.values)} values",
                )
            )
        for boundary in self.boundaries:
            check_number(where, "boundaries", boundary)
        if sorted(set(self.boundaries)) != self.boundaries:
            raise ArgumentError(message(where, expected="increasing boundaries", got=self.boundaries))

    def _rate(self, step: float) -> float:
        return self.values[bisect_left(self.boundaries, step)]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}


@SCHEDULES.register()
class PolynomialDecay(LearningRateSchedule):
    """(initial − end) · (1 − step / decay_steps) ^ power + end, and `end` after `decay_steps`.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: steps until the end rate, above 0.
        end_learning_rate: default 0.0001.
        power: exponent; default 1, a straight line.
        cycle: stretch `decay_steps` to its next multiple beyond `step` instead of staying at the end; default
            False.
        name: default `"PolynomialDecay"`.

    Raises:
        ArgumentError: a number is out of its range.

    Example:
        >>> PolynomialDecay(0.5, decay_steps=100, end_learning_rate=0.0)(50)
        0.25
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        where = type(self).__name__
        self.initial_learning_rate = check_rate(where, "initial_learning_rate", initial_learning_rate)
        self.decay_steps = check_steps(where, "decay_steps", decay_steps)
        self.end_learning_rate = check_rate(where, "end_learning_rate", end_learning_rate)
        self.power = check_number(where, "power", plain_number(power), minimum=0.0)
        self.cycle = cycle
        self.name = name

    def _rate(self, step: float) -> float:
        steps = single(self.decay_steps)
        if self.cycle:
            steps = single(steps * (math.ceil(single(step / steps)) if step else 1))
        rest = single(1.0 - single(min(step, steps) / steps))
        return (self.initial_learning_rate - self.end_learning_rate) * power(
            rest, self.power
        ) + self.end_learning_rate

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
            "name": self.name,
        }
