"""The folder of a run: claimed before training, filled file by file, each whole or not there."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neocog.core import write_bytes
from neocog.exceptions import ArgumentError, StorageError, message
from neocog.workflows._resume_lock import LOCK, Lock

CONFIG, METRICS, HISTORY = "config.json", "metrics.json", "history.csv"
SPLIT, PREDICTIONS, PLAN = "split.csv", "predictions.csv", "plan.txt"
CURVES, CONFUSION, REPORT = "curves.png", "confusion.png", "report.html"
SCATTER = "predictions.png"
STARTED, INTERRUPTED, COMPLETE = "started", "interrupted", "complete"  # the states of a run
MODEL_CONFIG, MODEL_WEIGHTS = "model.json", "model.safetensors"  # the names that `neocog.files` gives

LEAST_FREE = 50 * 2**20  # bytes that a run may take besides its model


class RunFolder:
    """A run's folder while it is written.

    Args:
        path: the folder; it must be new or empty.
        again: it holds a run that did not end, which goes on.

    Raises:
        ArgumentError: it holds another run or other files, or is a file.
        StorageError: read-only or full disk, missing permission.
    """

    leads = True  # whether this process writes the run

    def __init__(self, path: Path, *, again: bool = False) -> None:
        if not again:
            check_free(path)
        self.path = path
        self._made: list[Path] = []
        self._written: set[str] = set()
        self.again, self.discarded = again, False
        self.keeps_model = again  # whether the model is saved: from then on the run stays
        try:
            missing = [folder for folder in (path, *path.parents) if not folder.exists()]
            for folder in reversed(missing):
                folder.mkdir(exist_ok=True)
                self._made.append(folder)
        except OSError as error:
            self.discard()
            raise storage_error(path, error) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out of the folder inside the block."""
        lock = Lock(self.path)
        lock.take()
        try:
            if not self.again:
                check_free(self.path)  # another process may have been quicker
            else:
                for left in self.path.glob(".*.tmp"):  # of a file that was being written
                    left.unlink(missing_ok=True)
            yield
        finally:
            lock.give()
            if self.discarded:
                self.discard()

    def file(self, name: str) -> Path:
        """Return the path of a file that is about to be written; `discard` takes it away again."""
        self._written.add(name)
        return self.path / name

    def write_text(self, name: str, text: str) -> None:
        """Write a text; names that are no valid Unicode keep their bytes."""
        write_bytes(self.file(name), text.encode("utf-8", "surrogateescape"))

    def write_json(self, name: str, value: Any) -> None:
        """Write plain values, indented."""
        self.write_text(name, json.dumps(value, indent=1, ensure_ascii=True, allow_nan=False) + "\n")

    def write_csv(self, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write a table."""
        self.write_text(name, csv_text(header, rows))

    def discard(self) -> None:
        """Take away what was written and made, so that nothing half-finished stays."""
        for name in self._written:
            (self.path / name).unlink(missing_ok=True)
        shutil.rmtree(self.path / "snapshots", ignore_errors=True)
        self.discarded = True
        for folder in reversed(self._made):
            try:
                folder.rmdir()
            except OSError:  # someone else uses it
                return


class NoFolder(RunFolder):
    """The folder of a run that another of several processes writes."""

    leads = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.again, self.discarded, self.keeps_model = False, False, True

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Need no lock."""
        yield

    def write_text(self, name: str, text: str) -> None:
        """Write nothing."""

    def discard(self) -> None:
        """Leave the folder to the process that writes it."""


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table as CSV."""
    buffer = io.StringIO()
    plain = csv.writer(buffer, lineterminator="\n")
    quoting = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in (header, *rows):
        # A carriage return in a file's name would end the row.
        (quoting if any(isinstance(cell, str) and "\r" in cell for cell in row) else plain).writerow(row)
    return buffer.getvalue()


def choose_folder(out: str | None, name: str) -> Path:
    """Return where a run goes: `out`, else the first of runs/<name>-1, -2, … that is not there."""
    if out is not None:
        if not out.strip():
            raise ArgumentError(message("--out", expected="a folder", got="an empty name"))
        return Path(out).expanduser()
    stem = run_name(name)
    number = 1
    while (path := Path("runs") / f"{stem}-{number}").exists():
        number += 1
    return path


def run_name(name: str) -> str:
    """Return how the folders of runs on data of a name begin."""
    return re.sub(r"[^\w.]+", "-", name).strip("-.") or "images"


def check_free(path: Path) -> None:
    """Raise unless a run may be written to `path`: new or empty, on a disk that takes files and has room."""
    if path.is_dir():
        names = sorted(entry.name for entry in path.iterdir() if not _is_left(entry.name))
        if CONFIG in names:
            got = "a folder that holds another run"
            do = f"Choose another --out; `neocog resume {path}` goes on with a run that did not end."
            raise ArgumentError(message(str(path), expected="a new or empty folder", got=got, do=do))
        if names:
            shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
            got, do = f"a folder that holds {shown}", "Choose another --out."
            raise ArgumentError(message(str(path), expected="a new or empty folder", got=got, do=do))
    elif path.exists():
        raise ArgumentError(message(str(path), expected="a folder for the run", got="a file"))
    there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not there.is_dir():
        raise ArgumentError(message(str(path), expected="a folder for the run", got=f"{there}, a file"))
    check_space(there, LEAST_FREE)
    try:
        handle, probe = tempfile.mkstemp(prefix=".neocog-", dir=there)
        os.close(handle)
        os.unlink(probe)
    except OSError as error:
        raise storage_error(path, error) from error


def _is_left(name: str) -> bool:
    """Whether a file is what a process left that died while it began a run."""
    return name == LOCK or (name.startswith(".") and name.endswith(".tmp"))


def check_space(folder: Path, wanted: int) -> None:
    """Raise unless `wanted` bytes are free where `folder` lies."""
    free = free_space(folder)
    if free is not None and free < wanted:  # else writing tells
        expected = f"{wanted / 2**20:.0f} MB of free disk space for the run"
        got, do = f"{free / 2**20:.0f} MB", "Free some space or choose another --out."
        raise StorageError(message(str(folder), expected=expected, got=got, do=do))


def free_space(folder: Path) -> int | None:
    """Return the free bytes where `folder` lies; None where they cannot be told."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def storage_error(path: Path, error: OSError) -> StorageError:
    """Return the error for a run's folder that cannot be written to."""
    got = (error.strerror or str(error)).lower()
    do = "Choose another --out."
    return StorageError(
        message(str(path), expected="a folder that the run can be written to", got=got, do=do)
    )
