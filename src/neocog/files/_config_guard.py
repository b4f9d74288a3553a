"""A model's configuration from a stranger: looked through before any object is made from it.

Classes resolve through the registries alone; what is refused here could never resolve, or would harm in a
class that does: this look gives one clear sentence, and bounds the work of what comes after it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from neocog.core import custom_object, free_memory, memory_budget
from neocog.exceptions import FileFormatError, NeocogError, UnknownNameError, message

MAX_LAYERS = 5_000  # the deepest published network, ResNet-1001, has some 3,000
MAX_TEXT = 2**16
_MAX_NESTED_MODELS = 40
_MAX_WHOLE_NUMBER = 2**63

_OWN_PACKAGES = frozenset({"keras", "keras_core", "tf_keras", "tensorflow", "neocog", "builtins"})
# What in Keras opens files, loads models, holds foreign code or switches safety off.
_GADGETS = frozenset({
    "get_file", "load_model", "load_weights", "load_img", "save_img", "save_model", "model_from_json", "eval",
    "exec", "deserialize_keras_object", "enable_unsafe_deserialization", "model_from_config", "read_model",
    "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "ExportArchive", "KerasFileEditor",
    "image_dataset_from_directory", "text_dataset_from_directory", "audio_dataset_from_directory",
    "clear_session", "__typespec__", "TextLineDataset", "download", "import_module", "__import__",
})  # fmt: skip
_VOCABULARY_KEYS = ("vocabulary", "idf_weights", "vocabulary_file", "vocab_file", "oov_file")
_DAMAGED = "The file is damaged, or was changed on purpose: get it again from its source."
_UNSAFE = "Do not use this file: it was made to do more than describe a model."
_depth: ContextVar[int] = ContextVar("neocog_reading_config", default=0)


@contextmanager
def reading_config(where: str, config: Any, budget: int | None = None, reason: str = "") -> Iterator[None]:
    """Check a configuration, then let a model be made from it inside the block.

    Whatever a damaged configuration makes constructors raise becomes a FileFormatError with that text.

    Args:
        where: the file or function, for error texts.
        config: plain values, as `decode_config` gives them.
        budget: bytes that the weights may take; by default half of the memory that is free.
        reason: where the budget comes from.

    Raises:
        FileFormatError: the configuration is unsafe, out of proportion or damaged.
        UnknownNameError: it names a class of a foreign package that is not among the custom objects.
    """
    if _depth.get() == 0:
        check_config(where, config)
    if budget is None:
        budget, reason = free_memory() // 2, "half of the memory that is free"
    token = _depth.set(_depth.get() + 1)
    try:
        with memory_budget(where, budget, reason), config_faults(where):
            yield
    finally:
        _depth.reset(token)


@contextmanager
def config_faults(where: str) -> Iterator[None]:
    """Turn what constructors raise on damaged values into a FileFormatError; neocog's own errors pass."""
    try:
        yield
    except (NeocogError, Warning):
        raise
    except RecursionError as error:
        raise FileFormatError(
            message(where, expected="a configuration that ends", got="one nested too deep", do=_DAMAGED)
        ) from error
    except Exception as error:
        text = str(error).strip().split("\n")[0][:200].rstrip(".")
        raise FileFormatError(
            message(
                where,
                expected="a configuration that makes a model",
                got=f"an error while it was made ({type(error).__name__}: {text})",
                do="The file is damaged, was changed, or its custom classes have changed since.",
            )
        ) from error


def check_config_once(where: str, config: Any) -> None:
    """As `check_config`, but where the whole around it was checked before: nothing."""
    if _depth.get() == 0 and isinstance(config, Mapping):
        check_config(where, config)


def check_config(where: str, config: Any) -> None:
    """Raise where a configuration holds code, gadgets, paths, absurd numbers or too many layers."""
    if not isinstance(config, (Mapping, str)):
        raise _fault(where, "a configuration object", type(config).__name__, _DAMAGED)
    compiled = config.get("compile_config") if isinstance(config, Mapping) else None
    layers = models = 0
    waiting: list[tuple[Any, bool]] = [(config, True)]
    while waiting:
        value, is_architecture = waiting.pop()
        is_architecture = is_architecture and value is not compiled
        if isinstance(value, Mapping):
            _check_object(where, value)
            found = value.get("layers")
            if isinstance(found, list):
                layers, models = layers + len(found), models + 1
            waiting.extend((item, is_architecture) for item in value.values())
        elif isinstance(value, (list, tuple)):
            waiting.extend((item, is_architecture) for item in value)
        else:
            _check_value(where, value, is_architecture)
        if layers > MAX_LAYERS:
            raise _fault(where, f"a model of at most {MAX_LAYERS} layers", f"{layers} or more", _UNSAFE)
    if models > _MAX_NESTED_MODELS and _nesting(config) > _MAX_NESTED_MODELS:
        raise _fault(where, f"models nested at most {_MAX_NESTED_MODELS} deep", "more", _UNSAFE)


