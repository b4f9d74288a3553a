"""Objects to descriptions (`module`, `class_name`, `config`, …), as Keras's files hold them, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np
import torch

from neocog.core._custom import custom_object, get_registered_name, registered_name
from neocog.core._dtypes import dtype_name, to_tensor
from neocog.core._sharing import note_description, note_object, shared_object
from neocog.exceptions import FileFormatError, UnknownNameError, message

# Modules whose classes neocog's registries stand for; anything else must be the user's own class.
_KERAS = ("keras", "tf_keras", "tensorflow", "neocog", "builtins", "keras_core")
_DATA_LIMIT = 2**24  # values in an array of a configuration


def describe_object(obj: Any, module: str, class_name: str | None) -> dict[str, Any]:
    """Return the description of an object that has `get_config`.

    Args:
        obj: the object.
        module: Keras's public module of its class.
        class_name: Keras's name of its class; None for a class of the user's own.
    """
    cls = type(obj)
    own = registered_name(cls)
    known = class_name is not None and own is None
    config: dict[str, Any] = {
        "module": module if known else cls.__module__,
        "class_name": class_name if known else cls.__name__,
        "config": {
            key: describe(_as_list(value) if known else value) for key, value in obj.get_config().items()
        },
        "registered_name": None if known else own or cls.__name__,
    }
    for key, method in (("build_config", "get_build_config"), ("compile_config", "get_compile_config")):
        settings = getattr(obj, method)() if hasattr(obj, method) else None
        if settings:
            config[key] = describe(settings)
    note_description(obj, config)
    return config


def _as_list(value: Any) -> Any:
    """Built-in classes take arrays in their configuration as lists, here and in Keras."""
    is_array = isinstance(value, (np.ndarray, torch.Tensor)) and value.ndim
    return value.tolist() if is_array else value


def describe_function(function: Any) -> Any:
    """Return the description of a function of the user's own: its name, never its code."""
    name = get_registered_name(function)
    kind = "__lambda__" if name == "<lambda>" else "function"
    return {"module": "builtins", "class_name": kind, "config": name, "registered_name": "function"}


# Registered classes and functions, and what describes them: their family's table.
_HOMES: dict[Any, Callable[[Any], Any]] = {}


def note_home(entry: Any, describe_it: Callable[[Any], Any]) -> None:
    """Remember which family describes the objects of a class; the first one that registers it."""
    _HOMES.setdefault(entry, describe_it)


# What else has a form in files: (type, function that gives its description). Upper floors add theirs.
_WRITERS: list[tuple[type, Callable[[Any], Any]]] = []
_READERS: dict[str, Callable[[Mapping[str, Any]], Any]] = {}


def add_special(
    class_name: str, kind: type, write: Callable[[Any], Any], read: Callable[[Mapping[str, Any]], Any]
) -> None:
    """Let descriptions hold a further kind of value, under a name such as `__keras_tensor__`.

    Args:
        class_name: the name.
        kind: the type of the values.
        write: gives the value's `config`.
        read: makes the value from its `config`.
    """
    _WRITERS.append((kind, lambda value: {"class_name": class_name, "config": write(value)}))
    _READERS[class_name] = read


