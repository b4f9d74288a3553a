"""How much a weight file holds, by its headers alone: what bounds the model that is made to take it."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from neocog.exceptions import FileFormatError, message
from neocog.files._h5_guard import child, damage_reported, member_names
from neocog.files._h5_store import opened

_MAX_LOOKS = 200_000
_SLACK = (
    2**25
)  # what a small model makes besides: seeds, tables, weights of a type that takes less room stored
_TIMES = 4  # weights stored as float16, made as float32


def weight_budget(stored: int) -> tuple[int, str]:
    """Return how many bytes of weights a model may make, and why, for a file that holds `stored`."""
    return _TIMES * stored + _SLACK, f"its weights take {stored:,} bytes"


def stored_weight_bytes(source: str | os.PathLike[str] | bytes, where: str | None = None) -> int:
    """Return the bytes of all arrays in an HDF5 file, by their declared shapes; none is read.

    Raises:
        FileFormatError: it is damaged, or has links to elsewhere.
    """
    where = where or ("weights" if isinstance(source, bytes) else str(source))
    with damage_reported(where), opened(where, source) as file:
        size = len(source) if isinstance(source, bytes) else Path(source).stat().st_size
        return _total(where, file, size)


def _total(where: str, file: Any, size: int) -> int:
    import h5py

    total = looks = 0
    waiting, seen = [file], set()
    while waiting:
        current = waiting.pop()
        for name in member_names(where, current):
            looks += 1
            if looks > _MAX_LOOKS:
                raise FileFormatError(message(where, expected="groups of weights", got="a maze of links"))
            item = child(where, current, name)
            if item is None:
                continue
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                continue
            seen.add(address)
            if isinstance(item, h5py.Group):
                waiting.append(item)
            elif isinstance(item, h5py.Dataset) and item.shape is not None:
                declared = math.prod(item.shape) * item.dtype.itemsize
                total += min(declared, 100 * (item.id.get_storage_size() + 2**14))
    return min(total, 100 * size)
