"""The disk's cache of decoded images: what is kept, when it counts, and what happens when the disk fails."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from drawn import photo, save, tree

from neocog.data import ImageFolderSource, file_sha256, image_dataset_from_directory
from neocog.data import _cache_room as room
from neocog.data import _cache_segment as segments
from neocog.data import _decode_cache as caches
from neocog.data import _image_reader as reader
from neocog.data._cache_records import RECORD
from neocog.data._cache_sums import FileSums
from neocog.exceptions import ArgumentError

SIZE = (8, 10)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home of its own for every test, and a process that has opened nothing yet."""
    monkeypatch.setenv("NEOCOG_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NEOCOG_CACHE_GB", raising=False)
    monkeypatch.setattr(room, "SPARE", 0)
    monkeypatch.setattr(caches, "_open", {})
    return tmp_path / "home" / "cache" / "images"


@pytest.fixture
def folder(tmp_path):
    return tree(tmp_path / "사진 'a' \"b\"", {"고양이 1": 5, "dog": 4})


def files_of(folder):
    return sorted(str(path) for path in folder.rglob("*.*") if path.is_file())


def source_of(folder, **arguments):
    arguments = {"image_size": SIZE, "batch_size": 4, "seed": 3, "cache": "disk", **arguments}
    return ImageFolderSource(files_of(folder), None, **arguments)


def new_process(monkeypatch):
    """Forget what this process has opened, as a new one would."""
    monkeypatch.setattr(caches, "_open", {})


def images(source, epoch=0):
    found = torch.cat([batch.x for batch in source.batches(epoch)])
    source._shared.reader.settle()
    return found


class Counted:
    """Counts what is decoded."""

    def __init__(self, monkeypatch):
        self.count = 0
        decode = reader.decode

        def counted(*args):
            self.count += 1
            return decode(*args)

        monkeypatch.setattr(reader, "decode", counted)

    def during(self, call):
        self.count = 0
        result = call()
        return result, self.count


@pytest.mark.parametrize("cache", ["disk", True])
def test_a_second_run_decodes_nothing_and_gives_the_same(folder, monkeypatch, cache):
    monkeypatch.setattr("neocog.data._image_source._FEW", 2)
    counted = Counted(monkeypatch)
    plain = images(source_of(folder, cache=False))
    first, decoded = counted.during(lambda: images(source_of(folder, cache=cache)))
    assert decoded == 9
    new_process(monkeypatch)
    second, decoded = counted.during(lambda: images(source_of(folder, cache=cache)))
    assert decoded == 0
    assert torch.equal(first, plain)
    assert torch.equal(second, plain)


def test_another_order_another_split_and_copies_are_found_too(folder, monkeypatch, tmp_path):
    images(source_of(folder))
    shutil.copytree(folder, tmp_path / "moved")
    counted = Counted(monkeypatch)
    new_process(monkeypatch)
    moved = source_of(tmp_path / "moved", shuffle=False)
    got, decoded = counted.during(lambda: images(moved))
    assert decoded == 0
    assert torch.equal(got, images(source_of(folder, shuffle=False, cache=False)))
    part = ImageFolderSource(files_of(folder)[::2], None, SIZE, cache="disk")
    assert counted.during(lambda: images(part))[1] == 0


@pytest.mark.parametrize(
    "other",
    [
        {"image_size": (8, 11)},
        {"color_mode": "grayscale"},
        {"interpolation": "bicubic"},
        {"crop_to_aspect_ratio": True},
        {"pad_to_aspect_ratio": True},
    ],
)
def test_another_look_is_another_set(folder, monkeypatch, other):
    images(source_of(folder))
    counted = Counted(monkeypatch)
    got, decoded = counted.during(lambda: images(source_of(folder, **other)))
    assert decoded == 9
    assert torch.equal(got, images(source_of(folder, cache=False, **other)))


def test_another_decoder_is_another_set(folder, monkeypatch):
    images(source_of(folder))
    counted = Counted(monkeypatch)
    new_process(monkeypatch)
    monkeypatch.setattr(caches, "decoder_version", lambda: "another Pillow")
    assert counted.during(lambda: images(source_of(folder)))[1] == 9


