"""Layers that were made in a `RematScope`: which of them are computed again, and as what."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from neocog.core import tree_flatten
from neocog.graph import RematMode, computed_again, remat
from neocog.layers._losses_of_layers import CALLS
from neocog.layers._precision import INSIDE, call_with_care

if TYPE_CHECKING:
    from neocog.layers._layer import Layer


def call_again(layer: Layer, how: RematMode, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a layer's `call` so that the activations which `how` names are not kept."""
    body = getattr(layer, "_body", None)
    if not torch.is_grad_enabled() or _without_values(args):
        return call_with_care(layer, args, kwargs)
    if how.mode == "full" and CALLS.outermost is layer and isinstance(layer, nn.Module) and body is not None:
        body.in_stretches = True  # as one, the whole would be in memory again in the backward pass
        try:
            return call_with_care(layer, args, kwargs)
        finally:
            body.in_stretches = False
    if how.mode == "activations":
        return _with_activation_again(layer, args, kwargs)
    if not _is_meant(layer, how, args):
        return call_with_care(layer, args, kwargs)
    mixed = INSIDE.mixed

    def call(*args: Any, **kwargs: Any) -> Any:
        before, INSIDE.mixed = INSIDE.mixed, mixed  # the second time this thread may be another one
        try:
            return call_with_care(layer, args, kwargs)
        finally:
            INSIDE.mixed = before

    return computed_again(call, [layer], *args, **kwargs)


def _without_values(args: tuple[Any, ...]) -> bool:
    return any(isinstance(leaf, torch.Tensor) and leaf.device.type == "meta" for leaf in tree_flatten(args))


def _is_meant(layer: Layer, how: RematMode, args: tuple[Any, ...]) -> bool:
    if how.mode == "list_of_layers":
        return layer.name in how.layer_names
    if hasattr(layer, "train_step") and CALLS.outermost is layer:
        return False  # the layers inside go by themselves
    return how.mode == "full" or _outputs_a_sample(layer, args) > how.output_size_threshold


def _outputs_a_sample(layer: Layer, args: tuple[Any, ...]) -> int:
    """Return how many numbers a layer gives for one sample."""
    leaf = args[0] if args and isinstance(args[0], torch.Tensor) else None
    if leaf is None:
        return 0
    shape = layer.compute_output_shape((None, *leaf.shape[1:]))
    held: Any
    for held in layer.modules():
        if hasattr(held, "forget_own_losses"):
            held.forget_own_losses()  # of the run that told the shape
    shapes = [shape] if isinstance(shape, tuple) and not any(isinstance(s, tuple) for s in shape) else shape
    return sum(math.prod(side or 1 for side in one) for one in shapes)


def _with_activation_again(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    activation = getattr(layer, "activation", None)
    if not callable(activation) or isinstance(getattr(type(layer), "activation", None), property):
        return call_with_care(layer, args, kwargs)
    held: Any = layer
    held.activation = remat(activation)
    try:
        return call_with_care(layer, args, kwargs)
    finally:
        held.activation = activation
