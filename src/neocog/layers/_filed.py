"""What a layer gives to files beside its configuration, and takes from them; classes may override each."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from neocog.exceptions import FileFormatError, message
from neocog.layers._building import ShapesByArgument
from neocog.layers._shapes import as_shape

if TYPE_CHECKING:
    from neocog.layers._layer import Layer
    from neocog.layers._weights import WeightView


def get_build_config(layer: Layer) -> dict[str, Any] | None:
    """Return the shapes that the layer was built for; None before it is built."""
    shapes = layer._build_shapes
    if not layer.built or shapes is None:
        return None
    return {"shapes_dict" if isinstance(shapes, ShapesByArgument) else "input_shape": shapes}


def build_from_config(layer: Layer, config: Mapping[str, Any]) -> None:
    """Build the layer for the shapes that `get_build_config` returned."""
    if config.get("input_shape") is not None:
        layer.build(as_shapes(config["input_shape"]))
    elif isinstance(config.get("shapes_dict"), Mapping):
        layer.build(**{key: as_shapes(shape) for key, shape in config["shapes_dict"].items()})


def save_own_variables(layer: Layer, store: MutableMapping[str, Any]) -> None:
    """Write the layer's own weights, without those of layers inside, under "0", "1", …"""
    for number, view in enumerate(_own(layer)):
        store[str(number)] = view.numpy()


def load_own_variables(layer: Layer, store: Mapping[str, Any]) -> None:
    """Read what `save_own_variables` wrote.

    Raises:
        FileFormatError: the number of weights differs.
    """
    views = _own(layer)
    if len(store) != len(views) or any(str(number) not in store for number in range(len(views))):
        expected = f"{len(views)} weights ({', '.join(view.name for view in views[:6])})"
        raise FileFormatError(message(layer.label, expected=expected, got=f"{len(store)} in the file"))
    for number, view in enumerate(views):
        view.assign(store[str(number)])


save_own_variables.is_default = True  # type: ignore[attr-defined]
load_own_variables.is_default = True  # type: ignore[attr-defined]


def as_shapes(shape: Any) -> Any:
    """Return (nested) shapes out of JSON as tuples."""
    if isinstance(shape, Mapping):
        return {key: as_shapes(item) for key, item in shape.items()}
    if isinstance(shape, list) and any(isinstance(item, (list, Mapping)) for item in shape):
        return [as_shapes(item) for item in shape]
    return as_shape(shape)


def _own(layer: Layer) -> list[WeightView]:
    if hasattr(layer, "filed_weights"):
        return list(layer.filed_weights())  # type: ignore[operator]
    return [view for view in layer.weights if view.module is layer]
