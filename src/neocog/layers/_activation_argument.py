"""The `activation` argument of layers: a name, a function, or a layer."""

from __future__ import annotations

from typing import Any

from neocog import activations
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS


def get_activation(identifier: Any) -> Any:
    """Return an activation for None (linear), a name, a function, a layer, or the config of one of them."""
    if isinstance(identifier, dict) and str(identifier.get("class_name")) in LAYERS:
        return LAYERS.make(identifier)
    return activations.get(identifier)


def serialize_activation(activation: Any) -> Any:
    """Return the name of an activation function, or the config of a layer that serves as one."""
    return LAYERS.describe(activation) if isinstance(activation, Layer) else activations.serialize(activation)
