"""Perceptual hashes of an image and of parts of it, so that a cropped copy meets the part that it shows.

A hash holds the signs of an image's lowest frequencies (cosine transform of the grey picture stretched to a
square, the mean left out). Brightness, contrast, size and compression hardly touch them. A window leaves up
to 15 % out at each edge; the hash of a crop is close to that of the window nearest to it. Mirroring and
quarter turns change the signs and the places of the frequencies, nothing else: all eight are free.

Letters: N images, S side of the small picture, W windows, K frequencies a side, B bits.

Reference: Zauner, Implementation and benchmarking of perceptual image hash functions, 2010.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from neocog.diagnosis._look import SIDE

Array = np.ndarray[Any, Any]

FREQUENCIES = 7  # a side
BITS = FREQUENCIES**2 - 1
TURNS = 8  # quarter turns and mirror images; number 0 is the image as it is
_SAMPLES = 32  # points a side at which a window is read
COARSE, FINE = (0.0, 0.075, 0.15), (0.0, 0.065, 0.13, 0.2)  # what a window leaves out at an edge


@lru_cache(maxsize=4)
def windows(cuts: tuple[float, ...]) -> Array:
    """Return all windows as (W, 4): first row, last row, first column, last column, 0 to 1."""
    edges = [(first, 1.0 - last) for first in cuts for last in cuts]
    return np.array([(*rows, *columns) for rows in edges for columns in edges])


def coefficients(thumbs: Array, cuts: tuple[float, ...]) -> Array:
    """Return the lowest frequencies of every window, float32 (N, W, K, K); the mean, at [0, 0], is 0."""
    edges = [(first, 1.0 - last) for first in cuts for last in cuts]
    reader = np.concatenate([_reader(*edge) for edge in edges]).astype(np.float32)  # (E K, S)
    count, side = len(edges), FREQUENCIES
    read = reader @ thumbs.astype(np.float32) @ reader.T  # (N, E K, E K)
    found = read.reshape(len(thumbs), count, side, count, side).transpose(0, 1, 3, 2, 4)
    found = np.ascontiguousarray(found).reshape(len(thumbs), count * count, side, side)
    found[:, :, 0, 0] = 0
    return found


def turned(spectrum: Array, turn: int) -> Array:
    """Return the frequencies of the image mirrored (1), upside down (2), both (3), and transposed (+4)."""
    signs = np.where(np.arange(spectrum.shape[-1]) % 2, -1, 1).astype(spectrum.dtype)
    found = spectrum
    if turn & 1:
        found = found * signs
    if turn & 2:
        found = found * signs[:, None]
    return found.swapaxes(-1, -2) if turn & 4 else found


def turn_picture(picture: Array, turn: int) -> Array:
    """Return a picture (…, S, S) turned as `turned` turns its frequencies."""
    found = picture
    if turn & 1:
        found = found[..., ::-1]
    if turn & 2:
        found = found[..., ::-1, :]
    return found.swapaxes(-1, -2) if turn & 4 else found


def pack(spectrum: Array) -> Array:
    """Return the signs of frequencies (…, K, K) as uint64 (…), the lowest frequency in the lowest bit."""
    signs = (spectrum > 0).reshape(*spectrum.shape[:-2], -1)
    found = np.zeros((*signs.shape[:-1], 8), dtype=np.uint8)
    found[..., : BITS // 8] = np.packbits(signs.take(_order(), axis=-1), axis=-1, bitorder="little")
    return found.view("<u8")[..., 0]


def doubtful(spectrum: Array, count: int) -> Array:
    """Return the bits that the least strength decides, the weakest first: int (…, count)."""
    flat = np.abs(spectrum.reshape(*spectrum.shape[:-2], -1)[..., _order()])
    strength = flat * (1.0 + np.arange(BITS) / 8.0).astype(np.float32)  # natural images fall with frequency
    return np.argsort(strength, axis=-1, kind="stable")[..., :count]


@lru_cache(maxsize=1)
def _order() -> Array:
    """Return the places of the frequencies, the lowest first, the mean left out."""
    places = [(v + u, max(v, u), v, u) for v in range(FREQUENCIES) for u in range(FREQUENCIES)]
    return np.array([v * FREQUENCIES + u for _, _, v, u in sorted(places)[1:]])


@lru_cache(maxsize=64)
def _reader(first: float, last: float) -> Array:
    """Return the matrix (K, S) that reads a stretch of a line and gives its lowest frequencies."""
    at = first + (np.arange(_SAMPLES) + 0.5) / _SAMPLES * (last - first)
    place = np.clip(at * SIDE - 0.5, 0, SIDE - 1)
    low = np.minimum(place.astype(int), SIDE - 2)
    share = place - low
    reading = np.zeros((_SAMPLES, SIDE))
    reading[np.arange(_SAMPLES), low] += 1 - share
    reading[np.arange(_SAMPLES), low + 1] += share
    points = np.pi * (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    waves = np.cos(np.arange(FREQUENCIES)[:, None] * points)
    return np.asarray(waves @ reading / _SAMPLES)
