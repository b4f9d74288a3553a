"""Locks of files: one holder at a time, and none of a file that is gone."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from neocog.core import _file_lock, end_file_lock, file_lock, try_file_lock


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with file_lock(path):
        assert try_file_lock(path) is None
    handle = try_file_lock(path)
    assert handle is not None
    assert try_file_lock(path) is None
    end_file_lock(handle, path)
    assert not path.exists()


def test_whoever_waits_gets_the_lock_next(tmp_path: Path) -> None:
    path, order = tmp_path / "lock", []

    def wait() -> None:
        with file_lock(path):
            order.append("second")

    with file_lock(path):
        thread = threading.Thread(target=wait)
        thread.start()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_the_lock_of_a_file_that_is_gone_is_nobodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lock"

    def lock(handle: int) -> None:
        path.unlink()  # its owner takes it away between the opening and the lock

    monkeypatch.setattr(_file_lock, "_lock", lock)
    assert try_file_lock(path) is None


@pytest.mark.parametrize(("code", "held"), [(errno.EAGAIN, True), (errno.ENOLCK, False)])
def test_a_file_system_without_locks_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, held: bool
) -> None:
    def lock(handle: int) -> None:
        raise OSError(code, "as the system says it")

    monkeypatch.setattr(_file_lock, "_lock", lock)
    handle = try_file_lock(tmp_path / "lock")
    assert (handle is None) == held
    if handle is not None:
        os.close(handle)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        try_file_lock(tmp_path / "nothing" / "lock")