def _check_value(where: str, value: Any, is_architecture: bool) -> None:
    if isinstance(value, str):
        _check_text(where, value)
    elif isinstance(value, int):
        if abs(value) >= _MAX_WHOLE_NUMBER:
            raise _fault(where, "whole numbers of 64 bits", f"one of {value.bit_length()} bits", _DAMAGED)
    elif isinstance(value, float) and math.isnan(value) and is_architecture:
        raise _fault(where, "numbers in the configuration of layers", "NaN", _DAMAGED)


def _check_text(where: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _fault(where, "texts in UTF-8", f"{ascii(text)[:60]}, half a character", _DAMAGED) from error


def _check_object(where: str, value: Mapping[Any, Any]) -> None:
    for key in value:
        if not isinstance(key, str):
            raise _fault(where, "texts as keys", repr(key)[:60], _DAMAGED)
        _check_text(where, key)
    _check_name(where, value.get("name"))
    if "class_name" not in value:
        return
    name, config = value["class_name"], value.get("config")
    if not isinstance(name, str) or not 0 < len(name) <= 200:
        raise _fault(where, "a class name", f"{ascii(name)[:60]}", _DAMAGED)
    named = config if isinstance(config, str) else None
    _check_gadget(where, value, name, named)
    _check_code(where, name, config)
    if isinstance(config, Mapping):
        for key in _VOCABULARY_KEYS:
            if isinstance(config.get(key), str) and custom_object(name) is None:
                got = f"{key}={ascii(config[key])[:80]}, which is a path or address"
                do = "A file's configuration opens no other file: set the vocabulary with set_vocabulary."
                raise _fault(f'{where}, layer "{name}"', "a list of words", got, do)


def _check_gadget(where: str, value: Mapping[Any, Any], name: str, named: str | None) -> None:
    module, registered = value.get("module"), value.get("registered_name")
    for text in (module, registered):
        if text is not None and not isinstance(text, str):
            raise _fault(where, "texts as module and registered name", f"{ascii(text)[:60]}", _DAMAGED)
    lent = any(custom_object(text) is not None for text in (name, registered, named) if text)
    if lent:
        return
    for text in (name, named if name == "function" else None):
        if text is not None and (text in _GADGETS or text.rpartition(".")[2] in _GADGETS):
            do = "No such thing is made from a file; Keras models of layers alone are opened."
            raise _fault(where, "layers and their parts", f"{text!r}, which opens files or runs code", do)
    root = (module or "keras").partition(".")[0]
    if root not in _OWN_PACKAGES:
        do = f"If you know the class and trust the file, give custom_objects={{{(registered or name)!r}: …}}."
        raise UnknownNameError(
            message(where, expected="classes of Keras or neocog", got=f"{module[:80]}.{name}", do=do)  # type: ignore[index]
        )
    if module == "builtins" and name not in ("function", "__lambda__") and registered in (None, name):
        raise _fault(where, "layers and their parts", f"the built-in {name!r}", _UNSAFE)


def _check_code(where: str, name: str, config: Any) -> None:
    is_code = name == "__lambda__" and not isinstance(config, str)
    if name == "Lambda" and isinstance(config, Mapping):
        parts = [config.get(key) for key in ("function", "output_shape", "mask")]
        kinds = [config.get(f"{key}_type") for key in ("function", "output_shape", "mask")]
        is_code = "lambda" in kinds or isinstance(parts[0], (list, tuple))
        is_code = is_code or (isinstance(parts[2], (list, tuple)) and "lambda" in kinds)
    if is_code:
        do = (
            "Code from a file is never run, whatever safe_mode says: write a Layer of your own in place of "
            "Lambda, and give it in custom_objects."
        )
        raise _fault(where, "layers and their parts", "a Lambda with code inside (bytecode of Python)", do)


def _check_name(where: str, name: Any) -> None:
    if name is None or not isinstance(name, str):
        return
    steps = re.split(r"[/\\]", name)
    if ".." in steps or name[:1] in "/\\~" or re.match(r"[A-Za-z]:[/\\]", name) or len(name) > 1000:
        if name:
            raise _fault(
                where, "plain names of layers", f"{ascii(name)[:80]}, which leads elsewhere", _UNSAFE
            )
    elif any(ord(letter) < 32 for letter in name):
        raise _fault(where, "plain names of layers", f"{ascii(name)[:80]}", _UNSAFE)


def _nesting(config: Any) -> int:
    """Return how many lists of layers lie inside each other at most; no recursion."""
    deepest, waiting = 0, [(config, 0)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, Mapping):
            depth += isinstance(value.get("layers"), list)
            waiting.extend((item, depth) for item in value.values())
        elif isinstance(value, (list, tuple)):
            waiting.extend((item, depth) for item in value)
        deepest = max(deepest, depth)
    return deepest


def _fault(where: str, expected: str, got: str, do: str) -> FileFormatError:
    return FileFormatError(message(where, expected=expected, got=got, do=do))
