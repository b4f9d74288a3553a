"""Optimizers by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from neocog.core import Registry, custom_object_scope
from neocog.exceptions import ArgumentTypeError, message
from neocog.optimizers._torch import TorchOptimizer

if TYPE_CHECKING:
    from neocog.optimizers._optimizer import Optimizer

OPTIMIZERS: Registry[Optimizer] = Registry("optimizer")


def get(identifier: Any) -> Any:
    """Return an optimizer for a name, a config, a class, an optimizer, or one of torch's; None for None.

    A name gives a new optimizer with default arguments; upper and lower case do not matter.

    Raises:
        UnknownNameError: the name is not known; the message offers the nearest ones.
        ArgumentTypeError: the object is no optimizer.

    Example:
        >>> get("adam").beta_1
        0.9
    """
    if isinstance(identifier, torch.optim.Optimizer):
        return TorchOptimizer(identifier)
    if isinstance(identifier, str):
        identifier = _in_registry(identifier)
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    made = OPTIMIZERS.make(identifier)
    if made is not None and not hasattr(made, "step"):
        raise ArgumentTypeError(
            message("optimizer", expected="a name, a config or an optimizer", got=repr(identifier))
        )
    return made


def serialize(optimizer: Any) -> Any:
    """Return an optimizer's config: `{"module", "class_name", "config", "registered_name"}`.

    Shares of the learning rate stand beside it, where Keras, which has none, passes over them.
    """
    described = OPTIMIZERS.describe(optimizer)
    factors = getattr(optimizer, "rate_factors", None)
    return {**described, "rate_factors": factors} if factors else described


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the optimizer that `serialize` described.

    Args:
        config: what `serialize` returned.
        custom_objects: the user's own classes and functions by name.
    """
    with custom_object_scope(custom_objects or {}):
        named = dict(config)
        if "class_name" in named:
            named["class_name"] = _in_registry(str(named["class_name"]))
        factors = named.pop("rate_factors", None)
        made = OPTIMIZERS.make(named)
        if factors and hasattr(made, "set_rate_factors"):
            made.set_rate_factors(factors)
        return made


def _in_registry(name: str) -> str:
    if name not in OPTIMIZERS and name.lower() in OPTIMIZERS:
        return name.lower()
    return name
