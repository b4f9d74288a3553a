"""Whether the data of a run are still those that it began with."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neocog.exceptions import DataError, FileFormatError, message
from neocog.workflows._csv_cells import unguarded
from neocog.workflows._data import ImageData
from neocog.workflows._run_folder import SPLIT

Row = tuple[str, str, str, str]  # file, class, part, SHA-256: as in split.csv
_MOST_SHOWN = 5
_DO = "Put the data back as they were and resume again, or train anew into another --out."


def fingerprint(data: ImageData, rows: Sequence[Row]) -> str:
    """Return a checksum of what a training sees of its data: rows, weights, how images are read."""
    weights = {
        name: np.asarray(found, dtype=np.float64).tolist()
        for name, part in data.parts.items()
        if (found := getattr(part.source, "sample_weights", None)) is not None
    }
    info = data.info
    reading = [info.kind, list(info.class_names), list(info.image_size), info.color_mode, info.task]
    text = json.dumps([rows, weights, reading], ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def kept_rows(folder: Path) -> list[Row] | None:
    """Return the rows of a run's split as they are written; None where it was not yet written."""
    path = folder / SPLIT
    if not path.is_file():
        return None
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    rows = [tuple(row) for row in csv.reader(io.StringIO(text))]
    if not rows or any(len(row) != 4 for row in rows):
        raise FileFormatError(
            message(str(path), expected="the columns file, class, part, sha256", got="others", do=_DO)
        )
    return [(row[0], row[1], row[2], row[3]) for row in rows[1:]]


def check_there(folder: Path, config: Mapping[str, Any]) -> None:
    """Raise where files of a run are gone: known at once, before any is read.

    Raises:
        DataError: files are gone.
    """
    data = config.get("data")
    rows = kept_rows(folder)
    if rows is None or not isinstance(data, dict) or data.get("kind") != "folder":
        return
    root = Path(str(data.get("root")))
    gone = [row[0] for row in rows if not (root / _named(row[0])).is_file()]
    if gone:
        raise changed_error(folder, {"gone": gone})


def check_same(folder: Path, rows: Sequence[Row], now: str, config: Mapping[str, Any]) -> None:
    """Raise where the data are other ones than those that a run began with.

    Args:
        folder: of the run.
        rows: of the split, now.
        now: the data's fingerprint.
        config: of the run.

    Raises:
        DataError: files are gone, changed or new.
    """
    kept = kept_rows(folder)
    if kept is None:
        return
    then = {row[0]: row for row in kept}
    found = {row[0]: row for row in rows}
    gone = [name for name in then if name not in found]
    new = [name for name in found if name not in then]
    both = [name for name in then if name in found]
    changed = [name for name in both if then[name][3] != found[name][3]]
    labels = [name for name in both if then[name][1] != found[name][1]]
    parts = [name for name in both if then[name][2] != found[name][2]]
    if gone or new or changed or labels:
        raise changed_error(
            folder,
            {"gone or unreadable": gone, "changed": changed, "of another class": labels, "new": new},
        )
    if parts:
        raise changed_error(folder, {"in another part": parts})
    if config.get("fingerprint") not in (None, now):
        raise changed_error(folder, {"read in another way": [str(config.get("asked", {}).get("data"))]})


def changed_error(folder: Path, kinds: Mapping[str, Sequence[str]]) -> DataError:
    """Return the error that names the files, by what became of them."""
    found = [(kind, names) for kind, names in kinds.items() if names]
    texts = []
    for kind, names in found:
        shown = ", ".join(_named(name) for name in names[:_MOST_SHOWN])
        more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
        texts.append(f"{len(names)} {kind} ({shown}{more})")
    return DataError(
        message(str(folder), expected="the data that the run began with", got="; ".join(texts), do=_DO)
    )


def _named(file: str) -> str:
    return unguarded(file).removeprefix("./")
