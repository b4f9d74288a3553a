"""A model as two files in a run's folder: `model.json` (configuration), `model.safetensors` (weights)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from neocog.core import write_text
from neocog.exceptions import FileFormatError, StorageError, message
from neocog.files._config_json import MAX_BYTES, decode_config, encode_config
from neocog.files._safetensors import load_state, read_metadata, save_state

CONFIG_NAME, WEIGHTS_NAME = "model.json", "model.safetensors"

AnyModule = TypeVar("AnyModule", bound=nn.Module)


def save_model_folder(
    config: Mapping[str, Any],
    module: nn.Module,
    folder: str | os.PathLike[str],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write `model.json` and `model.safetensors` into a folder, each whole or not at all.

    The weights carry a checksum of the configuration: files from two models are told apart when read.

    Args:
        config: what `build` of `load_model_folder` makes the same module from.
        module: the built module.
        folder: where to; made if needed.
        metadata: texts to keep with the weights.

    Raises:
        ArgumentTypeError: the configuration holds values that have no plain form.
        StorageError: full or read-only disk, missing permission.
    """
    text = encode_config(config, CONFIG_NAME, indent=1) + "\n"
    save_state(module, Path(folder) / WEIGHTS_NAME, {**(metadata or {}), "config_sha256": _checksum(text)})
    write_text(Path(folder) / CONFIG_NAME, text)


def read_model_config(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the configuration in a folder's `model.json`.

    Raises:
        StorageError: there is none.
        FileFormatError: it is not a JSON object, or the weights beside it belong to another configuration.
    """
    return _read_config(Path(folder))[0]


def load_model_folder(
    folder: str | os.PathLike[str], build: Callable[[dict[str, Any]], AnyModule]
) -> AnyModule:
    """Make the module that a folder's `model.json` describes and give it the weights beside it.

    Args:
        folder: written by `save_model_folder`.
        build: makes the module from the configuration; resolves names through registries alone.

    Raises:
        StorageError: a file is missing or cannot be read.
        FileFormatError: a file is damaged, or the two are not from the same model.
        ShapeError: the weights do not fit.
    """
    folder = Path(folder)
    config, checksum = _read_config(folder)
    noted = read_metadata(folder / WEIGHTS_NAME).get("config_sha256", checksum)
    if noted != checksum:
        raise FileFormatError(
            message(
                str(folder),
                expected=f"{CONFIG_NAME} and {WEIGHTS_NAME} of one model",
                got="files of two",
                do="Saving was interrupted, or one was exchanged or edited: put the pair together again.",
            )
        )
    module = build(config)
    load_state(module, folder / WEIGHTS_NAME)
    return module


def _read_config(folder: Path) -> tuple[dict[str, Any], str]:
    path = folder / CONFIG_NAME
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise StorageError(
            f"{path}: could not be read ({error.strerror or error}). Check that the folder holds a model."
        ) from error
    config = decode_config(data, str(path))
    if not isinstance(config, dict):
        raise FileFormatError(message(str(path), expected="a JSON object", got=type(config).__name__))
    return config, hashlib.sha256(data).hexdigest()


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
