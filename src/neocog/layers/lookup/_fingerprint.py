"""FarmHash Fingerprint64 of bytes: the hash by which TensorFlow puts strings into buckets.

Everything is arithmetic modulo 2**64. Reference: G. Pike, FarmHash, the stable function `farmhashna::Hash64`.
"""

from __future__ import annotations

_MASK = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
_CROSS = 0xC6A4A7935BD1E995
_Pair = tuple[int, int]


def fingerprint64(data: bytes) -> int:
    """Return the 64-bit fingerprint of bytes, from 0 to 2**64 - 1.

    Example:
        >>> hex(fingerprint64(b"abcdef"))
        '0xc329379e6a03c2cd'
    """
    size = len(data)
    if size <= 16:
        return _up_to_16(data, size)
    if size <= 32:
        return _up_to_32(data, size)
    if size <= 64:
        return _up_to_64(data, size)
    return _longer(data, size)


def cross_fingerprints(first: int, second: int) -> int:
    """Return one fingerprint for two in this order: how TensorFlow crosses features."""
    result = first ^ _CROSS
    result = (result ^ (_shift_mix(second * _CROSS & _MASK) * _CROSS)) & _MASK
    result = result * _CROSS & _MASK
    return _shift_mix(_shift_mix(result) * _CROSS & _MASK)


def _word(data: bytes, place: int) -> int:
    return int.from_bytes(data[place : place + 8], "little")


def _half(data: bytes, place: int) -> int:
    return int.from_bytes(data[place : place + 4], "little")


def _rotate(value: int, by: int) -> int:
    """Rotate the lowest 64 bits of `value` to the right."""
    value &= _MASK
    return (value >> by | value << (64 - by)) & _MASK


def _shift_mix(value: int) -> int:
    return value ^ (value >> 47)


def _mix(u: int, v: int, multiplier: int) -> int:
    v &= _MASK
    a = _shift_mix((u ^ v) * multiplier & _MASK)
    b = _shift_mix((v ^ a) * multiplier & _MASK)
    return b * multiplier & _MASK


def _up_to_16(data: bytes, size: int) -> int:
    multiplier = _K2 + size * 2
    if size >= 8:
        a, b = _word(data, 0) + _K2, _word(data, size - 8)
        c = _rotate(b, 37) * multiplier + a & _MASK
        return _mix(c, (_rotate(a, 25) + b) * multiplier, multiplier)
    if size >= 4:
        return _mix(size + (_half(data, 0) << 3), _half(data, size - 4), multiplier)
    if size:
        y = data[0] + (data[size >> 1] << 8)
        z = size + (data[size - 1] << 2)
        return _shift_mix((y * _K2 ^ z * _K0) & _MASK) * _K2 & _MASK
    return _K2


def _up_to_32(data: bytes, size: int) -> int:
    multiplier = _K2 + size * 2
    a, b = _word(data, 0) * _K1, _word(data, 8)
    c, d = _word(data, size - 8) * multiplier, _word(data, size - 16) * _K2
    first = _rotate(a + b, 43) + _rotate(c, 30) + d & _MASK
    return _mix(first, a + _rotate(b + _K2, 18) + c, multiplier)


def _up_to_64(data: bytes, size: int) -> int:
    multiplier = _K2 + size * 2
    a, b = _word(data, 0) * _K2, _word(data, 8)
    c, d = _word(data, size - 8) * multiplier, _word(data, size - 16) * _K2
    y = _rotate(a + b, 43) + _rotate(c, 30) + d & _MASK
    z = _mix(y, a + _rotate(b + _K2, 18) + c, multiplier)
    e, f = _word(data, 16) * multiplier, _word(data, 24)
    g = (y + _word(data, size - 32)) * multiplier
    h = (z + _word(data, size - 24)) * multiplier
    first = _rotate(e + f, 43) + _rotate(g, 30) + h & _MASK
    return _mix(first, e + _rotate(f + a, 18) + g, multiplier)


def _weak(data: bytes, place: int, a: int, b: int) -> _Pair:
    """Fold 32 bytes from `place` on into two seeds."""
    w, x, y, z = (_word(data, place + 8 * i) for i in range(4))
    a += w
    b = _rotate(b + a + z, 21)
    c = a
    a += x + y
    b += _rotate(a, 44)
    return a + z & _MASK, b + c & _MASK


def _longer(data: bytes, size: int) -> int:
    x = 81
    y = (x * _K1 + 113) & _MASK
    z = _shift_mix((y * _K2 + 113) & _MASK) * _K2 & _MASK
    x = (x * _K2 + _word(data, 0)) & _MASK
    v: _Pair = (0, 0)
    w: _Pair = (0, 0)
    last = (size - 1) & 63
    end = size - 1 - last
    for place in range(0, end, 64):
        x, y, z, v, w = _round(data, place, (x, y, z), v, w, (_K1, 1))
    multiplier = _K1 + ((z & 0xFF) << 1)
    w0 = w[0] + last
    v0 = v[0] + w0
    w = ((w0 + v0) & _MASK, w[1])
    v = (v0 & _MASK, v[1])
    x, y, z, v, w = _round(data, size - 64, (x, y, z), v, w, (multiplier, 9))
    first = _mix(v[0], w[0], multiplier) + _shift_mix(y) * _K0 + z & _MASK
    return _mix(first, _mix(v[1], w[1], multiplier) + x, multiplier)


def _round(
    data: bytes, place: int, state: tuple[int, int, int], v: _Pair, w: _Pair, factors: _Pair
) -> tuple[int, int, int, _Pair, _Pair]:
    """Fold 64 bytes from `place` on into the state."""
    x, y, z = state
    multiplier, weight = factors
    x = _rotate(x + y + v[0] + _word(data, place + 8), 37) * multiplier & _MASK
    y = _rotate(y + v[1] + _word(data, place + 48), 42) * multiplier & _MASK
    x = (x ^ w[1] * weight) & _MASK
    y = (y + v[0] * weight + _word(data, place + 40)) & _MASK
    z = _rotate(z + w[0], 33) * multiplier & _MASK
    v = _weak(data, place, v[1] * multiplier, x + w[0])
    w = _weak(data, place + 32, z + w[1], y + _word(data, place + 16))
    return z, y, x, v, w
