"""SipHash-2-4 of bytes under a key of two numbers: the salted hash of Keras's `Hashing`.

Reference: J.-P. Aumasson and D. J. Bernstein, SipHash: a fast short-input PRF (2012), section 2.
"""

from __future__ import annotations

_MASK = (1 << 64) - 1


def siphash(data: bytes, key: tuple[int, int]) -> int:
    """Return the 64-bit hash of bytes under a key of two 64-bit numbers.

    Example:
        >>> hex(siphash(bytes(range(15)), (0x0706050403020100, 0x0F0E0D0C0B0A0908)))
        '0xa129ca6149be45e5'
    """
    k0, k1 = key[0] & _MASK, key[1] & _MASK
    state = (
        0x736F6D6570736575 ^ k0,
        0x646F72616E646F6D ^ k1,
        0x6C7967656E657261 ^ k0,
        0x7465646279746573 ^ k1,
    )
    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 0xFF])
    for place in range(0, len(padded), 8):
        word = int.from_bytes(padded[place : place + 8], "little")
        v0, v1, v2, v3 = _rounds((state[0], state[1], state[2], state[3] ^ word), 2)
        state = (v0 ^ word, v1, v2, v3)
    v0, v1, v2, v3 = _rounds((state[0], state[1], state[2] ^ 0xFF, state[3]), 4)
    return v0 ^ v1 ^ v2 ^ v3


def _rounds(state: tuple[int, int, int, int], count: int) -> tuple[int, int, int, int]:
    v0, v1, v2, v3 = state
    for _ in range(count):
        v0 = v0 + v1 & _MASK
        v1 = _left(v1, 13) ^ v0
        v0 = _left(v0, 32)
        v2 = v2 + v3 & _MASK
        v3 = _left(v3, 16) ^ v2
        v0 = v0 + v3 & _MASK
        v3 = _left(v3, 21) ^ v0
        v2 = v2 + v1 & _MASK
        v1 = _left(v1, 17) ^ v2
        v2 = _left(v2, 32)
    return v0, v1, v2, v3


def _left(value: int, by: int) -> int:
    return (value << by | value >> (64 - by)) & _MASK
