"""Layers around one other layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neocog.exceptions import ArgumentTypeError, message
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS, deserialize, serialize


@LAYERS.register("wrapper")
class Wrapper(Layer):
    """Base of layers that change how one other layer is called; subclasses define `call`.

    Args:
        layer: the layer inside.

    Example:
        >>> from neocog.layers._dense import Dense
        >>> class Twice(Wrapper):
        ...     def call(self, inputs):
        ...         return self.layer(self.layer(inputs))
        >>> import torch
        >>> Twice(Dense(3))(torch.ones(2, 3)).shape
        torch.Size([2, 3])
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise ArgumentTypeError(message(self.label, expected="a layer", got=repr(layer)))
        self.layer: Any = layer

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside."""
        if not self.layer.built:
            self.layer.build(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "layer": serialize(self.layer)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make the layer inside and the one around it."""
        return cls(**{**config, "layer": deserialize(config["layer"], custom_objects)})
