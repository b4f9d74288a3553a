"""One process at a time works on a run: a lock that the system gives back, however the process ends."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from neocog.core import end_file_lock, try_file_lock
from neocog.exceptions import ArgumentError, message

LOCK = ".lock"
_PATIENCE = 2.0  # seconds: a process that was killed a moment ago may still be ending


class Lock:
    """The lock of a run's folder.

    Args:
        folder: of the run; it must be there.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOCK
        self._handle: int | None = None

    def take(self, patience: float = _PATIENCE) -> None:
        """Take the lock.

        Raises:
            ArgumentError: another process has it; the text says which.
        """
        until = time.monotonic() + patience
        while not self._taken():
            if time.monotonic() >= until:
                do = "Wait until it has ended, or stop it."
                expected = "a run that no other process works on"
                raise ArgumentError(
                    message(str(self.path.parent), expected=expected, got=self._owner(), do=do)
                )
            time.sleep(0.1)

    def give(self) -> None:
        """Give the lock back, if it was taken."""
        handle, self._handle = self._handle, None
        if handle is not None:
            end_file_lock(handle, self.path)

    def _taken(self) -> bool:
        try:
            handle = try_file_lock(self.path)
        except OSError:
            return True  # the folder cannot be written to, which whatever comes next will tell better
        if handle is None:
            return False
        with suppress(OSError):  # a full disk
            os.ftruncate(handle, 0)
            os.write(handle, f"process {os.getpid()}\n".encode())
        self._handle = handle
        return True

    def _owner(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8", errors="replace").strip()[:60] or "another process"
        except OSError:
            return "another process"
