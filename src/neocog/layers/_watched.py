"""Whether a layer's own call has to happen where a cheaper form of several layers could stand in for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

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


# What a call of a layer runs; where someone has put something else in its place, that has to run.
PARTS = ("__call__", "forward", "call")


def own_parts(kinds: Iterable[type]) -> dict[type, tuple[Any, ...]]:
    """Return what each class runs, as it is now."""
    return {kind: tuple(getattr(kind, part) for part in PARTS) for kind in kinds}


def is_changed(layer: Layer, own: Mapping[type, tuple[Any, ...]]) -> bool:
    """Return whether a layer is watched, or no longer runs what its class ran when `own_parts` looked."""
    parts = own.get(type(layer))
    if parts is None or is_watched(layer, PARTS):
        return True
    return any(getattr(type(layer), part) is not mine for part, mine in zip(PARTS, parts, strict=True))
