"""The keyword arguments that all optimizers share, and their checks."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, TypedDict

from neocog._old_spellings import warn_old
from neocog.core import check_int, check_number
from neocog.exceptions import ArgumentError, ArgumentTypeError, message, nearest
from neocog.optimizers.schedules import LearningRateSchedule
from neocog.optimizers.schedules._base import check_rate


class SharedOptions(TypedDict, total=False):
    """Arguments that every optimizer takes besides its own and weight decay; `Optimizer` describes them."""

    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None
    name: str | None
    lr: float
    decay: float


class OptimizerOptions(SharedOptions, total=False):
    """Arguments that every optimizer takes besides its own; `Optimizer` describes them."""

    weight_decay: float | None


def signature_of(cls: type) -> inspect.Signature:
    """Return a constructor's signature with the shared options spelled out, for `help` and editors."""
    own = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    named = [parameter for parameter in own if parameter.kind is not parameter.VAR_KEYWORD]
    if len(named) == len(own):
        return inspect.Signature(named)
    known = {parameter.name for parameter in named}
    defaults = {"use_ema": False, "ema_momentum": 0.99}
    shared = [
        inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, default=defaults.get(option))
        for option in OptimizerOptions.__annotations__
        if option not in known and option not in ("lr", "decay")
    ]
    return inspect.Signature([*named, *shared])


def take_legacy(
    where: str, learning_rate: Any, legacy: dict[str, Any], known: list[str]
) -> tuple[Any, float]:
    """Return the learning rate and Keras 2's decay from what is left of the keyword arguments.

    Raises:
        ArgumentTypeError: an argument is unknown; the message offers the nearest ones.
    """
    decay = 0.0
    if "lr" in legacy:
        learning_rate = legacy.pop("lr")
        warn_old(where, "lr", "learning_rate")
    given = legacy.pop("decay", None)
    if given is not None:
        decay = check_number(where, "decay", given, minimum=0.0)
        warn_old(where, "decay", "learning_rate=schedules.InverseTimeDecay(rate, 1, decay)")
    if legacy:
        name = next(iter(legacy))
        close = nearest(name, known)
        hint = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}."
        raise ArgumentTypeError(message(where, expected="known arguments", got=repr(name), do=hint))
    return learning_rate, decay


def check_learning_rate(where: str, value: Any) -> Any:
    """Return a rate as float, a schedule or a callable as it is."""
    if isinstance(value, LearningRateSchedule):
        return value
    if callable(value) and not isinstance(value, type):
        return value
    if isinstance(value, str) or value is None or isinstance(value, type):
        raise ArgumentTypeError(
            message(where, expected="learning_rate to be a number, a schedule or a function", got=repr(value))
        )
    return check_rate(where, "learning_rate", value)


def check_rate_factors(where: str, factors: Any) -> dict[str, float]:
    """Return shares of the learning rate by beginning of paths, checked."""
    if not isinstance(factors, Mapping) or not all(isinstance(key, str) for key in factors):
        raise ArgumentTypeError(
            message(where, expected="rate factors as a dict from beginnings of paths", got=repr(factors))
        )
    return {key: check_number(where, f"rate factor of {key!r}", factors[key], minimum=0.0) for key in factors}


def check_options(where: str, options: dict[str, Any]) -> None:
    """Check the shared options, None meaning unset.

    Raises:
        ArgumentError: a number is out of its range, or two kinds of clipping are asked for.
    """
    for name in ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm"):
        if options[name] is not None:
            check_number(where, name, options[name], minimum=0.0)
    clips = [name for name in ("clipnorm", "clipvalue", "global_clipnorm") if options[name] is not None]
    if len(clips) > 1:
        raise ArgumentError(
            message(where, expected="one kind of clipping", got=" and ".join(clips), do="Leave one of them.")
        )
    if options["use_ema"]:
        check_number(where, "ema_momentum", options["ema_momentum"], minimum=0.0, maximum=1.0)
        if options["ema_overwrite_frequency"]:
            check_int(where, "ema_overwrite_frequency", options["ema_overwrite_frequency"], minimum=1)
    scale = options["loss_scale_factor"]
    if scale is not None and not check_number(where, "loss_scale_factor", scale) > 0:
        raise ArgumentError(message(where, expected="loss_scale_factor above 0", got=repr(scale)))
    if options["gradient_accumulation_steps"]:
        check_int(where, "gradient_accumulation_steps", options["gradient_accumulation_steps"], minimum=2)
