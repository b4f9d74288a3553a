"""Activation names, and the guard that every activation stands behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.overrides import handle_torch_function, has_torch_function_unary

from neocog.core import Registry, custom_object_scope, to_tensor
from neocog.functional import autocasts

Activation = Callable[..., torch.Tensor]
ACTIVATIONS: Registry[Activation] = Registry("activation")


def is_float(x: Any) -> bool:
    """Return whether `x` is a tensor that an activation can take as it is."""
    return isinstance(x, torch.Tensor) and x.is_floating_point()


def converted(function: Activation, x: Any, *args: Any) -> torch.Tensor:
    """Call `function` on what is no float tensor: arrays and integers as float32, symbols recorded whole."""
    if not isinstance(x, torch.Tensor):
        if has_torch_function_unary(x):
            return handle_torch_function(function, (x,), x, *args)
        x = to_tensor(x)
    return function(x if x.is_floating_point() else x.to(torch.float32), *args)


def rounds(x: torch.Tensor) -> bool:
    """Return whether autocast would round the probabilities of `x`: they are to be computed in float32."""
    return x.dtype in (torch.bfloat16, torch.float16) and autocasts(x)


def get(identifier: Any) -> Any:
    """Return an activation for None (linear), a name, a config, a layer or a function.

    Raises:
        UnknownNameError: the name is not known; the message offers the nearest ones.

    Example:
        >>> get("relu")(torch.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """
    return ACTIVATIONS.make("linear" if identifier is None else identifier)


def serialize(activation: Any) -> Any:
    """Return the name of an activation function, or the config of an activation object."""
    return ACTIVATIONS.describe(activation)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the activation that `serialize` described.

    Args:
        config: a name or a config.
        custom_objects: the user's own functions and classes by name.
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)
