"""What one look at an image found, kept by content, so that a second check need not decode it again.

Rows lie in the store of features, an entry for each check that found something new: the same bound, and
nothing half-written.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neocog.transfer import _feature_store as store

Array = np.ndarray[Any, Any]

_DIGEST = "digest"
_MOST_ENTRIES = 24  # each takes some of the files that a process may have open: more are joined,
_LARGE = 50_000  # but for those of so many rows


class LookStore:
    """Rows of numbers by content hash, which several processes may use; a disk that fails costs time alone.

    Args:
        key: changes with everything that changes the rows.
        folder: default `cache/features` in neocog's own folder; False keeps nothing.
    """

    def __init__(self, key: str, folder: Path | bool | None = None) -> None:
        self._root = None if folder in (None, True) else Path(str(folder))
        self._key = None if folder is False else f"looks-{hashlib.sha256(key.encode()).hexdigest()[:16]}-"
        self._writer: store.Writer | None = None
        self._entries: list[store.Arrays] = []
        self._places: dict[str, tuple[int, int]] = {}
        if self._key is not None:
            for name in self._joined(self._key, store.names(self._key, self._root)):
                self._take(self._load(name))

    def _load(self, name: str) -> store.Arrays | None:
        """Return the rows of an entry; None for one that is damaged, or that another process took away."""
        held = store.load(name, self._root)
        digests = None if held is None else held[0].get(_DIGEST)
        if held is None or digests is None or digests.shape[1:] != (32,):
            return None
        return held[0] if all(len(values) == len(digests) for values in held[0].values()) else None

    def _take(self, rows: store.Arrays | None) -> None:
        if rows is None:
            return
        self._entries.append(rows)
        text = rows[_DIGEST].tobytes().hex()
        for row in range(len(rows[_DIGEST])):
            self._places[text[64 * row : 64 * row + 64]] = (len(self._entries) - 1, row)

    def _joined(self, key: str, names: list[str]) -> list[str]:
        """Return the entries to read: where there are many, one that is made of them and the large ones."""
        if len(names) <= _MOST_ENTRIES:
            return names
        writer, form, done = store.Writer(key + uuid.uuid4().hex[:16], root=self._root, spared=True), None, []
        for name in names:
            rows = self._load(name)
            if rows is None or len(rows[_DIGEST]) >= _LARGE:
                continue
            own = {part: (values.dtype, values.shape[1:]) for part, values in rows.items()}
            form = form or own
            if own == form:
                writer.add(rows)
                done.append(name)
        kept = bool(done) and bool(writer.finish({}))
        writer.discard()
        if kept:
            for name in done:
                store.remove(name, self._root)
        return store.names(key, self._root)[:_MOST_ENTRIES]  # a disk that takes nothing: some are enough

    def __contains__(self, digest: str) -> bool:
        return digest in self._places

    def __len__(self) -> int:
        return len(self._places)

    def get(self, digest: str) -> dict[str, Array] | None:
        """Return the row of an image by name of its parts, or None."""
        place = self._places.get(digest)
        if place is None:
            return None
        entry, row = place
        return {name: values[row] for name, values in self._entries[entry].items() if name != _DIGEST}

    def put(self, digests: Sequence[str], rows: dict[str, Array]) -> None:
        """Keep rows, each part an array of one row a digest; the same parts every time."""
        if self._key is None or not digests:
            return
        if self._writer is None:
            self._writer = store.Writer(self._key + uuid.uuid4().hex[:16], root=self._root, spared=True)
        marks = np.frombuffer(bytes.fromhex("".join(digests)), dtype=np.uint8).reshape(-1, 32)
        self._writer.add({_DIGEST: marks, **rows})

    def close(self) -> None:
        """Put what is new into its place."""
        if self._writer is not None:
            self._writer.finish({})
            self._writer.discard()
            self._writer = None
