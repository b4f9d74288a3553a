"""What libhdf5 does not survive, looked for in a file's bytes before the library sees them.

Texts of free length lie in global heaps (`GCOL`). The library walks a heap by the sizes that stand in it, and
never ends where the size of its free space is 0; found by fuzzing, with HDF5 1.14.
"""

from __future__ import annotations

import mmap
from pathlib import Path

from neocog.exceptions import FileFormatError, message

_MAX_HEAPS = 20_000


def check_heaps(where: str, source: bytes | Path) -> None:
    """Raise FileFormatError where a global heap of an HDF5 file has no end, or its numbers another width.

    Args:
        where: the file, for the error text.
        source: its bytes, or its path; the file is mapped, not read.
    """
    if isinstance(source, bytes):
        _check(where, source)
        return
    with open(source, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        _check(where, mapped)


def _check(where: str, data: bytes | mmap.mmap) -> None:
    _check_widths(where, data[:32])
    place, heaps = data.find(b"GCOL"), 0
    while place >= 0:
        heaps += 1
        if heaps > _MAX_HEAPS:
            raise _damaged(where, f"more than {_MAX_HEAPS} heaps of texts")
        if data[place + 4 : place + 5] == b"\1":  # otherwise the library refuses it, or it is some text
            _check_heap(where, data, place)
        place = data.find(b"GCOL", place + 4)


def _check_widths(where: str, head: bytes) -> None:
    """Every file that Keras, h5py or TensorFlow wrote has addresses and lengths of 8 bytes."""
    place = 13 if head[8:9] in (b"\0", b"\1") else 9
    if head[place : place + 2] != b"\x08\x08":
        raise _damaged(where, f"addresses and lengths of {list(head[place : place + 2])} bytes")


def _check_heap(where: str, data: bytes | mmap.mmap, start: int) -> None:
    end = min(start + int.from_bytes(data[start + 8 : start + 16], "little"), len(data))
    place = start + 16
    while place + 16 <= end:
        number = int.from_bytes(data[place : place + 2], "little")
        size = int.from_bytes(data[place + 8 : place + 16], "little")
        step = size if number == 0 else 16 + -(-size // 8) * 8
        if step == 0 or place + step > end:
            raise _damaged(where, "a heap of texts whose sizes don't add up")
        place += step


def _damaged(where: str, got: str) -> FileFormatError:
    do = "The file is damaged, or was changed on purpose: get it again from its source."
    return FileFormatError(message(where, expected="an undamaged HDF5 file", got=got, do=do))
