"""Bytes that went wrong: bits flipped, pieces lost, doubled, exchanged, numbers made huge."""

from __future__ import annotations

import random

_NUMBERS = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63 - 1,
    2**63,
    2**64 - 1,
)


def mutate_bytes(data: bytes, draw: random.Random, other: bytes = b"") -> bytes:
    """Return `data` with one to a few faults; pieces of `other` may be spliced in."""
    result = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        draw.choice(_FAULTS)(result, draw, other)
    return bytes(result)


def _flip(data: bytearray, draw: random.Random, other: bytes) -> None:
    for _ in range(draw.choice((1, 1, 4, 32))):
        if data:
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def _set_byte(data: bytearray, draw: random.Random, other: bytes) -> None:
    if data:
        data[draw.randrange(len(data))] = draw.choice((0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)))


def _set_number(data: bytearray, draw: random.Random, other: bytes) -> None:
    size = draw.choice((2, 4, 8))
    if len(data) > size:
        place = draw.randrange(len(data) - size)
        number = draw.choice((*_NUMBERS, draw.randrange(len(data))))
        data[place : place + size] = (number % 2 ** (8 * size)).to_bytes(size, draw.choice(("little", "big")))


def _cut(data: bytearray, draw: random.Random, other: bytes) -> None:
    del data[draw.randrange(len(data) + 1) :]


def _drop(data: bytearray, draw: random.Random, other: bytes) -> None:
    start, end = _piece(data, draw)
    del data[start:end]


def _double(data: bytearray, draw: random.Random, other: bytes) -> None:
    start, end = _piece(data, draw)
    data[start:start] = data[start:end]


def _copy_over(data: bytearray, draw: random.Random, other: bytes) -> None:
    start, end = _piece(data, draw)
    place = draw.randrange(len(data) + 1)
    data[place : place + end - start] = data[start:end]


def _splice(data: bytearray, draw: random.Random, other: bytes) -> None:
    start, end = _piece(bytearray(other), draw)
    place = draw.randrange(len(data) + 1)
    data[place : place + end - start] = other[start:end]


def _insert(data: bytearray, draw: random.Random, other: bytes) -> None:
    place = draw.randrange(len(data) + 1)
    data[place:place] = draw.randbytes(draw.choice((1, 2, 8, 100)))


def _piece(data: bytearray, draw: random.Random) -> tuple[int, int]:
    start = draw.randrange(len(data) + 1)
    return start, min(len(data), start + draw.choice((1, 4, 8, 64, 512, 4096)))


_FAULTS = (
    *(_flip, _flip, _flip, _set_byte, _set_byte, _set_number, _set_number, _set_number),
    *(_cut, _drop, _double, _copy_over, _splice, _insert),
)