@pytest.mark.parametrize("settled", [True, False])
def test_a_file_that_changes_between_runs_is_decoded_again(folder, monkeypatch, settled):
    if settled:
        monkeypatch.setattr("neocog.data._cache_sums._SETTLED", -1.0)
    source = source_of(folder, shuffle=False)
    images(source)
    path = Path(source.files[3])
    status = path.stat()
    changed = photo(*SIZE, seed=3)
    changed[2:5] = 255 - changed[2:5]
    save(path, changed)
    with open(path, "ab") as file:  # as long as before, and with the old time
        file.write(bytes(max(status.st_size - path.stat().st_size, 0)))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    new_process(monkeypatch)
    counted = Counted(monkeypatch)
    got, decoded = counted.during(lambda: images(source_of(folder, shuffle=False)))
    assert decoded == 1
    assert np.array_equal(got[3].numpy(), changed)
    assert torch.equal(got, images(source_of(folder, shuffle=False, cache=False)))


def test_checksums_of_an_unchanged_folder_are_not_computed_again(folder, monkeypatch):
    monkeypatch.setattr("neocog.data._cache_sums._SETTLED", -1.0)
    expected = [file_sha256(file) for file in files_of(folder)]
    first = source_of(folder)
    images(first)
    monkeypatch.setattr(reader, "file_sha256", None)
    assert first.checksums(first.files) == expected
    new_process(monkeypatch)
    monkeypatch.setattr(reader, "read_file", None)
    second = source_of(folder)
    assert second.checksums(second.files[2:5]) == expected[2:5]
    assert torch.equal(images(second), images(first))
    monkeypatch.undo()
    monkeypatch.setenv("NEOCOG_CACHE_GB", "0")
    assert source_of(folder).checksums(expected and files_of(folder)) == expected


def test_a_file_that_has_just_changed_is_not_noted(folder):
    sums = FileSums(folder)
    path = files_of(folder)[0]
    sums.note(path, os.stat(path), b"x" * 32)
    assert sums.get(path, os.stat(path)) is None
    os.utime(path, (time.time() - 60, time.time() - 60))
    assert sums.get(path, os.stat(path)) is None  # the time of the change of its times is new, too


def test_two_processes_write_at_once_and_read_each_other(tmp_path, monkeypatch):
    folder = tree(tmp_path / "many", {"a": 60, "b": 60})
    program = (
        "import sys, torch\n"
        "from neocog.data import ImageFolderSource\n"
        "files = sys.argv[2:]\n"
        f"source = ImageFolderSource(files, None, {SIZE}, 4, seed=int(sys.argv[1]), cache='disk')\n"
        "one = torch.cat([b.x for b in source.batches(0)])\n"
        "two = torch.cat([b.x for b in source.batches(0)])\n"
        "assert torch.equal(one, two)\n"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    files = files_of(folder)
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(seed), *files], env=environment)
        for seed in (1, 2)
    ]
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    counted = Counted(monkeypatch)
    got, decoded = counted.during(lambda: images(source_of(folder, shuffle=False)))
    assert decoded == 0
    assert torch.equal(got, images(source_of(folder, shuffle=False, cache=False)))


