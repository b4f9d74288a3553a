"""Whether a layer's own call has to happen where a cheaper form of several layers could stand in for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neocog.layers._layer import Layer


def is_watched(layer: Layer, parts: Iterable[str]) -> bool:
    """Return whether someone hooked into a layer, replaced a part of it, or gave it a task of its own.

    Args:
        layer: the layer.
        parts: names of the methods that the cheaper form leaves out.
    """
    forward = layer._forward_hooks or layer._forward_pre_hooks
    hooked = forward or layer._backward_hooks or layer._backward_pre_hooks
    return (
        bool(hooked)
        or layer.activity_regularizer is not None
        or any(part in layer.__dict__ for part in parts)
    )
