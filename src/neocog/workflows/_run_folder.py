"""The folder of a run: claimed before training, filled file by file, each whole or not there."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from neocog.core import write_bytes, write_text
from neocog.exceptions import ArgumentError, StorageError, message

CONFIG, METRICS, HISTORY = "config.json", "metrics.json", "history.csv"
SPLIT, PREDICTIONS, PLAN = "split.csv", "predictions.csv", "plan.txt"
CURVES, CONFUSION, REPORT = "curves.png", "confusion.png", "report.html"
SCATTER = "predictions.png"
MODEL_CONFIG, MODEL_WEIGHTS = "model.json", "model.safetensors"  # the names that `neocog.files` gives

LEAST_FREE = 50 * 2**20  # bytes that a run may take besides its model


class RunFolder:
    """A run's folder while it is written.

    Args:
        path: the folder; it must be new or empty.

    Raises:
        ArgumentError: it holds another run or other files, or is a file.
        StorageError: read-only or full disk, missing permission.
    """

    def __init__(self, path: Path) -> None:
        check_free(path)
        self.path = path
        self._made: list[Path] = []
        self._written: set[str] = set()
        self.keeps_model = False  # whether the model is saved: from then on the run stays
        try:
            missing = [folder for folder in (path, *path.parents) if not folder.exists()]
            for folder in reversed(missing):
                folder.mkdir(exist_ok=True)
                self._made.append(folder)
        except OSError as error:
            self.discard()
            raise storage_error(path, error) from error

    def file(self, name: str) -> Path:
        """Return the path of a file that is about to be written; `discard` takes it away again."""
        self._written.add(name)
        return self.path / name

    def write_text(self, name: str, text: str) -> None:
        """Write a text; names that are no valid Unicode keep their bytes."""
        write_bytes(self.file(name), text.encode("utf-8", "surrogateescape"))

    def write_json(self, name: str, value: Any) -> None:
        """Write plain values, indented."""
        write_text(self.file(name), json.dumps(value, indent=1, ensure_ascii=True, allow_nan=False) + "\n")

    def write_csv(self, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write a table."""
        self.write_text(name, csv_text(header, rows))

    def discard(self) -> None:
        """Take away what was written and made, so that nothing half-finished stays."""
        for name in self._written:
            (self.path / name).unlink(missing_ok=True)
        for folder in reversed(self._made):
            try:
                folder.rmdir()
            except OSError:  # someone else uses it
                return


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
    stem = re.sub(r"[^\w.]+", "-", name).strip("-.") or "images"
    number = 1
    while (path := Path("runs") / f"{stem}-{number}").exists():
        number += 1
    return path


def check_free(path: Path) -> None:
    """Raise unless a run may be written to `path`: new or empty, on a disk that takes files and has room."""
    if path.is_dir():
        names = sorted(entry.name for entry in path.iterdir())
        if CONFIG in names and (MODEL_CONFIG in names or HISTORY in names or SPLIT in names):
            got, do = "a folder that holds another run", "Choose another --out, or move the old run away."
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


def check_space(folder: Path, wanted: int) -> None:
    """Raise unless `wanted` bytes are free where `folder` lies."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return  # cannot be told here; writing tells
    if free < wanted:
        expected = f"{wanted / 2**20:.0f} MB of free disk space for the run"
        got, do = f"{free / 2**20:.0f} MB", "Free some space or choose another --out."
        raise StorageError(message(str(folder), expected=expected, got=got, do=do))


def storage_error(path: Path, error: OSError) -> StorageError:
    """Return the error for a run's folder that cannot be written to."""
    got = (error.strerror or str(error)).lower()
    do = "Choose another --out."
    return StorageError(
        message(str(path), expected="a folder that the run can be written to", got=got, do=do)
    )
