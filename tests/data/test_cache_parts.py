"""The parts of the disk's cache: records, sums of files, and a segment with very many rows."""

from __future__ import annotations

import os

import numpy as np
from drawn import photo, save

from neocog.data import _cache_segment as segments
from neocog.data._cache_records import WORDS, as_records, pixel_sum, seal, whole
from neocog.data._cache_sums import FileSums


def test_records_know_whether_they_are_whole():
    records = np.arange(5 * WORDS, dtype=np.uint64).reshape(5, WORDS)
    data = seal(records)
    assert whole(as_records(data)).all()
    assert not whole(np.zeros((3, WORDS), np.uint64)).any()
    for at in range(0, len(data), 7):
        changed = bytearray(data)
        changed[at] ^= 1
        assert whole(as_records(bytes(changed))).sum() == 4
    assert len(as_records(data + b"half")) == 5
    image = photo(7, 5)
    for at in ((0, 0, 0), (6, 4, 2)):
        other = image.copy()
        other[at] ^= 1
        assert pixel_sum(other) != pixel_sum(image)


def test_sums_of_many_runs_are_joined(tmp_path, monkeypatch):
    monkeypatch.setattr("neocog.data._cache_sums._SETTLED", -1.0)
    path = save(tmp_path / "a.png")
    folder = tmp_path / "files"
    folder.mkdir()
    for run in range(12):
        sums = FileSums(folder)
        sums.note(f"{path}{run}", os.stat(path), bytes([run]) * 32)
        sums.flush()
        for file in folder.iterdir():
            os.utime(file, (1000 + run, 1000 + run))
    FileSums(folder)
    assert len(list(folder.iterdir())) < 12
    last = FileSums(folder)
    assert [last.get(f"{path}{run}", os.stat(path)) for run in range(12)] == [
        bytes([run]) * 32 for run in range(12)
    ]
    (folder / "torn.sums").write_bytes(b"x" * 100)
    assert FileSums(folder).get(f"{path}3", os.stat(path)) is not None


def test_two_hundred_thousand_rows_open_fast_and_take_no_room(tmp_path):
    shape = (4, 4, 3)
    segment = segments.create_segment(tmp_path, shape, 200_000)
    segment.write(b"d" * 32, photo(4, 4))
    assert segment.path.stat().st_size > 200_000 * 64
    assert segment.path.stat().st_blocks * 512 < 100_000
    opened = segments.open_segment(segment.path, shape)
    assert opened.entries() == [(b"d" * 32, 0)]
    assert segments.open_segment(segment.path, (4, 4, 1)) is None
    out = np.zeros(shape, np.uint8)
    assert opened.read(0, out)
    assert np.array_equal(out, photo(4, 4))
