"""NumPy's `.npz` archives whose arrays hold numbers, or lists of whole numbers."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neocog.data._datasets._plain_objects import read_plain
from neocog.exceptions import FileFormatError, message

_MAX_BYTES = 2**29

Array = np.ndarray[Any, Any]


def read_npz(path: Path, names: Sequence[str]) -> list[Array]:
    """Return the arrays of those names.

    Raises:
        FileFormatError: one is missing, damaged, larger than 512 MB, or holds other objects than lists of
            whole numbers.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [_read(archive, name, f"{path} {name!r}") for name in names]
    except (zipfile.BadZipFile, KeyError, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        got = f"{type(error).__name__}: {error}"[:120]
        expected = f"an .npz archive with {', '.join(names)}"
        raise FileFormatError(message(str(path), expected=expected, got=got)) from error


def _read(archive: zipfile.ZipFile, name: str, where: str) -> Array:
    info = archive.getinfo(f"{name}.npy")
    if info.file_size > _MAX_BYTES:
        raise FileFormatError(
            message(where, expected=f"at most {_MAX_BYTES:,} bytes", got=f"{info.file_size:,}")
        )
    with archive.open(info) as member:
        data = member.read(_MAX_BYTES + 1)
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else None
        if version == (2, 0):
            read = np.lib.format.read_array_header_2_0
        if read is None:
            raise ValueError(f"version {version}")
        shape, columns_first, dtype = read(stream)
        if not dtype.hasobject:
            # allow_pickle=False is NumPy's default, and said here to be sure.
            return np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    except ValueError as error:
        raise FileFormatError(message(where, expected="an array", got=str(error)[:120])) from error
    found = read_plain(data[stream.tell() :], where)
    if dtype.kind != "O" or columns_first or not isinstance(found, np.ndarray) or found.shape != shape:
        raise FileFormatError(message(where, expected=f"an array of shape {shape}", got="something else"))
    _check_rows(found, where)
    return found


def _check_rows(rows: Array, where: str) -> None:
    """Raise FileFormatError unless every row is a list of whole numbers."""
    for row in rows:
        # `set(map(type, row))` looks at 12 million words of IMDB in a third of a second.
        if not isinstance(row, list) or not set(map(type, row)) <= {int}:
            raise FileFormatError(message(where, expected="lists of whole numbers", got=repr(row)[:60]))
