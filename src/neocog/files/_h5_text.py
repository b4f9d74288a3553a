"""Texts in the attributes of an HDF5 file: names of layers and weights, configurations as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neocog.exceptions import FileFormatError, message

_PIECE = 64_512  # Keras splits longer lists; an attribute's header holds 64 KB
_MAX_PIECES = 1_000
_MAX_NAMES = 100_000
_MAX_LENGTH = 2**24


def write_texts(group: Any, name: str, texts: Sequence[str]) -> None:
    """Write a list of texts as Keras does: as one attribute, or as `name0`, `name1`, … where it is long."""
    data = np.asarray([text.encode() for text in texts])
    parts = 1
    while any(part.nbytes > _PIECE for part in np.array_split(data, parts)):
        parts += 1
    if parts == 1:
        group.attrs[name] = [text.encode() for text in texts] if texts else data
        return
    for number, part in enumerate(np.array_split(data, parts)):
        group.attrs[f"{name}{number}"] = part


def read_texts(where: str, group: Any, name: str) -> list[str] | None:
    """Return a list of texts, in one piece or several, or None where the group has none.

    Raises:
        FileFormatError: the attribute holds something else, or too much.
    """
    if name in group.attrs:
        return _texts(where, group, name)
    found: list[str] = []
    number = 0
    while f"{name}{number}" in group.attrs:
        if number > _MAX_PIECES:
            raise _fault(where, name, "more than a thousand pieces")
        found.extend(_texts(where, group, f"{name}{number}"))
        number += 1
    return found if number else None


def read_text(where: str, group: Any, name: str) -> str | None:
    """Return one text, or None where the group has none.

    Raises:
        FileFormatError: the attribute holds something else, or too much.
    """
    if name not in group.attrs:
        return None
    found = _texts(where, group, name, scalar=True)
    return found[0]


def _texts(where: str, group: Any, name: str, *, scalar: bool = False) -> list[str]:
    import h5py

    stored = group.attrs.get_id(name)
    shape = stored.shape
    if shape is None or (scalar and shape not in ((), (1,))) or (not scalar and len(shape) != 1):
        raise _fault(where, name, f"shape {shape}")
    count = int(np.prod(shape)) if shape else 1
    if count == 0:
        return []
    is_text = h5py.check_string_dtype(stored.dtype) is not None or stored.dtype.kind == "S"
    if not is_text or count > _MAX_NAMES or stored.dtype.itemsize * count > _MAX_LENGTH:
        raise _fault(where, name, f"{count} values of type {stored.dtype}")
    values = np.asarray(group.attrs[name]).reshape(-1).tolist()
    texts = [value if isinstance(value, str) else _decoded(where, name, value) for value in values]
    if sum(map(len, texts)) > _MAX_LENGTH:
        raise _fault(where, name, "more than 16 MB of text")
    return texts


def _decoded(where: str, name: str, value: Any) -> str:
    try:
        return bytes(value).decode()
    except (UnicodeDecodeError, TypeError) as error:
        raise _fault(where, name, "text that is not UTF-8") from error


def _fault(where: str, name: str, got: str) -> FileFormatError:
    return FileFormatError(message(f'{where}, "{name}"', expected="texts", got=got, do="It is damaged."))
