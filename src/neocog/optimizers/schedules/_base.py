"""What all learning rate schedules share: one number a step, a config, the registry."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from ctypes import c_float
from typing import Any, Self

import numpy as np
import torch

from neocog.core import Registry, check_number, custom_object_scope, floatx, torch_dtype
from neocog.exceptions import ArgumentError, ArgumentTypeError, message

SCHEDULES: Registry[LearningRateSchedule] = Registry("schedule")


class LearningRateSchedule:
    """Base of all schedules: called with the number of steps done so far, it returns the learning rate.

    A subclass overrides `__call__(step)`, where `step` is a whole number (a 0-d tensor when an optimizer
    calls), and `get_config`.

    Example:
        >>> class Halving(LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return 0.1 * 0.5 ** (step // 100)
        >>> Halving()(250)
        0.025
    """

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at `step`: a float for a number, a tensor for a tensor or an array."""
        if isinstance(step, (torch.Tensor, np.ndarray)):
            steps = torch.as_tensor(step)
            rates = [self._rate(value) for value in steps.reshape(-1).tolist()]
            return torch.tensor(rates, dtype=torch_dtype(floatx()), device=steps.device).reshape(steps.shape)
        if isinstance(step, bool) or not isinstance(step, numbers.Real):
            raise ArgumentTypeError(
                message(type(self).__name__, expected="step to be a number or a tensor", got=repr(step))
            )
        return self._rate(step)  # type: ignore[arg-type]

    def _rate(self, step: float) -> float:
        raise NotImplementedError(
            f"{type(self).__name__}: expected the schedule to override __call__(step), it does not."
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        raise NotImplementedError(
            f"{type(self).__name__}: expected the schedule to override get_config(), it does not. "
            "Without it the optimizer cannot be saved."
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the schedule that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        try:
            arguments = ", ".join(
                f"{key}={value!r}" for key, value in self.get_config().items() if key != "name"
            )
        except NotImplementedError:
            arguments = ""
        return f"{type(self).__name__}({arguments})"


def rate_at(schedule: LearningRateSchedule, step: int) -> float:
    """Return a schedule's rate as a Python number; the user's own schedules see a 0-d tensor, as in Keras."""
    if type(schedule).__call__ is LearningRateSchedule.__call__:
        return schedule._rate(step)
    return float(schedule(torch.tensor(step)))


def single(value: float) -> float:
    """Return `value` rounded to the default float, as in Keras: cancellation and `floor` make it visible."""
    return value if floatx() == "float64" else c_float(value).value


def power(base: float, exponent: float) -> float:
    """Return base ** exponent, infinite where it overflows."""
    try:
        return float(base**exponent)
    except OverflowError:
        return float("inf")


def check_rate(where: str, name: str, value: Any) -> float:
    """Return a learning rate, which must be a number of 0 or more."""
    return check_number(where, name, plain_number(value), minimum=0.0, maximum=float("inf"))


def check_steps(where: str, name: str, value: Any) -> Any:
    """Return a number of steps, which must be above 0; whole numbers stay whole."""
    value = plain_number(value)
    check_number(where, name, value)
    if not value > 0:
        raise ArgumentError(message(where, expected=f"{name} above 0", got=repr(value)))
    return value


def plain_number(value: Any) -> Any:
    """Return a Python number for NumPy's and torch's scalars; anything else as it is."""
    if isinstance(value, (torch.Tensor, np.ndarray, np.generic)) and value.ndim == 0:
        return value.item()
    return value


def get(identifier: Any) -> Any:
    """Return a schedule for a config or a schedule; None for None.

    Raises:
        UnknownNameError: the config names no schedule.
    """
    return SCHEDULES.make(identifier)


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """Return a schedule's config: `{"module", "class_name", "config", "registered_name"}`.

    Example:
        >>> from neocog.optimizers.schedules import CosineDecay
        >>> serialize(CosineDecay(0.1, 100))["class_name"]
        'CosineDecay'
    """
    return SCHEDULES.describe(learning_rate_schedule)  # type: ignore[no-any-return]


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the schedule that `serialize` described.

    Args:
        config: what `serialize` returned.
        custom_objects: the user's own schedules by name.
    """
    with custom_object_scope(custom_objects or {}):
        return SCHEDULES.make(dict(config))
