"""Atomic files: whole or not there, whatever happens in between."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from neocog.core import atomic_path, write_bytes, write_text
from neocog.exceptions import DownloadError, StorageError


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "히스토리.csv"
    write_text(path, "what was there\n")
    return path


def untouched(path: Path) -> bool:
    return path.read_text() == "what was there\n" and [p.name for p in path.parent.iterdir()] == [path.name]


def write_half(path: Path, error: BaseException | type[BaseException]) -> None:
    path.write_text("half")
    raise error


def failing(code: int) -> Callable[..., Any]:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise OSError(code, os.strerror(code))

    return fail


def test_the_checker_sees_a_changed_file_and_a_file_left_behind(target: Path) -> None:
    assert untouched(target)
    (target.parent / ".x.tmp").touch()
    assert not untouched(target)
    (target.parent / ".x.tmp").unlink()
    target.write_text("half")
    assert not untouched(target)


def test_text_is_utf8_and_bytes_are_bytes(target: Path) -> None:
    write_text(target, "네오코그\n")
    assert target.read_bytes() == "네오코그\n".encode()
    write_bytes(target, b"\x00\xff")
    assert target.read_bytes() == b"\x00\xff"


def test_folders_are_made(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a" / "b" / "c.bin", b"1")
    assert (tmp_path / "a" / "b" / "c.bin").read_bytes() == b"1"


def test_a_string_is_a_path(tmp_path: Path) -> None:
    write_bytes(str(tmp_path / "c.bin"), b"1")
    assert (tmp_path / "c.bin").exists()


def test_the_target_changes_only_at_the_end(target: Path) -> None:
    with atomic_path(target) as temporary:
        assert temporary.parent == target.parent  # one file system: the rename is atomic
        temporary.write_text("new")
        assert target.read_text() == "what was there\n"
    assert target.read_text() == "new"
    assert not temporary.exists()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
def test_an_error_in_the_block_passes_through_and_leaves_nothing(
    target: Path, error: type[BaseException]
) -> None:
    with pytest.raises(error), atomic_path(target) as temporary:
        write_half(temporary, error)
    assert untouched(target)


def test_an_error_that_says_more_is_not_reworded(target: Path) -> None:
    with pytest.raises(DownloadError, match=r"^checksum$"), atomic_path(target):
        raise DownloadError("checksum")
    assert untouched(target)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_full_disk_while_writing(target: Path, code: int) -> None:
    full = OSError(code, os.strerror(code))
    expected = r"히스토리.csv: could not be written .*space left"
    with pytest.raises(StorageError, match=expected), atomic_path(target) as temporary:
        write_half(temporary, full)
    assert untouched(target)


@pytest.mark.parametrize("call", ["fsync", "replace", "chmod"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_or_read_only_disk_at_the_end(
    target: Path, call: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, call, failing(code))
    with pytest.raises(StorageError, match=os.strerror(code)) as caught:
        write_text(target, "new")
    assert isinstance(caught.value, OSError)
    assert isinstance(caught.value.__cause__, OSError)
    assert untouched(target)


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_folder_that_takes_no_file(target: Path, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "mkstemp", failing(code))
    with pytest.raises(StorageError, match=os.strerror(code)):
        write_text(target, "new")
    assert untouched(target)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="could not be written"):
        write_text(tmp_path / "file" / "below.txt", "")


def test_a_target_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(StorageError, match="run: could not be written"):
        write_text(tmp_path / "run", "")
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_text_that_is_no_unicode_leaves_nothing(target: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write_text(target, "half \ud800")
    assert untouched(target)


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_permissions_are_those_of_any_new_file(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        write_text(tmp_path / "a.txt", "")
        assert os.umask(umask) == umask  # the process keeps its own
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == mode


def test_a_long_name_fits(tmp_path: Path) -> None:
    name = "가" * 80 + ".csv"  # 244 bytes of the 255 that a name may have
    write_text(tmp_path / name, "x")
    assert [p.name for p in tmp_path.iterdir()] == [name]
