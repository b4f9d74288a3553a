"""Pairs of images that may show the same picture: those whose hashes share a bucket. Never all pairs.

Every image is entered with the hashes of all its windows, and asked for with the hashes of a few windows in
all eight turns. A table takes some of the bits as its key, about as many as it needs for buckets of a few
entries; the bits that an asking hash is least sure of are tried both ways. Time and memory grow with the
number of images, not with its square: a bucket gives at most `_MOST_HITS`, which is enough to join a crowd of
equal pictures into one group, as all of them meet its first members.

Letters: N images, W windows, E entries (N W), Q questions.

Reference: Indyk and Motwani, Approximate nearest neighbors, 1998; Lv et al., Multi-probe LSH, 2007.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from neocog.diagnosis._hashes import (
    BITS,
    COARSE,
    FINE,
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
_PROBES = 2  # doubtful bits that are tried both ways
_MOST_HITS = 24
_MOST_BITS_APART = 9
_CHANCE = 0.01  # that two hashes which share a key are no further apart by accident
_CHUNK = 2**17  # questions at a time
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
    entries, asked, doubts = _hashes(thumbs, cuts)
    found = [np.zeros((0, 4), dtype=np.int64)]
    size = min(max(math.ceil(math.log2(max(entries.size, 2))), 10), 30)
    for number, bits in enumerate(_tables(size)):
        found.append(_join(entries, asked, doubts, bits))
        found = [_best(np.concatenate(found), len(thumbs))]
        if progress is not None:
            progress("comparing images", number + 1, _TABLES)
    return _as_candidates(found[0], cuts)


def _hashes(thumbs: Array, cuts: tuple[float, ...]) -> tuple[Array, Array, Array]:
    """Return the hashes of all windows (N, W), of the questions (N, Q), and the latter's doubtful bits."""
    asked_windows = np.array(_ASKED)
    places = [
        int(np.abs(windows(cuts) - window).sum(-1).argmin()) if cuts == COARSE else -1
        for window in asked_windows
    ]
    entries, asked, doubts = [], [], []
    for first in range(0, len(thumbs), 1024):
        block = thumbs[first : first + 1024]
        spectrum = coefficients(block, cuts)
        entries.append(pack(spectrum))
        source = spectrum if places[0] >= 0 else coefficients(block, COARSE)
        chosen = [
            int(np.abs(windows(COARSE if places[0] < 0 else cuts) - window).sum(-1).argmin())
            for window in asked_windows
        ]
        turns = np.stack([turned(source[:, chosen], turn) for turn in range(TURNS)], axis=2)
        turns = turns.reshape(len(block), -1, *turns.shape[-2:])
        asked.append(pack(turns))
        doubts.append(doubtful(turns, 12).astype(np.uint8))
    return np.concatenate(entries), np.concatenate(asked), np.concatenate(doubts)


def _tables(size: int) -> list[Array]:
    """Return the bits of each table: drawn once for all, the low frequencies more often."""
    rng = np.random.default_rng(20)
    weight = 1.0 / (1.0 + np.arange(BITS) / 24.0)
    return [rng.choice(BITS, size=size, replace=False, p=weight / weight.sum()) for _ in range(_TABLES)]


def _key(hashes: Array, bits: Array) -> Array:
    found = np.zeros(hashes.shape, dtype=np.uint32)
    for place, bit in enumerate(bits):
        found |= ((hashes >> np.uint64(bit)) & np.uint64(1)).astype(np.uint32) << np.uint32(place)
    return found


def _join(entries: Array, asked: Array, doubts: Array, bits: Array) -> Array:
    """Return the meetings in one table: (bits apart, entry, question, 0)."""
    keys = _key(entries.reshape(-1), bits)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    found = []
    for questions, probe in _probes(asked, doubts, bits):
        low = np.searchsorted(keys, probe, "left")
        count = np.minimum(np.searchsorted(keys, probe, "right") - low, _MOST_HITS)
        question = np.repeat(questions, count)
        step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        entry = order[np.repeat(low, count) + step]
        other = entry // entries.shape[1] != question // asked.shape[1]
        entry, question = entry[other], question[other]
        apart = np.bitwise_count(entries.reshape(-1)[entry] ^ asked.reshape(-1)[question])
        near = apart <= _most_apart(len(bits))
        found.append(np.stack([apart[near].astype(np.int64), entry[near], question[near]], axis=1))
    joined = np.concatenate(found)
    first, second = joined[:, 1] // entries.shape[1], joined[:, 2] // asked.shape[1]
    pair = np.minimum(first, second) * len(entries) + np.maximum(first, second)
    return np.column_stack([joined, pair])


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


def _probes(asked: Array, doubts: Array, bits: Array) -> Iterator[tuple[Array, Array]]:
    """Give (questions, keys), with every choice of the doubtful bits that the table uses."""
    place_of = np.full(BITS, 255, dtype=np.uint8)
    place_of[bits] = np.arange(len(bits), dtype=np.uint8)
    flat, doubted = asked.reshape(-1), doubts.reshape(-1, doubts.shape[-1])
    for first in range(0, len(flat), _CHUNK):
        questions = np.arange(first, min(first + _CHUNK, len(flat)))
        keys = _key(flat[questions], bits)
        places = np.sort(place_of[doubted[questions]], axis=1)[:, :_PROBES]
        flips = np.where(places < 255, np.uint32(1) << np.minimum(places, 31).astype(np.uint32), 0)
        for choice in range(2**_PROBES):
            mask = np.zeros(len(questions), dtype=np.uint32)
            for number in range(_PROBES):
                if choice >> number & 1:
                    mask ^= flips[:, number].astype(np.uint32)
            fresh = mask > 0 if choice else np.ones(len(questions), dtype=bool)
            yield questions[fresh], (keys ^ mask)[fresh]


def _best(found: Array, count: int) -> Array:
    """Keep the closest meetings of each pair."""
    found = np.unique(found, axis=0) if len(found) else found
    order = np.lexsort((found[:, 0], found[:, 3]))
    found = found[order]
    fresh = np.ones(len(found), dtype=bool)
    fresh[_PAIRS_KEPT:] = found[_PAIRS_KEPT:, 3] != found[:-_PAIRS_KEPT, 3]
    return found[fresh]


def _as_candidates(found: Array, cuts: tuple[float, ...]) -> Candidates:
    held = windows(cuts)
    asked = np.repeat(np.array(_ASKED), TURNS, axis=0)
    questions = len(asked)
    return Candidates(
        first=found[:, 1] // len(held),
        second=found[:, 2] // questions,
        window=held[found[:, 1] % len(held)],
        asked=asked[found[:, 2] % questions],
        turn=found[:, 2] % questions % TURNS,
    )
