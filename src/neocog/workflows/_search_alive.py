"""Which processes work on a study: a lock that the system takes back when its holder dies."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from neocog.core import end_file_lock, try_file_lock

BEAT = 5.0  # seconds between two signs of life, for other hosts
SILENT = 60.0  # seconds after which a worker of another host counts as dead
_WORKERS = "workers"


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
        self._handle = try_file_lock(self._path)
        threading.Thread(target=self._beat, name="neocog-beat", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        if self._handle is not None:
            end_file_lock(self._handle, self._path)

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
        handle = try_file_lock(path)
        if handle is None:
            return True
        end_file_lock(handle, path)
        return False

    def _touch(self) -> None:
        with suppress(OSError):
            os.utime(self._path)

    def _beat(self) -> None:
        while not self._end.wait(BEAT):
            self._touch()
