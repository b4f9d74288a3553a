"""Where the learning rate comes from: a number, a schedule or a function, and Keras 2's decay on top."""

from __future__ import annotations

from typing import Any

from neocog.core import custom_object
from neocog.exceptions import ArgumentError, ArgumentTypeError, message
from neocog.optimizers import schedules
from neocog.optimizers._options import check_learning_rate
from neocog.optimizers.schedules._base import rate_at


class RateSource:
    """The learning rate of one optimizer.

    Args:
        where: the optimizer's class name, for error texts.
        value: a number, a schedule, or a function without arguments.
        decay: Keras 2's decay: the rate that updates use is value / (1 + decay · iterations).
    """

    def __init__(self, where: str, value: Any, decay: float) -> None:
        self.where = where
        self.value = check_learning_rate(where, value)
        self.decay = decay

    @property
    def is_number(self) -> bool:
        """Whether the rate is a plain number, which may be set."""
        return type(self.value) is float

    def set(self, value: Any) -> None:
        """Take another rate.

        Raises:
            ArgumentTypeError: a number where the rate follows a schedule.
        """
        new = check_learning_rate(self.where, value)
        if isinstance(self.value, schedules.LearningRateSchedule) and isinstance(new, float):
            raise ArgumentTypeError(
                message(
                    self.where,
                    expected="another schedule, as the learning rate follows one",
                    got=repr(value),
                    do="Make the optimizer with a number to set the rate from outside.",
                )
            )
        self.value = new

    def base(self, iterations: int) -> float:
        """Return the rate before Keras 2's decay."""
        if type(self.value) is float:
            return self.value
        if isinstance(self.value, schedules.LearningRateSchedule):
            return rate_at(self.value, iterations)
        return float(self.value())

    def at(self, iterations: int) -> float:
        """Return the rate that an update uses."""
        if self.decay:
            return self.base(iterations) / (1.0 + self.decay * iterations)
        return self.base(iterations)

    def config(self) -> Any:
        """Return what `from_config` makes a rate of; a number with decay becomes today's schedule."""
        if type(self.value) is float:
            if self.decay:
                return schedules.serialize(schedules.InverseTimeDecay(self.value, 1, self.decay))
            return self.value
        if isinstance(self.value, schedules.LearningRateSchedule):
            return schedules.serialize(self.value)
        name = getattr(self.value, "__name__", type(self.value).__name__)
        return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


def rate_from_config(config: Any) -> Any:
    """Return the number, schedule or function that `RateSource.config` described."""
    if not isinstance(config, dict):
        return config
    if config.get("class_name") != "function":
        return schedules.deserialize(config)
    function = custom_object(str(config.get("config")))
    if function is None:
        raise ArgumentError(
            message(
                "optimizer config",
                expected=f"the function {config.get('config')!r} of its learning rate",
                got="nothing of that name",
                do="Pass it in custom_objects.",
            )
        )
    return function
