"""Records of 64 bytes that say themselves whether they are whole, and sums of pixels that do the same."""

from __future__ import annotations

from typing import Any

import numpy as np

WORDS = 8
RECORD = 8 * WORDS  # bytes

Records = np.ndarray[Any, np.dtype[np.uint64]]  # (count, WORDS)

# Odd factors, one a word: a word that is missing, changed or in another's place changes the check.
_FACTORS = np.array(
    [0x9E3779B97F4A7C15 * (2 * place + 1) % 2**64 | 1 for place in range(WORDS - 1)], dtype=np.uint64
)
_MAGIC = np.uint64(0x6E656F636F673031)  # so that zeros are no record


def seal(records: Records) -> bytes:
    """Write the check into the last word of each record, and return the records as bytes."""
    records[:, -1] = _checks(records)
    return records.tobytes()


def whole(records: Records) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which records are complete: not those that were never written, or half."""
    return np.asarray(records[:, -1] == _checks(records))


def as_records(data: bytes | np.ndarray[Any, Any]) -> Records:
    """Return bytes as records; what is left over at the end is dropped."""
    raw = np.frombuffer(data, np.uint8)
    return raw[: len(raw) // RECORD * RECORD].view(np.uint64).reshape(-1, WORDS)


def pixel_sum(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> int:
    """Return a 64-bit sum over a contiguous image: a page that is missing or old changes it."""
    flat = pixels.reshape(-1)
    cut = len(flat) // 8 * 8
    words = int(flat[:cut].view(np.uint64).sum(dtype=np.uint64))
    return (words + int.from_bytes(flat[cut:].tobytes(), "little") + len(flat)) % 2**64


def _checks(records: Records) -> Records:
    mixed: Records = (records[:, :-1] * _FACTORS).sum(axis=1, dtype=np.uint64) ^ _MAGIC
    return mixed
