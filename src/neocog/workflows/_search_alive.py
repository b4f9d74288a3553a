"""Which processes work on a study: a lock that the system takes back when its holder dies."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

BEAT = 5.0  # seconds between two signs of life, for other hosts
SILENT = 60.0  # seconds after which a worker of another host counts as dead
_WORKERS = "workers"

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file; one process at a time. It is free again when the holder ends or dies."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        while not _lock(handle):
            time.sleep(0.01)
        yield
    finally:
        os.close(handle)


def try_locked(path: Path) -> int | None:
    """Return a handle that holds a file's lock until it is closed, or None where another process does."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    if _lock(handle):
        return handle
    os.close(handle)
    return None


def host() -> str:
    """Return a name of this machine since it was started: locks of dead processes are known here at once."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{socket.gethostname()}-{boot[:8]}"
    return socket.gethostname()


class Presence:
    """A worker's sign of life in a study's folder, as long as the object is entered.

    Args:
        folder: of the study.
    """

    def __init__(self, folder: Path) -> None:
        self.name = f"{host()}-{uuid.uuid4().hex[:12]}"
        self._folder = folder / _WORKERS
        self._path = self._folder / self.name
        self._handle: int | None = None
        self._end = threading.Event()

    def __enter__(self) -> Self:
        self._folder.mkdir(exist_ok=True)
        self._handle = try_locked(self._path)
        threading.Thread(target=self._beat, name="neocog-beat", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        if self._handle is not None:
            os.close(self._handle)
        with suppress(OSError):
            self._path.unlink()

    def is_alive(self, name: str) -> bool:
        """Return whether a worker lives: on this host by its lock, on another by its last sign of life."""
        if name == self.name:
            return True
        path = self._folder / name
        if os.path.basename(name) != name or not path.is_file():
            return False
        if name.rsplit("-", 1)[0] != host():
            self._touch()
            with suppress(OSError):
                return self._path.stat().st_mtime - path.stat().st_mtime < SILENT
            return False
        handle = try_locked(path)
        if handle is None:
            return True
        os.close(handle)
        with suppress(OSError):
            path.unlink()
        return False

    def _touch(self) -> None:
        with suppress(OSError):
            os.utime(self._path)

    def _beat(self) -> None:
        while not self._end.wait(BEAT):
            self._touch()
