"""A model in one HDF5 file: the weights in Keras 3's layout, the configuration in attributes beside them."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from neocog.core import write_bytes
from neocog.exceptions import FileFormatError, message
from neocog.files._config_json import MAX_BYTES, decode_config, encode_config
from neocog.files._h5_guard import damage_reported
from neocog.files._refuse import Format, expect_format
from neocog.files._weights_h5 import weights_h5_bytes

_ATTRIBUTE = "neocog_config_"
_PIECE = 60_000  # an attribute holds at most 64 KB


def save_model_h5(config: Mapping[str, Any], module: nn.Module, path: str | os.PathLike[str]) -> None:
    """Write a model as `.h5`: `load_weights_h5` reads its weights, `read_h5_config` its configuration.

    Args:
        config: the model's configuration, as in a `.keras` file.
        module: the built module.
        path: where to; replaced if it exists.

    Raises:
        ArgumentTypeError: the configuration holds values that have no plain form.
        StorageError: full or read-only disk, missing permission; what was there stays.
    """
    import h5py

    text = encode_config(config, str(path)).encode()
    buffer = io.BytesIO(weights_h5_bytes(module))
    with h5py.File(buffer, "r+") as file:
        for number, start in enumerate(range(0, len(text), _PIECE)):
            file.attrs[f"{_ATTRIBUTE}{number}"] = np.frombuffer(text[start : start + _PIECE], dtype=np.uint8)
    write_bytes(path, buffer.getvalue())


def read_h5_config(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the configuration in a file that `save_model_h5` wrote.

    Raises:
        FileFormatError: the file holds weights alone, is of another layout, or damaged.
        StorageError: it cannot be read.
    """
    import h5py

    where = str(path)
    expect_format(path, Format.HDF5)
    pieces: list[bytes] = []
    with damage_reported(where), h5py.File(Path(path), "r", locking=False) as file:
        names = set(file.attrs.keys())
        while (name := f"{_ATTRIBUTE}{len(pieces)}") in names and len(pieces) * _PIECE <= MAX_BYTES:
            stored = file.attrs.get_id(name)
            if stored.dtype != np.uint8 or len(stored.shape) != 1 or stored.shape[0] > _PIECE:
                raise FileFormatError(
                    message(where, expected=f"text in {name}", got=f"{stored.dtype} {stored.shape}")
                )
            pieces.append(np.asarray(file.attrs[name]).tobytes())
    if not pieces:
        raise FileFormatError(
            message(
                where,
                expected="a model saved by neocog",
                got="an HDF5 file without its configuration (weights alone, or Keras's older .h5)",
                do="Build the model in code and call load_weights, or save it as .keras in Keras.",
            )
        )
    config = decode_config(b"".join(pieces), where)
    if not isinstance(config, dict):
        raise FileFormatError(message(where, expected="a JSON object", got=type(config).__name__))
    return config
