"""The table of layer classes, and layers to and from configurations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neocog.core import Registry, custom_object_scope
from neocog.exceptions import ArgumentTypeError
from neocog.files import check_config_once
from neocog.layers._layer import Layer

LAYERS: Registry[Layer] = Registry("layer")


def get(identifier: Any) -> Any:
    """Return a layer from a name, a config or a layer; None gives None."""
    return LAYERS.make(identifier)


def serialize(layer: Any) -> Any:
    """Return the configuration of a layer with its class name: `{"module", "class_name", "config", …}`.

    Example:
        >>> import neocog
        >>> serialize(neocog.layers.Flatten(name="f"))["class_name"]
        'Flatten'
    """
    return LAYERS.describe(layer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the layer that a configuration describes; classes come from the registry and `custom_objects`
    alone.
    """
    if not isinstance(config, (dict, str)):
        raise ArgumentTypeError(f"layer: expected a config from `serialize`, got {config!r}.")
    with custom_object_scope(custom_objects or {}):
        check_config_once("layer config", config)
        return LAYERS.make(config)
