"""Which file has which SHA-256, so that an unchanged file need not be read again to know it.

A file is known by path, size, times of change, inode and device. A file that changed less than two seconds
before it was read is not noted: it could change again without its times telling.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from neocog.core import write_bytes
from neocog.data._cache_records import WORDS, as_records, seal, whole

_SUFFIX = ".sums"
_KEY = 24  # bytes
_SETTLED = 2.0  # seconds
_AT_ONCE = 256  # records that are written together
_MOST = 500_000  # records that are kept when files are joined
_FILES = 8  # more than so many files are joined,
_OLD = 600.0  # when nobody has written to them for so many seconds


class FileSums:
    """The known checksums of files, read once, added to by this process.

    Args:
        folder: where all processes keep theirs, one file each.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._own: Path | None = None
        self._pid = os.getpid()
        self._fresh: list[bytes] = []
        self._known = self._load()

    def get(self, path: str, status: os.stat_result) -> bytes | None:
        """Return the SHA-256 of a file that has not changed since it was noted."""
        return self._known.get(_key(path, status))

    def note(self, path: str, status: os.stat_result, digest: bytes) -> None:
        """Remember the SHA-256 of a file whose status was taken when it was read.

        Raises:
            OSError: the folder cannot be written.
        """
        if not settled(status):
            return
        key = _key(path, status)
        with self._lock:
            if self._known.get(key) == digest:
                return
            self._known[key] = digest
            self._fresh.append(key + digest + bytes(8))
            full = len(self._fresh) >= _AT_ONCE
        if full:
            self.flush()

    def flush(self) -> None:
        """Write what is new.

        Raises:
            OSError: the folder cannot be written.
        """
        with self._lock:
            fresh, self._fresh = self._fresh, []
            if not fresh:
                return
            if self._own is None or self._pid != os.getpid():
                self._pid = os.getpid()
                self._own = self.folder / f"{secrets.token_hex(8)}{_SUFFIX}"
            with open(self._own, "ab", buffering=0) as file:
                file.write(seal(as_records(b"".join(fresh)).copy()))

    def _load(self) -> dict[bytes, bytes]:
        files = []
        with suppress(OSError):
            files = sorted(
                (entry.stat().st_mtime, entry.path)
                for entry in os.scandir(self.folder)
                if entry.name.endswith(_SUFFIX)
            )
        read = [(path, _read(path)) for _, path in files]
        records = np.concatenate([rows for _, rows in read]) if read else np.zeros((0, WORDS), np.uint64)
        now = time.time()
        old = [path for changed, path in files if now - changed > _OLD]
        if len(old) > _FILES:
            with suppress(OSError):
                self._join(old, np.concatenate([rows for path, rows in read if path in old]))
        raw = records.tobytes()
        size = 8 * WORDS
        return {raw[at : at + _KEY]: raw[at + _KEY : at + _KEY + 32] for at in range(0, len(raw), size)}

    def _join(self, paths: list[str], records: Any) -> None:
        """Make one file of many; what another process adds to one of them meanwhile is only read again."""
        write_bytes(self.folder / f"{secrets.token_hex(8)}{_SUFFIX}", records[-_MOST:].tobytes())
        for path in paths:
            os.unlink(path)


def settled(status: os.stat_result) -> bool:
    """Return whether a file changed so long ago that its times would tell another change."""
    return time.time() - max(status.st_mtime, status.st_ctime) >= _SETTLED


def _read(path: str) -> Any:
    try:
        with open(path, "rb") as file:
            records = as_records(file.read())
    except OSError:
        return np.zeros((0, WORDS), np.uint64)
    return records[whole(records)]


def _key(path: str, status: os.stat_result) -> bytes:
    facts = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)
    text = f"{path if os.path.isabs(path) else os.path.abspath(path)}\0{facts}"
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=_KEY).digest()
