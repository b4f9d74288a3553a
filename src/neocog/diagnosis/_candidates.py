"""Pairs of images that may show the same picture: those whose hashes share a bucket. Never all pairs.

Every image is entered with the hashes of all its windows, and asked for with the hashes of a few windows in
all eight turns. A table takes some of the bits as its key, about as many as it needs for buckets of a few
entries; the bits that an asking hash is least sure of are tried both ways. Time and memory grow with the
number of images, not with its square: a bucket gives at most `_MOST_HITS`, which is enough to join a crowd of
equal pictures into one group, as all of them meet its first members.

A meeting of two images is one whole number, so that the best of each pair come from one sort; it has room for
2²³ images.

Letters: N images, W windows, E entries (N W), Q questions.

Reference: Indyk and Motwani, Approximate nearest neighbors, 1998; Lv et al., Multi-probe LSH, 2007.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from neocog.diagnosis._buckets import MOST_KEY_BITS, Buckets
from neocog.diagnosis._hashes import (
    BITS,
    COARSE,
    FINE,
    FREQUENCIES,
    TURNS,
    coefficients,
    doubtful,
    pack,
    turned,
    windows,
)
from neocog.diagnosis._look import Progress

Array = np.ndarray[Any, Any]

_MANY = 20_000  # images beyond which windows are coarser
_ASKED = ((0.0, 1.0, 0.0, 1.0), (0.075, 0.925, 0.075, 0.925))
_TABLES = 6
_DOUBTS, _PROBES = 12, 2  # bits that may be in doubt, and how many of a table are tried both ways
_MOST_HITS = 24
_MOST_BITS_APART = 9
_CHANCE = 0.01  # that two hashes which share a key are no further apart by accident
_BLOCK, _CHUNK = 512, 2**17  # images and questions at a time
_MOST_WAITING = 2**22  # meetings that are held before all but the best are let go
_PAIRS_KEPT = 2  # ways of laying one picture over the other that are followed


@dataclass(frozen=True)
class Candidates:
    """Pairs: `first` shows through `window` (P, 4) what `second`, turned, shows through `asked` (P, 4)."""

    first: Array
    second: Array
    window: Array
    asked: Array
    turn: Array


def find_candidates(thumbs: Array, progress: Progress | None = None) -> Candidates:
    """Return the pairs of pictures (N, S, S) that may be copies of each other, by position."""
    cuts = FINE if len(thumbs) <= _MANY else COARSE
    entries, asked, doubts = _hashes(thumbs, cuts, progress)
    size = min(max(math.ceil(math.log2(max(entries.size, 2))), 10), MOST_KEY_BITS)
    met, steps = _Meetings(entries.shape[1]), math.ceil(asked.size / _CHUNK)
    for number, bits in enumerate(_tables(size)):
        buckets = Buckets(entries.reshape(-1), bits, _MOST_HITS, _most_apart(size))
        flips = _flips(doubts, bits)
        for step in range(steps):
            met.add(*_ask(buckets, asked, flips, step * _CHUNK))
            if progress is not None:
                progress("comparing images", number * steps + step + 1, _TABLES * steps)
    return met.candidates(cuts)


def _hashes(thumbs: Array, cuts: tuple[float, ...], progress: Progress | None) -> tuple[Array, Array, Array]:
    """Return the hashes of all windows (N, W), of the questions (N, Q), and bits in doubt (N, Q / 4, D).

    Mirroring changes signs alone: the hashes of four turns differ by fixed bits and share their doubts.
    """
    held = windows(COARSE)
    chosen = [int(np.abs(held - window).sum(-1).argmin()) for window in np.array(_ASKED)]
    one = np.ones((FREQUENCIES, FREQUENCIES))
    mirrored = pack(-np.stack([turned(one, turn) for turn in range(TURNS)])).reshape(2, -1)
    entries = np.empty((len(thumbs), len(windows(cuts))), dtype=np.uint64)
    asked = np.empty((len(thumbs), len(_ASKED) * TURNS), dtype=np.uint64)
    doubts = np.empty((len(thumbs), len(_ASKED) * 2, _DOUBTS), dtype=np.uint8)
    for first in range(0, len(thumbs), _BLOCK):
        block = slice(first, first + _BLOCK)
        spectrum = coefficients(thumbs[block], cuts)
        entries[block] = pack(spectrum)
        source = (spectrum if cuts == COARSE else coefficients(thumbs[block], COARSE))[:, chosen]
        both = np.stack([source, turned(source, 4)], axis=2)  # (N, windows, 2, K, K)
        asked[block] = (pack(both)[..., None] ^ mirrored).reshape(len(source), -1)
        doubts[block] = doubtful(both, _DOUBTS).reshape(len(source), -1, _DOUBTS)
        if progress is not None:
            progress("preparing to compare images", min(first + _BLOCK, len(thumbs)), len(thumbs))
    return entries, asked, doubts


def _tables(size: int) -> list[Array]:
    """Return the bits of each table: drawn once for all, the low frequencies more often."""
    rng = np.random.default_rng(20)
    weight = 1.0 / (1.0 + np.arange(BITS) / 24.0)
    return [rng.choice(BITS, size=size, replace=False, p=weight / weight.sum()) for _ in range(_TABLES)]


@lru_cache(maxsize=64)
def _most_apart(shared: int) -> int:
    """Return how many bits hashes with `shared` bits in common may differ in: accidents are to stay rare."""
    rest = BITS - shared
    accident, most = 0.0, -1
    while most < _MOST_BITS_APART:
        accident += math.comb(rest, most + 1) / 2**rest
        if accident > _CHANCE * 1.5:
            break
        most += 1
    return most


def _flips(doubts: Array, bits: Array) -> Array:
    """Return what flips the most doubtful bits of a table in a key, uint32 (N Q / 4, probes); 0 for none."""
    mask_of = np.zeros(BITS, dtype=np.uint32)
    mask_of[bits] = np.uint32(1) << np.arange(len(bits), dtype=np.uint32)
    masks = mask_of[doubts.reshape(-1, doubts.shape[-1])]
    first = np.argsort(masks == 0, axis=1, kind="stable")[:, :_PROBES]
    return np.take_along_axis(masks, first, axis=1)


def _ask(buckets: Buckets, asked: Array, flips: Array, first: int) -> tuple[Array, Array, Array]:
    """Return (question, entry, bits apart) of what a chunk of questions meets, doubts tried both ways."""
    questions = np.arange(first, min(first + _CHUNK, asked.size))
    hashes = asked.reshape(-1)[questions]
    keys, flips = buckets.keys(hashes), flips[questions // (TURNS // 2)]
    probes, tried = [np.arange(len(questions))], [keys]
    for choice in range(1, 2**_PROBES):
        used = [number for number in range(_PROBES) if choice >> number & 1]
        there = np.flatnonzero((flips[:, used] > 0).all(1))
        probes.append(there)
        tried.append(keys[there] ^ np.bitwise_or.reduce(flips[there][:, used], axis=1))
    probe = np.concatenate(probes)
    found, entry, apart = buckets.meet(hashes[probe], np.concatenate(tried))
    return questions[probe[found]], entry, apart


class _Meetings:
    """The closest meetings of each pair: pair, bits apart, asking side, window and question in one number.

    Args:
        held: windows of an image.
    """

    def __init__(self, held: int) -> None:
        self._held = held
        self._kept = np.zeros(0, dtype=np.int64)
        self._fresh: list[Array] = []
        self._waiting = 0

    def add(self, question: Array, entry: Array, apart: Array) -> None:
        """Add meetings of questions with entries; those of an image with itself are left out."""
        asker, local = np.divmod(question, len(_ASKED) * TURNS)
        other, window = np.divmod(entry, self._held)
        code = np.minimum(asker, other) << 23 | np.maximum(asker, other)
        code = code << 4 | apart
        code = ((code << 1 | (asker < other)) << 8 | window) << 4 | local
        self._fresh.append(code[asker != other])
        self._waiting += len(self._fresh[-1])
        if self._waiting > _MOST_WAITING:
            self._reduce()

    def _reduce(self) -> None:
        found = np.unique(np.concatenate([self._kept, *self._fresh]))
        fresh = np.ones(len(found), dtype=bool)
        fresh[_PAIRS_KEPT:] = found[_PAIRS_KEPT:] >> 17 != found[:-_PAIRS_KEPT] >> 17
        self._kept, self._fresh, self._waiting = found[fresh], [], 0

    def candidates(self, cuts: tuple[float, ...]) -> Candidates:
        """Return what is kept, pair by pair."""
        self._reduce()
        code = self._kept
        local, window, asks = code & 15, code >> 4 & 255, (code >> 12 & 1).astype(bool)
        high, low = code >> 17 & (2**23 - 1), code >> 40
        return Candidates(
            first=np.where(asks, high, low),
            second=np.where(asks, low, high),
            window=windows(cuts)[window],
            asked=np.repeat(np.array(_ASKED), TURNS, axis=0)[local],
            turn=local % TURNS,
        )
