"""Features on disk: found again by what they were computed from, bounded, never half-written."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from neocog.core import neocog_home, write_text

LIMIT = 8 * 2**30  # bytes of all entries together
_SPARE = 256 * 2**20  # bytes that are left free on the disk
_ENTRY = "entry.json"
_DTYPES = ("float16", "float32", "float64", "int64", "int32", "uint8", "bool")
_STALE = 24 * 3600.0  # seconds after which a half-written entry belongs to a run that is dead

Arrays = dict[str, "np.ndarray[Any, np.dtype[Any]]"]


def store_folder() -> Path:
    """Return where features are kept."""
    return neocog_home() / "cache" / "features"


def names(start: str, root: Path | None = None) -> list[str]:
    """Return the keys of the entries that begin so."""
    with suppress(OSError):
        return sorted(item.name for item in (root or store_folder()).iterdir() if item.name.startswith(start))
    return []


def load(key: str, root: Path | None = None) -> tuple[Arrays, dict[str, Any]] | None:
    """Return the arrays of an entry, read-only and mapped from disk, and its facts; None without one."""
    folder = (root or store_folder()) / key
    try:
        entry = json.loads((folder / _ENTRY).read_text(encoding="utf-8"))
        arrays = {name: _mapped(folder / f"{name}.bin", *form) for name, form in entry["arrays"].items()}
        os.utime(folder / _ENTRY)  # used lately: the last to be taken away
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return arrays, dict(entry.get("facts", {}))


def _mapped(path: Path, dtype: str, shape: list[int]) -> np.ndarray[Any, np.dtype[Any]]:
    if dtype not in _DTYPES or any(not isinstance(size, int) or size < 0 for size in shape):
        raise ValueError(dtype)
    count = int(np.prod(shape, dtype=np.int64))
    if path.stat().st_size != count * np.dtype(dtype).itemsize:
        raise ValueError(f"{path}: another size")
    if not count:
        return np.empty(shape, dtype)
    return np.memmap(path, dtype=dtype, mode="r", shape=tuple(shape))


def remove(key: str, root: Path | None = None) -> None:
    """Take an entry away."""
    shutil.rmtree((root or store_folder()) / key, ignore_errors=True)


class Writer:
    """Collects rows of named arrays, on disk while that works, else in memory.

    Args:
        key: name of the entry; None collects in memory.
        expected: bytes that the whole will take, where known; too many for disk or store go to memory.
        root: folder of the store; None the usual one.
        spared: let the rows go where the disk fails, instead of holding them in memory.
    """

    def __init__(
        self, key: str | None, expected: int = 0, root: Path | None = None, *, spared: bool = False
    ) -> None:
        self._key = key
        self._root = root or store_folder()
        self._spared = spared
        self._folder = None if key is None else _new_folder(self._root, key, expected)
        self._files: dict[str, BinaryIO] = {}
        self._forms: dict[str, tuple[str, list[int]]] = {}
        self._parts: dict[str, list[Any]] = {}

    def add(self, rows: Arrays) -> None:
        """Append rows to the arrays."""
        for name, values in rows.items():
            if self._spared and self._folder is None:
                return
            dtype, shape = str(values.dtype), self._forms.get(name, ("", [0]))[1]
            self._forms[name] = (dtype, [shape[0] + len(values), *values.shape[1:]])
            if self._folder is not None:
                try:
                    file = self._files.get(name) or self._opened(name)
                    file.write(np.ascontiguousarray(values).data)
                    continue
                except OSError:
                    self._fall_back(name, len(values))
                    if self._spared:
                        return
            self._parts.setdefault(name, []).append(values)

    def _opened(self, name: str) -> BinaryIO:
        if self._folder is None:
            raise OSError("no folder")
        file = open(self._folder / f"{name}.bin", "wb+")  # noqa: SIM115 - closed in `finish` or `discard`
        self._files[name] = file
        return file

    def _fall_back(self, current: str, rows: int) -> None:
        """Go on in memory with what is on disk so far: the disk is full or gone."""
        for name, file in () if self._spared else self._files.items():
            dtype, shape = self._forms[name]
            count = shape[0] - (rows if name == current else 0)
            file.seek(0)
            size = count * int(np.prod(shape[1:], dtype=np.int64))
            held = np.frombuffer(file.read(size * np.dtype(dtype).itemsize), dtype)
            self._parts[name] = [held.reshape(count, *shape[1:])]
        self.discard()

    def finish(self, facts: dict[str, Any]) -> Arrays:
        """Return the arrays; those on disk take their place in the store first."""
        if self._folder is not None:
            try:
                for file in self._files.values():
                    file.flush()
                    os.fsync(file.fileno())
                    file.close()
                entry = {"arrays": self._forms, "facts": facts, "made": time.time()}
                write_text(self._folder / _ENTRY, json.dumps(entry) + "\n")
                return self._placed()
            except OSError:
                self._recover()
        return {name: np.concatenate(parts) for name, parts in self._parts.items()}

    def _placed(self) -> Arrays:
        target = self._root / str(self._key)
        folder, self._folder = self._folder, None
        if folder is None:
            raise OSError("no folder")
        found = load(target.name, self._root)
        if found is None:
            shutil.rmtree(target, ignore_errors=True)  # what was there is not whole
            os.replace(folder, target)
            found = load(target.name, self._root)
        else:  # another run was quicker
            shutil.rmtree(folder, ignore_errors=True)
        prune(keep=target.name, root=self._root)
        if found is None:
            raise OSError(f"{target}: gone")
        return found[0]

    def _recover(self) -> None:
        folder = self._folder
        if folder is not None and not self._spared:
            for name, (dtype, shape) in self._forms.items():
                self._parts[name] = [np.fromfile(folder / f"{name}.bin", dtype).reshape(shape)]
        self.discard()

    def discard(self) -> None:
        """Take away what is on disk."""
        for file in self._files.values():
            with suppress(OSError):
                file.close()
        self._files.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _new_folder(root: Path, key: str, expected: int) -> Path | None:
    """Return a new folder beside the entries, or None where there is no room or no permission."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        if expected > LIMIT // 2 or expected + _SPARE > shutil.disk_usage(root).free:
            return None
        return Path(tempfile.mkdtemp(prefix=f".{key[:16]}.", suffix=".tmp", dir=root))
    except OSError:
        return None


def prune(limit: int | None = None, keep: str = "", root: Path | None = None) -> None:
    """Take away the entries that were not used for longest until the store is within its bound.

    Args:
        limit: bytes; None takes `LIMIT`.
        keep: an entry that stays.
        root: folder of the store; None the usual one.
    """
    rows = []
    with suppress(OSError):
        for folder in (root or store_folder()).iterdir():
            with suppress(OSError):
                if folder.name.startswith("."):
                    if time.time() - folder.stat().st_mtime > _STALE:
                        shutil.rmtree(folder, ignore_errors=True)
                    continue
                size = sum(file.stat().st_size for file in folder.iterdir())
                rows.append(((folder / _ENTRY).stat().st_mtime, size, folder))
    total = sum(size for _, size, _ in rows)
    for _, size, folder in sorted(rows, key=lambda row: row[0]):
        if total <= (LIMIT if limit is None else limit):
            return
        if folder.name != keep:
            shutil.rmtree(folder, ignore_errors=True)
            total -= size
