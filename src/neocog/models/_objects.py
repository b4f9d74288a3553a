"""Any object of neocog's, or of the user's, to a description and back: Keras's `serialize_keras_object`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from neocog import (
    activations,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
)
from neocog.core import (
    Registry,
    custom_object,
    custom_object_scope,
    describe,
    is_special,
    read_special,
    refused_code,
)
from neocog.exceptions import FileFormatError, UnknownNameError, message

# The families in the order in which a name without a module is looked for: table and reader.
_PLACES: dict[str, tuple[Registry[Any], Callable[[Any], Any]]] = {
    "layers": (layers.LAYERS, layers.deserialize),
    "activations": (activations.ACTIVATIONS, activations.deserialize),
    "constraints": (constraints.CONSTRAINTS, constraints.deserialize),
    "initializers": (initializers.INITIALIZERS, initializers.deserialize),
    "losses": (losses.LOSSES, losses.deserialize),
    "metrics": (metrics.METRICS, metrics.deserialize),
    "optimizers": (optimizers.OPTIMIZERS, optimizers.deserialize),
    "regularizers": (regularizers.REGULARIZERS, regularizers.deserialize),
}
_FUNCTIONS = ("activations", "losses", "metrics", "constraints", "initializers", "regularizers")


def serialize_keras_object(obj: Any) -> Any:
    """Return an object as plain values: `{"module", "class_name", "config", …}`, a function by its name,
    arrays, bytes and slices under names such as `__numpy__`.

    Example:
        >>> serialize_keras_object(slice(1, None))["class_name"]
        '__slice__'
    """
    return describe(obj)


def deserialize_keras_object(
    config: Any,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool | None = True,
    **kwargs: Any,
) -> Any:
    """Return the object that `serialize_keras_object` described.

    Classes come from neocog's registries, `custom_objects` and what is registered; no code is ever run.

    Args:
        config: plain values.
        custom_objects: name to class or function, for what is the user's own.
        safe_mode: accepted for Keras's sake: code is refused in either case.

    Raises:
        UnknownNameError: nobody knows the class.
        FileFormatError: it holds code, or is damaged.
    """
    with custom_object_scope(custom_objects or {}):
        return _read(config)


def _read(config: Any) -> Any:
    if isinstance(config, str):
        found = custom_object(config)
        return config if found is None else found
    if isinstance(config, (list, tuple)):
        return [_read(item) for item in config]
    if not isinstance(config, Mapping):
        return config
    if "class_name" not in config or "config" not in config:
        return {key: _read(item) for key, item in config.items()}
    if is_special(config):
        return read_special(config)
    if config["class_name"] == "__lambda__":
        raise refused_code("deserialize_keras_object")
    return _object(config)


def _object(config: Mapping[str, Any]) -> Any:
    is_function = config["class_name"] == "function"
    name = config["config"] if is_function else config["class_name"]
    if not isinstance(name, str):
        raise FileFormatError(message("deserialize_keras_object", expected="a name", got=repr(name)[:80]))
    steps = str(config.get("module")).split(".")
    if not is_function and any(step in ("schedules", "learning_rate_schedule") for step in steps):
        return optimizers.schedules.deserialize(dict(config))
    named = [place for place in _PLACES if place in steps or place[:-1] in steps]
    places = named or list(_FUNCTIONS if is_function else _PLACES)
    for table, read in (_PLACES[place] for place in places):
        if name in table:
            return read(dict(config))
    lent = custom_object(config.get("registered_name"))
    if lent is not None:
        return layers.deserialize(dict(config))
    raise UnknownNameError(
        f"deserialize_keras_object: the class {name[:80]!r} of {'.'.join(steps)[:80]!r} is not known. If it "
        "is yours, give it in custom_objects, or register it with register_keras_serializable."
    )
