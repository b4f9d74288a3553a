"""Locks of files between processes: the system gives them back, however their holder ends."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_WAIT = 0.01  # seconds between two looks at a lock that another process holds
_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold the lock of a file inside the block, after whoever has it; the file stays."""
    while (handle := try_file_lock(path)) is None:
        time.sleep(_WAIT)
    try:
        yield
    finally:
        os.close(handle)


def try_file_lock(path: Path) -> int | None:
    """Return a handle that holds the lock of a file until it is closed, or None where another process does.

    On a file system without locks everyone gets it.

    Raises:
        OSError: the file cannot be made or opened.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    if _is_taken(handle) and _is_at(handle, path):
        return handle
    os.close(handle)
    return None


def end_file_lock(handle: int, path: Path) -> None:
    """Give a lock back and take its file away; nobody gets the lock of a file that is gone."""
    if sys.platform == "win32":  # an open file cannot be taken away there
        os.close(handle)
    with suppress(OSError):
        path.unlink()
    if sys.platform != "win32":
        os.close(handle)


def _is_taken(handle: int) -> bool:
    try:
        _lock(handle)
    except OSError as error:
        return error.errno not in _HELD
    return True


def _is_at(handle: int, path: Path) -> bool:
    """Whether the file is still there: its last owner may have taken it away since it was opened."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except OSError:
        return False
