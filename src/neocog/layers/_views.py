"""A layer's weight by Keras's name, in Keras's layout: what `layer.kernel` and `layer.gamma` give."""

from __future__ import annotations

from neocog.layers._layer import Layer
from neocog.layers._weights import WeightView


def weight_view(layer: Layer, name: str) -> WeightView:
    """Return the view of the weight called `name`; AttributeError before the layer is built, as in Keras."""
    for spec in layer._specs:
        if spec.name == name:
            return WeightView(layer, spec, f"{layer.name}/{name}")
    raise AttributeError(f"{layer.label}: has no {name} before it is built.")


def optional_view(layer: Layer, name: str) -> WeightView | None:
    """Return the view of the weight called `name`, or None where the layer is built without it."""
    if layer.built and all(spec.name != name for spec in layer._specs):
        return None
    return weight_view(layer, name)