def test_a_process_that_is_killed_leaves_nothing_wrong(tmp_path, monkeypatch):
    folder = tree(tmp_path / "many", {"a": 40, "b": 40})
    program = (
        "import os, sys\n"
        "from neocog.data import ImageFolderSource\n"
        f"source = ImageFolderSource(sys.argv[1:], None, {SIZE}, 4, seed=1, cache='disk')\n"
        "for number, batch in enumerate(source.batches(0)):\n"
        "    if number == 5:\n"
        "        os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, *files_of(folder)]).returncode == -9
    counted = Counted(monkeypatch)
    got, decoded = counted.during(lambda: images(source_of(folder, shuffle=False)))
    assert 0 < decoded < 80
    assert torch.equal(got, images(source_of(folder, shuffle=False, cache=False)))


def damaged(home, damage):
    for path in home.glob(f"*/*{segments.SUFFIX}"):
        data = bytearray(path.read_bytes())
        path.write_bytes(damage(data))


@pytest.mark.parametrize(
    ("damage", "decoded"),
    [
        (lambda data: data[:-100] + bytes(100), 1),  # pixels that never reached the disk
        (lambda data: data[:4096] + bytes(RECORD) + data[4096 + RECORD :], 1),  # a record that did not
        (lambda data: data[:4100] + b"xyz" + data[4103:], 1),  # half a record
        (lambda data: data[:5000], 9),
        (lambda data: b"", 9),
        (lambda data: b"{}" + data[2:], 9),
        (lambda data: data[:4096].replace(b"images 1", b"images 9") + data[4096:], 9),
    ],
)
def test_half_written_rows_and_damaged_files_are_never_read(folder, home, monkeypatch, damage, decoded):
    whole_set = images(source_of(folder, shuffle=False, workers=1))
    stride = segments.row_bytes((*SIZE, 3))
    damaged(home, lambda data: damage(data[: len(data) - (stride - 240)] if stride > 240 else data))
    if stride > 240:  # give the file its length again: the row's last bytes are padding
        for path in home.glob(f"*/*{segments.SUFFIX}"):
            data = path.read_bytes()
            if len(data) > 6000:
                path.write_bytes(data + bytes(stride - 240))
    new_process(monkeypatch)
    counted = Counted(monkeypatch)
    got, again = counted.during(lambda: images(source_of(folder, shuffle=False)))
    assert again == decoded
    assert torch.equal(got, whole_set)
    new_process(monkeypatch)
    assert counted.during(lambda: images(source_of(folder)))[1] == 0  # mended


def test_many_damaged_rows_are_mended_in_few_files(folder, home, monkeypatch):
    monkeypatch.setattr("neocog.data._cache_sums._SETTLED", -1.0)  # so that none is missed before it is read
    whole_set = images(source_of(folder, shuffle=False))
    (path,) = home.glob(f"*/*{segments.SUFFIX}")
    data = bytearray(path.read_bytes())
    stride = segments.row_bytes((*SIZE, 3))
    for row in range(9):
        data[len(data) - (row + 1) * stride + 5] ^= 255
    path.write_bytes(data)
    new_process(monkeypatch)
    assert torch.equal(images(source_of(folder, shuffle=False)), whole_set)
    assert len(list(home.glob(f"*/*{segments.SUFFIX}"))) <= 1 + 4  # of 1, 2, 4 and 8 rows, not nine of one


def test_a_look_has_no_more_files_than_a_process_can_open(folder, home, monkeypatch):
    monkeypatch.setattr(room, "MOST_FILES", 3)
    counted = Counted(monkeypatch)
    files = files_of(folder)
    for count in range(1, 7):  # six runs, each with an image more
        new_process(monkeypatch)
        source = ImageFolderSource(files[:count], None, image_size=SIZE, cache="disk", seed=3)
        assert counted.during(lambda source=source: images(source))[1] >= 1
        for age, path in enumerate(sorted(home.glob(f"*/*{segments.SUFFIX}"), key=os.path.getmtime)):
            os.utime(path, (1e9 + age, 1e9 + age))
    assert len(list(home.glob(f"*/*{segments.SUFFIX}"))) <= 3 + 1  # and the one that the last run made
    new_process(monkeypatch)
    assert counted.during(lambda: images(source))[1] == 0
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (5, 5))
    assert len(room.newest_files(next(home.glob("*/*.images")).parent, [])) == 2


def test_a_full_disk_is_told_once_and_costs_nothing(folder, monkeypatch):
    real = segments._write
    done = []

    def fills_up(handle, data, offset, lock):
        done.append(offset)
        if len(done) > 6:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle, data, offset, lock)

    monkeypatch.setattr(segments, "_write", fills_up)
    source = source_of(folder, shuffle=False)
    with pytest.warns(UserWarning, match=r"No space left on device.*decoded again in the next run") as told:
        got = images(source)
    assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(images(source), got)
        assert torch.equal(images(source_of(folder, shuffle=False, cache=False)), got)
    monkeypatch.undo()
    assert len(done) < 40


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_folder_that_cannot_be_written(folder, home, monkeypatch, what):
    if what == "file":  # something stands in the folder's way
        home.parent.parent.mkdir()
        home.parent.write_text("")
    else:

        def refuse(*args):
            raise OSError(errno.EROFS, "Read-only file system")

        monkeypatch.setattr(caches, "create_segment", refuse)
    source = source_of(folder, shuffle=False)
    with pytest.warns(UserWarning, match="could not be kept") as told:
        got = images(source)
    assert len(told) == 1
    assert torch.equal(got, images(source_of(folder, shuffle=False, cache=False)))


