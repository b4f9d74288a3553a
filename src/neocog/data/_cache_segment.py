"""One file of the decode cache: a header, a table of rows, and the rows, each one decoded image.

One process writes a file, any number reads it. A row counts once its record stands in the table, which is
written after the pixels; the record carries a sum over them, which is compared when a row is first read. So a
process that dies, a disk that fills up or a machine that loses power leaves rows that nobody reads.
"""

from __future__ import annotations

import json
import mmap
import os
import secrets
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from neocog.data._cache_records import RECORD, WORDS, as_records, pixel_sum, seal, whole

SUFFIX = ".images"
_HEADER = 4096  # bytes
_FORMAT = "neocog decoded images 1"

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


class Segment:
    """A file of decoded images of one shape.

    Args:
        path: the file.
        shape: (height, width, channels) of each image.
        capacity: rows for which the file has places.
        handle: of the file, open for reading, and for writing by the process that made it.
        records: the table as far as it is written.
    """

    def __init__(
        self, path: Path, shape: tuple[int, int, int], capacity: int, handle: int, records: Any
    ) -> None:
        self.path, self.shape, self.capacity = path, shape, capacity
        self.pid = os.getpid()
        self._handle = handle
        self._lock = threading.Lock()
        self._records = records
        self._next = 0
        self._touched = False
        self._checked = np.zeros(capacity, np.bool_)
        self._bytes, self._stride, self._start, size = _layout(shape, capacity)
        # Reading through the mapping costs no call and no second copy in memory; writing through it would
        # kill the process when the disk is full, so rows are written by calls, which only raise.
        self._rows = mmap.mmap(handle, size, access=mmap.ACCESS_READ)

    @property
    def full(self) -> bool:
        """Whether every place is taken."""
        return self._next >= self.capacity

    def touch(self) -> None:
        """Mark the file as used now: what was used longest ago goes first."""
        if not self._touched:
            self._touched = True
            with suppress(OSError):
                os.utime(self.path)

    def entries(self) -> list[tuple[bytes, int]]:
        """Return (SHA-256 of the file, row) of all rows that are whole."""
        good = np.flatnonzero(whole(self._records)).tolist()
        names = self._records[:, :4].tobytes()
        return [(names[32 * row : 32 * row + 32], row) for row in good]

    def read(self, row: int, out: Pixels) -> bool:
        """Copy a row into `out`, (H, W, C) contiguous; False for one that is damaged."""
        first = self._start + row * self._stride
        pixels = np.frombuffer(self._rows, np.uint8, self._bytes, first)
        np.copyto(out, pixels.reshape(self.shape))
        if not self._checked[row]:
            if pixel_sum(out) != int(self._records[row, 4]):
                return False
            self._checked[row] = True
        return True

    def write(self, digest: bytes, pixels: Pixels) -> int:
        """Put a decoded image into the next place and return its row.

        Raises:
            OSError: the disk is full, or gone.
        """
        with self._lock:
            row = self._next
            self._next += 1
        if row >= self.capacity:
            raise IndexError("no place left")
        _write(self._handle, pixels.reshape(-1).data, self._start + row * self._stride, self._lock)
        record = np.zeros((1, WORDS), np.uint64)
        record[0, :4] = np.frombuffer(digest, np.uint64)
        record[0, 4:6] = pixel_sum(pixels), row
        _write(self._handle, memoryview(seal(record)), _HEADER + row * RECORD, self._lock)
        self._records[row] = record[0]
        self._checked[row] = True
        return row


def create_segment(folder: Path, shape: tuple[int, int, int], capacity: int) -> Segment:
    """Make a new file of which this process is the only writer.

    Raises:
        OSError: the folder cannot be written.
    """
    path = folder / f"{secrets.token_hex(8)}{SUFFIX}"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        os.ftruncate(handle, _layout(shape, capacity)[3])  # places take no room before they are written
        header = json.dumps({"format": _FORMAT, "shape": shape, "capacity": capacity})
        _write(handle, memoryview(header.encode().ljust(_HEADER)), 0, threading.Lock())
        return Segment(path, shape, capacity, handle, np.zeros((capacity, WORDS), np.uint64))
    except BaseException:
        os.close(handle)
        path.unlink(missing_ok=True)
        raise


def open_segment(path: Path, shape: tuple[int, int, int]) -> Segment | None:
    """Open another process's file for reading; None for one that is not whole, or no such file."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError:
        return None
    try:
        with open(handle, "rb", buffering=0, closefd=False) as file:
            header = json.loads(file.read(_HEADER))
            capacity = int(header["capacity"])
            if header["format"] != _FORMAT or tuple(header["shape"]) != shape or capacity < 1:
                raise ValueError("another format")
            if os.fstat(handle).st_size != _layout(shape, capacity)[3]:
                raise ValueError("another length")
            records = as_records(file.read(capacity * RECORD)).copy()
        if len(records) != capacity:
            raise ValueError("a table that is cut")
        segment = Segment(path, shape, capacity, handle, records)
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None
    finally:
        os.close(handle)  # the mapping has its own
    segment._handle, segment._next = -1, capacity  # no place for us
    return segment


def row_bytes(shape: tuple[int, int, int]) -> int:
    """Return the bytes that one image takes in a file."""
    return -(-shape[0] * shape[1] * shape[2] // 64) * 64


def _layout(shape: tuple[int, int, int], capacity: int) -> tuple[int, int, int, int]:
    """Return bytes of an image, bytes from row to row, where rows begin, and the length of the file."""
    stride = row_bytes(shape)
    start = _HEADER + -(-capacity * RECORD // _HEADER) * _HEADER
    return shape[0] * shape[1] * shape[2], stride, start, start + capacity * stride


def _write(handle: int, data: memoryview, offset: int, lock: threading.Lock) -> None:
    """Write all of `data` at `offset`."""
    while data:
        if hasattr(os, "pwrite"):
            done = os.pwrite(handle, data, offset)
        else:  # Windows
            with lock:
                os.lseek(handle, offset, os.SEEK_SET)
                done = os.write(handle, data)
        data, offset = data[done:], offset + done
