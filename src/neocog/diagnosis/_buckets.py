"""A table of hashes by some of their bits, so that a hash meets those that share them and no others.

Entries are sorted by their key once; where each key begins is looked up, not searched. Nothing here runs a
Python loop over entries or questions.

Letters: E entries, Q questions, P probes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

MOST_KEY_BITS = 26  # where keys begin takes 4 bytes for each of two to the power of this
_LANES = 4  # of 16 bits in a hash


class Buckets:
    """Entries in buckets.

    Args:
        entries: hashes, uint64 (E,).
        bits: which bits make the key.
        most_hits: entries that a bucket gives at most, the first ones.
        most_apart: bits in which a hash and an entry may differ to meet.
    """

    def __init__(self, entries: Array, bits: Array, most_hits: int, most_apart: int) -> None:
        self._lookup = _lookup(bits)
        self._most_hits, self._most_apart = most_hits, most_apart
        placed = self.keys(entries).astype(np.uint64) << np.uint64(32)
        placed |= np.arange(len(entries), dtype=np.uint64)
        placed.sort()
        self._entry = (placed & np.uint64(0xFFFFFFFF)).astype(np.uint32)
        counts = np.bincount((placed >> np.uint64(32)).astype(np.int64), minlength=2 ** len(bits))
        self._start = np.zeros(len(counts) + 1, dtype=np.uint32)
        np.cumsum(counts, out=self._start[1:])
        del placed, counts
        self._hash = entries[self._entry]  # in the order of the buckets: a bucket is read in one go

    def keys(self, hashes: Array) -> Array:
        """Return the keys of hashes (…), uint32 (…)."""
        lanes = np.ascontiguousarray(hashes, dtype="<u8").view("<u2").reshape(*hashes.shape, _LANES)
        found = self._lookup[0][lanes[..., 0]]
        for lane in range(1, _LANES):
            found |= self._lookup[lane][lanes[..., lane]]
        return np.asarray(found)

    def meet(self, hashes: Array, keys: Array) -> tuple[Array, Array, Array]:
        """Return (probe, entry, bits apart) of the entries that hashes (P,) meet under keys (P,)."""
        low = self._start[keys].astype(np.int64)
        count = np.minimum(self._start[keys + np.uint32(1)] - low, self._most_hits)
        asked = np.flatnonzero(count)
        low, count = low[asked], count[asked]
        begin = np.cumsum(count) - count
        place = np.repeat(low - begin, count) + np.arange(count.sum())
        apart = np.bitwise_count(self._hash[place] ^ np.repeat(hashes[asked], count))
        near = np.flatnonzero(apart <= self._most_apart)
        probe = asked[np.searchsorted(begin, near, "right") - 1]
        return probe, self._entry[place[near]].astype(np.int64), apart[near]


def _lookup(bits: Array) -> Array:
    """Return what each 16 bits of a hash give to the key, uint32 (lanes, 65536)."""
    values = np.arange(2**16, dtype=np.uint32)
    found = np.zeros((_LANES, 2**16), dtype=np.uint32)
    for place, bit in enumerate(bits.tolist()):
        found[bit // 16] |= (values >> np.uint32(bit % 16) & np.uint32(1)) << np.uint32(place)
    return found
