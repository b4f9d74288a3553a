"""Schedules along a cosine: one fall with an optional warm-up, and falls with warm restarts."""

from __future__ import annotations

import math
from typing import Any

import torch

from neocog.core import check_number, floatx, torch_dtype
from neocog.optimizers.schedules._base import (
    SCHEDULES,
    LearningRateSchedule,
    check_rate,
    check_steps,
    plain_number,
    power,
    single,
)


def _half_cosine(fraction: float) -> float:
    """Return (1 + cos(π · fraction)) / 2; near fraction 1, where it cancels, with torch's cosine."""
    angle = single(single(math.pi) * fraction)
    if fraction > 0.8 and floatx() != "float64":
        return 0.5 * single(1.0 + float(torch.cos(torch.tensor(angle, dtype=torch.float32))))
    return 0.5 * single(1.0 + single(math.cos(angle)))


@SCHEDULES.register()
class CosineDecay(LearningRateSchedule):
    """A linear warm-up, then rate · ((1 − alpha) · (1 + cos(π · step / decay_steps)) / 2 + alpha).

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: steps of the cosine, above 0; the warm-up is not counted.
        alpha: the last rate as a fraction of the first one; default 0.
        name: default `"CosineDecay"`.
        warmup_target: rate at the end of the warm-up, from which the cosine falls; None means no warm-up.
        warmup_steps: steps of the warm-up; default 0.

    Raises:
        ArgumentError: a number is out of its range.

    Example:
        >>> schedule = CosineDecay(0.0, 100, warmup_target=0.5, warmup_steps=10)
        >>> schedule(5), schedule(10), schedule(110)
        (0.25, 0.5, 0.0)

    Reference:
        Loshchilov and Hutter, "SGDR", 2016, https://arxiv.org/abs/1608.03983
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        where = type(self).__name__
        self.initial_learning_rate = check_rate(where, "initial_learning_rate", initial_learning_rate)
        self.decay_steps = check_steps(where, "decay_steps", decay_steps)
        self.alpha = check_number(where, "alpha", plain_number(alpha), minimum=0.0)
        self.name = name
        self.warmup_target = None
        if warmup_target is not None:
            self.warmup_target = check_rate(where, "warmup_target", warmup_target)
        self.warmup_steps: float = plain_number(warmup_steps)
        check_number(where, "warmup_steps", self.warmup_steps, minimum=0)

    def _rate(self, step: float) -> float:
        top = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return (self.warmup_target - top) * step / self.warmup_steps + top
            step -= self.warmup_steps
            top = self.warmup_target
        fraction = single(min(step, self.decay_steps) / single(self.decay_steps))
        return top * ((1.0 - self.alpha) * _half_cosine(fraction) + self.alpha)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


@SCHEDULES.register()
class CosineDecayRestarts(LearningRateSchedule):
    """Half cosines, each `t_mul` times as long and `m_mul` times as high as the one before.

    Args:
        initial_learning_rate: the rate at step 0.
        first_decay_steps: steps of the first cosine, above 0.
        t_mul: growth of the length; default 2.
        m_mul: growth of the height; default 1.
        alpha: the lowest rate as a fraction of the first one; default 0.
        name: default `"SGDRDecay"`.

    Raises:
        ArgumentError: a number is out of its range.

    Example:
        >>> schedule = CosineDecayRestarts(0.5, 10)
        >>> schedule(0), schedule(10), schedule(30)
        (0.5, 0.5, 0.5)

    Reference:
        Loshchilov and Hutter, "SGDR", 2016, https://arxiv.org/abs/1608.03983
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        where = type(self).__name__
        self.initial_learning_rate = check_rate(where, "initial_learning_rate", initial_learning_rate)
        self.first_decay_steps = check_steps(where, "first_decay_steps", first_decay_steps)
        self.t_mul = check_steps(where, "t_mul", t_mul)
        self.m_mul = check_number(where, "m_mul", plain_number(m_mul), minimum=0.0)
        self.alpha = check_number(where, "alpha", plain_number(alpha), minimum=0.0)
        self.name = name

    def _rate(self, step: float) -> float:
        fraction = single(step / single(self.first_decay_steps))
        if self.t_mul == 1.0:
            restart = float(math.floor(fraction))
            fraction -= restart
        else:
            restart = _restarts(fraction, single(self.t_mul))
            length = single(power(single(self.t_mul), restart))
            done = single(single(1.0 - length) / single(1.0 - single(self.t_mul)))
            fraction = single(single(fraction - done) / length)
        height = power(self.m_mul, restart)
        return self.initial_learning_rate * (
            (1.0 - self.alpha) * height * _half_cosine(fraction) + self.alpha
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self.t_mul,
            "m_mul": self.m_mul,
            "alpha": self.alpha,
            "name": self.name,
        }


def _restarts(fraction: float, growth: float) -> float:
    """Return floor(log(1 + fraction · (growth − 1)) / log(growth)), the number of cosines completed.

    At a restart the quotient is a whole number that rounding decides about: there it is taken as Keras
    computes it, in the default float.
    """
    length = single(1.0 - single(fraction * single(1.0 - growth)))
    quotient = math.log(length) / math.log(growth) if length > 0.0 else float("nan")
    if quotient != quotient:
        return quotient
    if abs(quotient - round(quotient)) < 1e-4:
        dtype = torch_dtype(floatx())
        logs = [torch.log(torch.tensor(value, dtype=dtype)) for value in (length, growth)]
        return float(torch.floor(logs[0] / logs[1]))
    return float(math.floor(quotient))
