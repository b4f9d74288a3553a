"""What one look at an image found, kept by content, so that a second check need not decode it again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from neocog.core import neocog_home

Array = np.ndarray[Any, Any]

MOST_BYTES = 2**30
_ROWS = 500  # asked for at a time


class LookStore:
    """Rows of numbers by content hash, in one file that several processes may use.

    A disk that is full, read-only or damaged costs nothing but the time to look again.

    Args:
        key: changes with everything that changes the rows.
        folder: default `cache/features` in neocog's own folder; False keeps nothing.
    """

    def __init__(self, key: str, folder: Path | bool | None = None) -> None:
        self.key = key
        where = neocog_home() / "cache" / "features" if folder in (None, True) else folder
        self.path = None if where is False else Path(str(where)) / "looks.sqlite"
        self.known = frozenset(self._known())

    def _open(self) -> sqlite3.Connection:
        if self.path is None:
            raise sqlite3.Error("no store")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        base = sqlite3.connect(self.path, timeout=10)
        base.execute("CREATE TABLE IF NOT EXISTS looks (id TEXT PRIMARY KEY, row BLOB) WITHOUT ROWID")
        return base

    def _known(self) -> Iterable[str]:
        start = f"{self.key}/"
        try:
            with closing(self._open()) as base:
                asked = "SELECT id FROM looks WHERE id >= ? AND id < ?"
                return [name[len(start) :] for (name,) in base.execute(asked, (start, f"{self.key}0"))]
        except (sqlite3.Error, OSError):
            return []

    def get(self, digests: Sequence[str]) -> dict[str, Array]:
        """Return the rows that are there."""
        found: dict[str, Array] = {}
        try:
            with closing(self._open()) as base:
                for first in range(0, len(digests), _ROWS):
                    names = [f"{self.key}/{digest}" for digest in digests[first : first + _ROWS]]
                    marks = ",".join("?" * len(names))
                    asked = f"SELECT id, row FROM looks WHERE id IN ({marks})"
                    for name, row in base.execute(asked, names):
                        found[name.rpartition("/")[2]] = np.frombuffer(row, dtype=np.float32)
        except (sqlite3.Error, OSError, ValueError):
            return found
        return found

    def put(self, rows: Mapping[str, Array]) -> None:
        """Keep rows; a file that has grown too large begins anew."""
        try:
            if self.path is not None and self.path.exists() and self.path.stat().st_size > MOST_BYTES:
                self.path.unlink()
            with closing(self._open()) as base, base:
                values = [
                    (f"{self.key}/{digest}", row.astype(np.float32).tobytes()) for digest, row in rows.items()
                ]
                base.executemany("INSERT OR REPLACE INTO looks VALUES (?, ?)", values)
        except (sqlite3.Error, OSError):
            return