def test_what_is_there_is_read_where_nothing_can_be_written(folder, home, monkeypatch):
    images(source_of(folder))
    new_process(monkeypatch)

    def refuse(*args, **kwargs):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(caches, "create_segment", refuse)
    monkeypatch.setattr(os, "utime", refuse)
    counted = Counted(monkeypatch)
    assert counted.during(lambda: images(source_of(folder)))[1] == 0


def test_what_was_used_longest_ago_goes_first(folder, home, monkeypatch):
    sizes = [(40, 40 + place) for place in range(4)]
    for place, size in enumerate(sizes):
        new_process(monkeypatch)
        images(source_of(folder, image_size=size))
        for path in home.glob(f"*/*{segments.SUFFIX}"):
            if path.stat().st_mtime > time.time() - 1000:
                os.utime(path, (10_000 + place, 10_000 + place))
    assert len(list(home.glob(f"*/*{segments.SUFFIX}"))) == 4
    new_process(monkeypatch)
    images(source_of(folder, image_size=sizes[0]))  # used again: the second is the oldest now
    taken = sum(path.stat().st_blocks * 512 for path in home.glob(f"*/*{segments.SUFFIX}"))
    monkeypatch.setenv("NEOCOG_CACHE_GB", f"{(taken + 1000) / 1e9:.9f}")  # four sets, not five
    images(source_of(folder, image_size=(40, 50)))
    monkeypatch.delenv("NEOCOG_CACHE_GB")
    counted = Counted(monkeypatch)
    decoded = []
    for size in (sizes[0], sizes[1], sizes[3], (40, 50)):
        new_process(monkeypatch)
        decoded.append(counted.during(lambda size=size: images(source_of(folder, image_size=size)))[1])
    assert decoded[0] == 0
    assert decoded[1] == 9
    assert decoded[2:] == [0, 0]


def test_a_set_that_is_too_large_is_kept_in_part(folder, home, monkeypatch):
    monkeypatch.setenv("NEOCOG_CACHE_GB", "0.000002")
    counted = Counted(monkeypatch)
    source = source_of(folder)
    first, decoded = counted.during(lambda: images(source))
    assert decoded == 9
    second, decoded = counted.during(lambda: images(source))
    assert torch.equal(first, second)
    assert decoded in range(10)
    assert sum(path.stat().st_blocks for path in home.glob(f"*/*{segments.SUFFIX}")) * 512 <= 16_000


def test_the_variable_switches_off_and_is_checked(folder, home, monkeypatch):
    monkeypatch.setenv("NEOCOG_CACHE_GB", "0")
    images(source_of(folder))
    assert not home.exists()
    for text in ("much", "-1", "nan", "inf"):
        monkeypatch.setenv("NEOCOG_CACHE_GB", text)
        with pytest.raises(ArgumentError, match="NEOCOG_CACHE_GB: expected a number of gigabytes"):
            images(source_of(folder))


def test_few_files_and_memory_alone_leave_the_disk_alone(folder, home):
    for cache in (True, "memory", False):
        images(source_of(folder, cache=cache))
    with pytest.raises(ArgumentError, match="cache"):
        source_of(folder, cache="ram")
    assert not home.exists()


def test_image_datasets_use_it(tmp_path, monkeypatch):
    folder = tree(tmp_path / "many", {"a": 40, "b": 40})
    counted = Counted(monkeypatch)

    def epoch():
        dataset = image_dataset_from_directory(folder, image_size=SIZE, seed=1, verbose=False)
        found = torch.cat([x for x, _ in dataset])
        dataset.source._shared.reader.settle()
        return found

    first, decoded = counted.during(epoch)
    assert decoded == 80
    new_process(monkeypatch)
    second, decoded = counted.during(epoch)
    assert decoded == 0
    assert torch.equal(first, second)


def test_broken_files_are_broken_each_time(folder, monkeypatch):
    Path(files_of(folder)[2]).write_bytes(b"\xff\xd8\xff no image")
    for _ in range(2):
        new_process(monkeypatch)
        source = source_of(folder)
        assert len(images(source)) == 8
        assert [file for file, _ in source.broken] == [files_of(folder)[2]]
