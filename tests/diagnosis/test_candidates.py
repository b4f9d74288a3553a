"""The search through buckets against all hashes with all others, on pictures with planted copies."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from neocog.diagnosis._buckets import Buckets
from neocog.diagnosis._candidates import _ASKED, Candidates, _most_apart, _tables, find_candidates
from neocog.diagnosis._hashes import COARSE, FINE, TURNS, coefficients, pack, turn_picture, turned, windows
from neocog.diagnosis._look import SIDE
from neocog.diagnosis._register import fit_pairs


def pictures(count: int, copies: int, seed: int) -> tuple[np.ndarray, set[tuple[int, int]]]:
    """Return pictures whose frequencies fall as those of photographs, and crops of some, turned."""
    rng = np.random.default_rng(seed)
    waves = np.cos(np.pi * np.arange(24)[:, None] * (np.arange(SIDE) + 0.5) / SIDE)
    fall = 1 / np.maximum(np.hypot(*np.indices((24, 24))), 1) ** 1.3
    found = waves.T @ (rng.normal(size=(count, 24, 24)) * fall) @ waves
    found -= found.min((1, 2), keepdims=True)
    drawn = (found * (255 / found.max((1, 2), keepdims=True))).astype(np.uint8)
    rows, pairs = [], set()
    for number, source in enumerate(rng.choice(count, copies, replace=False).tolist()):
        left, top, right, bottom = (rng.uniform(0.0, 0.14, 4) * SIDE).tolist()
        image = Image.fromarray(drawn[source])
        small = image.resize((SIDE, SIDE), box=(left, top, SIDE - right, SIDE - bottom))
        rows.append(turn_picture(np.asarray(small), number % TURNS))
        pairs.add((source, count + number))
    return np.concatenate([drawn, np.stack(rows)]), pairs


def exhaustive(thumbs: np.ndarray, most: int) -> Candidates:
    """Every question against every entry of every other picture, without a table."""
    count = len(thumbs)
    held, places = windows(FINE), []
    entries = pack(coefficients(thumbs, FINE))
    spectrum = coefficients(thumbs, COARSE)
    asks = [int(np.abs(windows(COARSE) - window).sum(-1).argmin()) for window in np.array(_ASKED)]
    for asked, ask in enumerate(asks):
        for turn in range(TURNS):
            question = pack(turned(spectrum[:, ask], turn))  # (N,)
            apart = np.bitwise_count(question[:, None, None] ^ entries)
            apart[np.arange(count), np.arange(count)] = 64
            second, first, window = np.nonzero(apart <= most)
            places.append(np.stack([first, second, window, 0 * first + asked, 0 * first + turn], 1))
    rows = np.concatenate(places)
    return Candidates(rows[:, 0], rows[:, 1], held[rows[:, 2]], np.array(_ASKED)[rows[:, 3]], rows[:, 4])


def accepted(thumbs: np.ndarray, found: Candidates) -> set[tuple[int, int]]:
    fits = fit_pairs(thumbs, found)
    rows = np.flatnonzero((fits.edges >= 0.89) & (fits.grey >= 0.75))
    ends = zip(found.first[rows].tolist(), found.second[rows].tolist(), strict=True)
    return {(min(pair), max(pair)) for pair in ends}


@pytest.mark.parametrize("seed", [0, 1])
def test_buckets_lead_to_the_copies_that_all_against_all_finds(seed: int) -> None:
    thumbs, planted = pictures(60, 16, seed)
    by_all = accepted(thumbs, exhaustive(thumbs, 6))
    told: list[tuple[int, int]] = []
    by_buckets = accepted(
        thumbs, find_candidates(thumbs, lambda what, done, total: told.append((done, total)))
    )
    assert by_buckets == by_all == planted
    assert told[-1][0] == told[-1][1]


def test_a_bucket_gives_what_shares_its_bits_and_no_more() -> None:
    rng = np.random.default_rng(0)
    entries = rng.integers(0, 2**12, 3000, dtype=np.uint64) << np.uint64(20)
    bits = np.array([22, 25, 31, 30, 21])
    buckets = Buckets(entries, bits, 10_000, 4)
    hashes = entries[:50] ^ np.uint64(1 << 24)
    probe, entry, apart = buckets.meet(hashes, buckets.keys(hashes))
    key = [[int(h) >> int(b) & 1 for b in bits] for h in entries]
    asked = [[int(h) >> int(b) & 1 for b in bits] for h in hashes]
    expected = {
        (p, e)
        for p in range(50)
        for e in range(3000)
        if asked[p] == key[e] and int(hashes[p] ^ entries[e]).bit_count() <= 4
    }
    assert set(zip(probe.tolist(), entry.tolist(), strict=True)) == expected
    assert apart.tolist() == [
        int(hashes[p] ^ entries[e]).bit_count() for p, e in zip(probe, entry, strict=True)
    ]
    few, _, _ = Buckets(entries, bits, 3, 48).meet(hashes, buckets.keys(hashes))
    assert np.bincount(few).max() == 3


def test_tables_stay_within_their_bits() -> None:
    assert all(len(set(bits.tolist())) == 24 for bits in _tables(24))
    assert [_most_apart(shared) for shared in (10, 24)] == sorted(_most_apart(s) for s in (10, 24))[::-1]