def describe(value: Any) -> Any:
    """Return what stands for a value in a configuration; what has no form comes back as it is."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Mapping):
        return {key: describe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [describe(item) for item in value]
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value)
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value.item()
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        name = "string" if value.dtype.kind in "US" else value.dtype.name
        return {"class_name": "__numpy__", "config": {"value": value.tolist(), "dtype": name}}
    if hasattr(value, "get_config") and not isinstance(value, type):
        home = _HOMES.get(type(value))
        return home(value) if home is not None else describe_object(value, "", None)
    if isinstance(value, (FunctionType, BuiltinFunctionType)):
        home = _HOMES.get(value)
        described = describe_function(value)
        return described if home is None else {**described, "config": home(value)}
    return value


def make_described(config: Mapping[str, Any], resolve: Callable[[str], Any], family: str) -> Any:
    """Return the object of a description; its class comes from the user or from `resolve` alone.

    Raises:
        UnknownNameError: nobody knows the class.
        FileFormatError: the description holds code, or is damaged.
    """
    class_name, inner = config.get("class_name"), config.get("config")
    if not isinstance(class_name, str):
        raise UnknownNameError(f"{family} {ascii(class_name)[:80]}: no {family} has this name.")
    if class_name == "__lambda__":
        raise refused_code(family)
    if class_name == "function":
        return _function(config, resolve, family)
    before = shared_object(config)
    if before is not None:
        return before
    entry = custom_object(config.get("registered_name"))
    if entry is None:
        entry = custom_object(class_name)
    own = entry is not None
    if entry is None:
        check_module(config, family)
        entry = resolve(class_name)
    if not isinstance(entry, type):
        return entry
    if inner is not None and not isinstance(inner, Mapping) and not hasattr(entry, "takes_any_config"):
        raise FileFormatError(message(f"{family} {class_name}", expected="a dict", got=type(inner).__name__))
    made = _made(entry, inner)
    build_config = config.get("build_config")
    if own and isinstance(build_config, Mapping) and not getattr(made, "built", True):
        made.build_from_config(build_config)  # neocog's own layers are built by the calls that follow
    note_object(config, made)
    return made


def _made(entry: Any, inner: Any) -> Any:
    if isinstance(inner, Mapping):
        inner = {key: read_data(value) for key, value in inner.items()}
    if hasattr(entry, "from_config"):
        return entry.from_config(inner or {})
    return entry(**(inner or {}))


def _function(config: Mapping[str, Any], resolve: Callable[[str], Any], family: str) -> Any:
    names = [config.get("config"), config.get("registered_name")]
    if not isinstance(names[0], str):
        raise FileFormatError(message(family, expected="the name of a function", got=repr(names[0])[:80]))
    for name in names:
        found = custom_object(name)
        if found is not None:
            return found
    check_module({**config, "class_name": names[0]}, family)
    return resolve(names[0])


def check_module(config: Mapping[str, Any], family: str) -> None:
    """Refuse a description whose class is neither Keras's nor one that the user gave.

    Raises:
        UnknownNameError: the text says how to give the class.
    """
    name, module, registered = config.get("class_name"), config.get("module"), config.get("registered_name")
    foreign = isinstance(module, str) and module.split(".")[0] not in _KERAS
    renamed = registered is not None and registered not in (name, "function")
    if foreign or renamed or (module is not None and not isinstance(module, str)):
        known_as = registered if renamed else name
        what = f"{str(module)[:80]}.{str(name)[:80]}" if foreign else repr(str(known_as)[:80])
        raise UnknownNameError(
            f"{family} {str(name)[:80]!r}: the file names {what}, which is no class of neocog's. If it is "
            f"yours, give custom_objects={{{str(known_as)[:80]!r}: the class}}, or register it with "
            "register_keras_serializable; nothing is imported for a file."
        )


def refused_code(where: str) -> FileFormatError:
    """Return the error for a Python lambda in a file: its code is never run."""
    return FileFormatError(
        f"{where}: the file holds the code of a Python lambda. Code in files is never run, because it could "
        "do anything. Replace the lambda by a named function and give it in custom_objects, or build the "
        "model in code and call load_weights."
    )


def read_data(value: Any) -> Any:
    """Return a value of a configuration with arrays, bytes and slices in it made; the rest stays as it is."""
    if isinstance(value, list):
        return [read_data(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    read = _READERS.get(value.get("class_name")) if "config" in value else None  # type: ignore[arg-type]
    if read is not None and value["class_name"] in _DATA:
        return read_special(value)
    return {key: read_data(item) for key, item in value.items()} if "class_name" not in value else value


def read_special(config: Mapping[str, Any]) -> Any:
    """Return what a description with a name such as `__numpy__` stands for.

    Raises:
        FileFormatError: its parts are damaged or too large.
    """
    name = str(config["class_name"])
    try:
        return _READERS[name](config["config"])
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError, OverflowError) as error:
        got = f"{repr(config['config'])[:60]} ({str(error)[:80]})"
        raise FileFormatError(message(name, expected="its parts", got=got, do="It is damaged.")) from error


def is_special(config: Mapping[str, Any]) -> bool:
    """Return whether a description is one of a value such as `__numpy__`."""
    return config.get("class_name") in _READERS and "config" in config


def _array(config: Mapping[str, Any]) -> Any:
    if str(config["dtype"]) not in ("string", "str") and np.dtype(str(config["dtype"])).hasobject:
        raise ValueError("objects")
    array = np.array(
        config["value"], dtype=None if str(config["dtype"]) == "string" else str(config["dtype"])
    )
    if array.dtype.hasobject or array.size > _DATA_LIMIT:
        raise ValueError("objects, or too many values")
    return array


def _tensor(config: Mapping[str, Any]) -> torch.Tensor:
    return to_tensor(config["value"], dtype=str(config["dtype"]))


def _slice(config: Mapping[str, Any]) -> slice:
    parts = [config.get(key) for key in ("start", "stop", "step")]
    return slice(*(read_data(part) for part in parts))


add_special(
    "__slice__",
    slice,
    lambda value: {key: describe(getattr(value, key)) for key in ("start", "stop", "step")},
    _slice,
)
add_special("__ellipsis__", type(Ellipsis), lambda value: {}, lambda config: Ellipsis)
add_special(
    "__bytes__",
    bytes,
    lambda value: {"value": value.decode("utf-8")},
    lambda config: str(config["value"]).encode("utf-8"),
)
add_special(
    "__tensor__",
    torch.Tensor,
    lambda value: {"value": value.detach().cpu().tolist(), "dtype": dtype_name(value.dtype)},
    _tensor,
)
_DATA = {"__slice__", "__ellipsis__", "__bytes__", "__tensor__", "__numpy__"}
_READERS["__numpy__"] = _array
