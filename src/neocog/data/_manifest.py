"""A manifest of images: a table of files with their labels, parts, groups or numbers."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neocog.data._folder import check_part_classes
from neocog.data._groups import group_files, group_pattern
from neocog.data._manifest_columns import (
    Roles,
    check_column,
    find_roles,
    is_empty,
    is_one,
    label_fault,
    number,
    with_points,
)
from neocog.data._manifest_columns import label_text as _text
from neocog.data._manifest_paths import PathFinder
from neocog.data._manifest_table import Table, read_table
from neocog.data._scan import SPLIT_NAMES, BrokenFile, FolderScan, ImageFile, Progress, checked_files
from neocog.exceptions import DataError, message

_NOTHING = ("nan", "null", "<na>")


@dataclass(slots=True)
class _Row:
    """One image of the manifest: its value is (label,), labels, or numbers."""

    path: str
    line: int
    value: tuple[Any, ...]
    split: str | None
    group: str | None
    weight: float


@dataclass(slots=True)
class _Rows:
    """The rows that can be used so far, what is wrong with the others, and what to say of them."""

    good: dict[str, _Row] = field(default_factory=dict)
    broken: list[BrokenFile] = field(default_factory=list)
    faulty: set[str] = field(default_factory=set)
    repeated: int = 0
    conflicts: int = 0


def scan_manifest(
    path: Path,
    *,
    task: str = "auto",
    label: str | None = None,
    images: Path | None = None,
    group_by: str | None = None,
    check: str = "header",
    workers: int = 8,
    progress: Progress | None = None,
) -> FolderScan:
    """Read a manifest and look at its images; see `scan_images` for the arguments.

    Raises:
        DataError: a manifest or columns that cannot be read, paths that leave the root, no usable row, one
            class only, a class that the training part lacks. Rows that cannot be used are listed in `broken`.
    """
    table = with_points(read_table(path), task)
    root = path.parent if images is None else images
    if not root.is_dir():
        raise DataError(message(str(root), expected="the folder of the images (--images)", got="none"))
    pattern = group_pattern(group_by, table.columns)
    if group_by is not None and pattern is None:
        check_column(table, group_by, "--group-by")
    roles = find_roles(table, task, label, group_by, by_column=pattern is None)
    rows = _read_rows(table, roles, PathFinder(path, root))
    if not rows.good:
        raise _nothing_usable(path, root, rows)
    names = _class_names(roles, rows.good.values())
    files = [_image(row, roles, names) for row in rows.good.values()]
    if pattern is not None:
        files = group_files(files, pattern, str(group_by))
    files, unreadable = checked_files(root, files, check, workers, progress)
    scan = FolderScan(
        root=root,
        layout="manifest",
        class_names=names,
        files=tuple(files),
        broken=(*rows.broken, *unreadable),
        task=roles.task,
        notes=(*table.notes, *_notes(table, roles, rows, names, group_by)),
    )
    _check(scan, path)
    return scan


def _read_rows(table: Table, roles: Roles, finder: PathFinder) -> _Rows:
    places = {name: place for place, name in enumerate(table.columns)}
    rows = _Rows()
    for line, cells in zip(table.lines, table.rows, strict=True):
        written = cells[places[roles.file]]
        if is_empty(written) or not isinstance(written, (str, int)):
            rows.broken.append(BrokenFile(path=f"line {line}", reason="no file name"))
            continue
        path, fault = finder.find(str(written), line)
        try:
            if fault is not None:
                raise _RowError(fault)
            row = _Row(
                path=path,
                line=line,
                value=_value(table, roles, [cells[places[name]] for name in roles.values]),
                split=_split(table, cells[places[roles.split]], line) if roles.split else None,
                group=_group(cells[places[roles.group]]) if roles.group else None,
                weight=_weight(cells[places[roles.weight]]) if roles.weight else 1.0,
            )
        except _RowError as error:
            rows.broken.append(BrokenFile(path=path, reason=f"{error} (line {line})"))
        else:
            _add(rows, row, roles)
    return rows


class _RowError(Exception):
    """A row that cannot be used, in a few words."""


def _value(table: Table, roles: Roles, cells: list[Any]) -> tuple[Any, ...]:
    """Return (label,), labels, or numbers."""
    if roles.one_hot:
        return tuple(name for name, cell in zip(roles.values, cells, strict=True) if is_one(cell))
    if roles.task == "regression":
        return tuple(_finite(name, cell) for name, cell in zip(roles.values, cells, strict=True))
    cell = cells[0]
    parts: list[Any] = cell if isinstance(cell, list) else [cell]
    if roles.task == "multi-label" and roles.separator and isinstance(cell, str):
        parts = cell.split(roles.separator)
    labels = tuple(dict.fromkeys(_label(part) for part in parts if not _is_missing(part)))
    if roles.task == "single-label" and len(labels) != 1:
        raise _RowError(f"{len(labels)} labels" if labels else "no label")
    return labels


def _is_missing(cell: Any) -> bool:
    return is_empty(cell) or str(cell).strip().lower() in _NOTHING


def _label(cell: Any) -> str:
    text = unicodedata.normalize("NFC", _text(cell))
    fault = label_fault(text)
    if fault is not None:
        raise _RowError(fault)
    return text


def _finite(name: str, cell: Any) -> float:
    if is_empty(cell):
        raise _RowError(f"no value of {name!r}")
    value = number(cell)
    if value is None or not math.isfinite(value) or abs(value) > 1e30:
        raise _RowError(f"{str(cell)[:40]!r} as {name!r}")
    return value


def _split(table: Table, cell: Any, line: int) -> str:
    """Return the part; a row without one is trained on."""
    if is_empty(cell):
        return "train"
    part = SPLIT_NAMES.get(str(cell).strip().lower())
    if part is None:
        where = f"{table.path}: line {line}"
        raise DataError(message(where, expected="train, validation or test", got=repr(str(cell)[:40])))
    return part


def _group(cell: Any) -> str | None:
    return None if is_empty(cell) else _text(cell)


def _weight(cell: Any) -> float:
    value = 1.0 if is_empty(cell) else number(cell)
    if value is None or not 0 <= value < math.inf:
        raise _RowError(f"{str(cell)[:40]!r} as weight")
    return value


def _add(rows: _Rows, row: _Row, roles: Roles) -> None:
    """Take a row; the same image again must say the same."""
    known = rows.good.get(row.path)
    if row.path in rows.faulty:
        return
    if known is None:
        rows.good[row.path] = row
        return
    if known.group is None:
        known.group = row.group
    same_place = known.split == row.split and row.group in (known.group, None)
    if same_place and known.value == row.value:
        rows.repeated += 1
        return
    if same_place and roles.task == "multi-label" and not roles.one_hot:
        known.value = tuple(dict.fromkeys((*known.value, *row.value)))  # one row a label
        return
    if known.split != row.split:
        what = f"in two parts: {known.split} (line {known.line}), {row.split} (line {row.line})"
    elif not same_place:
        what = f"in two groups: {known.group} (line {known.line}), {row.group} (line {row.line})"
    else:
        first, second = (", ".join(map(str, item.value)) or "none" for item in (known, row))
        what = f"two labels: {first} (line {known.line}), {second} (line {row.line})"
        rows.conflicts += 1
    del rows.good[row.path]
    rows.faulty.add(row.path)
    rows.broken.append(BrokenFile(path=row.path, reason=what))


def _class_names(roles: Roles, rows: Iterable[_Row]) -> tuple[str, ...]:
    if roles.task == "regression":
        return roles.values
    if roles.one_hot and roles.task == "multi-label":
        return roles.values
    names = {name for row in rows for name in row.value}
    if all(name.isdecimal() and name.isascii() and len(name) < 16 for name in names):
        return tuple(sorted(names, key=int))
    return tuple(sorted(names))


def _image(row: _Row, roles: Roles, names: tuple[str, ...]) -> ImageFile:
    place = {name: index for index, name in enumerate(names)}
    common: dict[str, Any] = {
        "path": row.path,
        "split": row.split,
        "group": row.group,
        "weight": row.weight,
    }
    if roles.task == "single-label":
        return ImageFile(label=place[row.value[0]], **common)
    if roles.task == "multi-label":
        return ImageFile(labels=tuple(sorted(place[name] for name in row.value)), **common)
    return ImageFile(targets=row.value, **common)


def _notes(
    table: Table, roles: Roles, rows: _Rows, names: tuple[str, ...], group_by: str | None
) -> list[str]:
    """Say how the columns were read, and what was odd."""
    groups = f"paths as {group_by}" if group_by is not None and roles.group is None else roles.group
    columns = ", ".join(roles.values[:6]) + (", …" if len(roles.values) > 6 else "")
    what = {
        "single-label": f"{len(names)} classes from {columns}",
        "multi-label": f"several labels an image, {len(names)} in all, from {columns}",
        "regression": f"numbers from {columns}",
    }[roles.task]
    more = [f"{title} from {name}" for title, name in (("parts", roles.split), ("groups", groups),
                                                       ("weights", roles.weight)) if name]  # fmt: skip
    if roles.unused:
        shown = ", ".join(roles.unused[:6]) + (", …" if len(roles.unused) > 6 else "")
        more.append(f"not used: {shown}")
    notes = [f"{table.path.name}: {'; '.join([what, *more])}"]
    if rows.repeated:
        count = "1 row repeats" if rows.repeated == 1 else f"{rows.repeated} rows repeat"
        notes.append(f"{count} an image with the same label: taken once")
    if rows.conflicts and roles.task == "single-label":
        notes.append("images have different labels in different rows: --task multi-label takes all of them")
    alike: dict[str, str] = {}
    for name in names if roles.task != "regression" else ():
        other = alike.setdefault(name.casefold(), name)
        if other != name:
            notes.append(f"the classes {other!r} and {name!r} differ in capital letters only")
    return notes


def _nothing_usable(path: Path, root: Path, rows: _Rows) -> DataError:
    first = rows.broken[0]
    missing = sum("no such file" in item.reason for item in rows.broken)
    got = f"none ({len(rows.broken)} rows; the first: {first.path}: {first.reason})"
    do = "Name the folder that they lie in with --images." if missing else ""
    return DataError(message(str(path), expected=f"images with labels below {root}", got=got, do=do))


def _unread(scan: FolderScan) -> str:
    """Return the images that could not be read, as an addition to what was got."""
    if not scan.broken:
        return ""
    first, more = scan.broken[0], len(scan.broken) - 1
    others = f", and {more} more" if more else ""
    return f" (not read: {first.path}: {first.reason}{others})"


def _check(scan: FolderScan, path: Path) -> None:
    where = str(path)
    if not scan.files:
        first = scan.broken[-1]
        got = f"{len(scan.broken)} that cannot be read; {first.path}: {first.reason}"
        raise DataError(message(where, expected="images that can be read", got=got))
    if scan.splits and "train" not in scan.splits:
        got = f"{' and '.join(scan.splits)} only"
        raise DataError(message(where, expected="images of the part train", got=got))
    if scan.task == "regression":
        return
    if scan.task == "multi-label":
        if not any(scan.counts().values()):
            raise DataError(message(where, expected="images with labels", got="no label on any image"))
        return
    if len(scan.class_names) < 2:
        got = f"only {scan.class_names[0]!r}{_unread(scan)}"
        raise DataError(message(where, expected="at least 2 classes", got=got))
    empty = next((name for name, count in scan.counts().items() if not count), None)
    if empty is not None:
        raise DataError(
            message(where, expected=f"images of class {empty!r} that can be read", got="broken files only")
        )
    check_part_classes(scan)
