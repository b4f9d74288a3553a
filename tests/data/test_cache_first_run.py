"""When checksums are computed: by the writer in a first run, where bytes may wait, else before decoding."""

from __future__ import annotations

import threading

import pytest
import torch
from drawn import tree

from neocog.data import ImageFolderSource, file_sha256
from neocog.data import _cache_room as room
from neocog.data import _decode_cache as caches
from neocog.data import _image_reader as reader


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setenv("NEOCOG_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NEOCOG_CACHE_GB", raising=False)
    monkeypatch.setattr(room, "SPARE", 0)
    monkeypatch.setattr(caches, "_open", {})
    monkeypatch.setattr("neocog.data._cache_sums._SETTLED", -1.0)
    monkeypatch.setattr("neocog.data._image_source._FEW", 1)
    folder = tree(tmp_path / "photos", {"cat": 5, "dog": 4})
    return sorted(str(path) for path in folder.rglob("*.*") if path.is_file())


@pytest.fixture
def learned_by(monkeypatch):
    """The names of the threads that computed checksums."""
    names = []
    learn = reader.ImageReader._learn

    def spied(self, index, file):
        names.append(threading.current_thread().name.partition("_")[0])
        return learn(self, index, file)

    monkeypatch.setattr(reader.ImageReader, "_learn", spied)
    return names


def epoch(files):
    source = ImageFolderSource(files, None, (8, 10), 4, shuffle=False)
    images = torch.cat([batch.x for batch in source.batches(0)])
    assert source.checksums(files) == [file_sha256(file) for file in files]
    return images


def test_in_a_first_run_the_writer_computes_them(files, learned_by, monkeypatch):
    plain = torch.cat(
        [
            batch.x
            for batch in ImageFolderSource(files, None, (8, 10), 4, shuffle=False, cache=False).batches(0)
        ]
    )
    assert torch.equal(epoch(files[:5]), plain[:5])
    assert learned_by == ["neocog-cache"] * 5
    assert torch.equal(epoch(files), plain)  # the others: a checksum might find them now
    assert learned_by[5:] == ["neocog-decode"] * 4
    monkeypatch.setattr(caches, "_open", {})
    monkeypatch.setattr(reader, "read_file", None)
    assert torch.equal(epoch(files), plain)
    assert len(learned_by) == 9


@pytest.mark.parametrize("setting", ["_image_reader._HELD", "_cache_sums._SETTLED"])
def test_too_many_bytes_and_files_that_have_just_changed_do_not_wait(files, learned_by, monkeypatch, setting):
    monkeypatch.setattr(f"neocog.data.{setting}", 0 if "HELD" in setting else 1e9)
    epoch(files)
    assert learned_by == ["neocog-decode"] * 9


def test_a_file_that_changes_before_the_writer_comes_keeps_the_sum_of_what_was_decoded(files, monkeypatch):
    before = file_sha256(files[2])
    write = reader.ImageReader._write

    def late(self, *arguments):
        with open(files[2], "ab") as file:
            file.write(b"more")
        write(self, *arguments)

    monkeypatch.setattr(reader.ImageReader, "_write", late)
    source = ImageFolderSource(files, None, (8, 10), 4, shuffle=False)
    images = torch.cat([batch.x for batch in source.batches(0)])
    source._shared.reader.settle()
    assert source._shared.reader._digests[2].hex() == before
    assert (
        source._shared.reader.cache.known(files[2]) is None
    )  # another size: nothing is known of what is there now
    monkeypatch.setattr(caches, "_open", {})
    monkeypatch.setattr(reader.ImageReader, "_write", write)
    assert torch.equal(epoch(files), images)
