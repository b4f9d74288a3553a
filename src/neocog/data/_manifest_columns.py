"""Which column of a manifest is what: file, label, part, group, weight, or a number to predict."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any

from neocog.data._manifest_table import Table
from neocog.exceptions import DataError, message, nearest

# Names in the order in which they are taken; compared without case, blanks, `_` and `-`.
_FILE = (
    *(
        "file",
        "filename",
        "filepath",
        "path",
        "image",
        "imagepath",
        "imagefile",
        "imagename",
        "imagefilename",
    ),
    *("img", "imgpath", "imgname", "photo", "파일", "파일명", "파일경로", "이미지", "경로", "imageid", "id"),
)
_LABEL = (
    *("label", "class", "category", "classname", "labelname", "categoryname"),
    *("라벨", "레이블", "클래스", "분류", "정답"),
)
_LABELS = ("labels", "classes", "categories", "tags")
_TARGET = ("target", "targets", "y", "value", "score")
_SPLIT = ("split", "part", "set", "subset", "partition", "분할", "구분")
_GROUP = (
    *("group", "groupid", "patient", "patientid", "subject", "subjectid", "person", "personid"),
    *("lesionid", "case", "caseid", "study", "studyid", "video", "videoid", "session", "sessionid", "scene"),
    *("그룹", "환자"),
)
_WEIGHT = ("weight", "sampleweight", "가중치")
# Numbers that say something about the file and nothing about what is in it.
_IGNORED = (
    *("id", "imageid", "index", "row", "width", "height", "size", "bytes", "channels", "fold", "url"),
    *("classindex", "classid", "labelid", "categoryid", "sha256", "md5", "hash", "license", "latitude"),
    *("longitude", "timestamp"),
)
_MANY_VALUES = 20  # different whole numbers in a column called target: more of them are no classes
_MOST_LABEL = 200  # characters
_NUMBER = re.compile(r"[-+]?(?:(?:\d{1,40}\.?\d{0,40}|\.\d{1,40})(?:e[-+]?\d{1,3})?|inf|nan)", re.I | re.A)
# What pandas calls the numbers of rows when it reads them back, or writes them to Parquet.
_NUMBER_OF_ROW = re.compile(r"unnamed:\d+|indexlevel\d+")
_DECIMAL_COMMA = re.compile(r"[-+]?\d{0,40},\d{1,40}(?:e[-+]?\d{1,3})?", re.I | re.A)
_LIKE_A_NUMBER = re.compile(r"[-+]?[\d.,']*\d[\d.,']*", re.A)  # 0,5 and 1,000.5
SEPARATORS = ("|", ";", ",")


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """What the columns are.

    Attributes:
        file: the column of paths.
        task: one of `TASKS`.
        values: the columns of the label, the labels (one, or one of 0 and 1 each), or the targets.
        one_hot: whether `values` are columns of 0 and 1.
        separator: between several labels in one cell; None where cells are lists or hold one.
        split, group, weight: columns, or None.
        unused: columns that say nothing here.
    """

    file: str
    task: str
    values: tuple[str, ...]
    one_hot: bool = False
    separator: str | None = None
    split: str | None = None
    group: str | None = None
    weight: str | None = None
    unused: tuple[str, ...] = ()


def find_roles(
    table: Table, task: str, label: str | None, group_by: str | None, *, by_column: bool = True
) -> Roles:
    """Decide what the columns are.

    Args:
        table: the manifest.
        task: one of `TASKS`, or `"auto"`.
        label: column, or several separated by commas, with what is to be learned; None looks for it.
        group_by: column whose value an image shares with its group; None looks for it.
        by_column: whether a column tells the groups at all; else `group_by` is a pattern on paths.

    Raises:
        DataError: no column of files or labels, or several readings; the columns that are there are named.
            Groups by the column that is to be learned.
    """
    where = str(table.path)
    file = _first(table, _FILE)
    if file is None:
        names = ", ".join(table.columns)
        expected, do = "a column of image files (file, path, image, filename)", "Rename it."
        raise DataError(message(where, expected=expected, got=f"the columns {names}", do=do))
    asked = None if label is None else _asked(table, label)
    group = _group_column(table, asked, group_by) if by_column else None
    found = Roles(
        file=file,
        task="single-label",
        values=(),
        split=_first(table, _SPLIT),
        group=group,
        weight=_first(table, _WEIGHT),
    )
    taken = {found.file, found.split, found.group, found.weight}
    free = [name for name in table.columns if name not in taken]
    roles = _by_values(table, found, task, asked if asked is not None else free, given=asked is not None)
    used = taken | set(roles.values)
    return replace(roles, unused=tuple(name for name in table.columns if name not in used))


def _group_column(table: Table, asked: list[str] | None, group_by: str | None) -> str | None:
    """Return the column of the groups, which is none that is to be learned."""
    learned = asked or [name for name in [_first(table, (*_LABEL, *_LABELS, *_TARGET))] if name is not None]
    if group_by is None:
        return _first(table, _GROUP, [name for name in table.columns if name not in learned])
    if group_by in learned:
        got = f"{group_by!r}, which is to be learned"
        do = "" if asked else "Name what is to be learned with --label."
        raise DataError(message("--group-by", expected="a column of groups", got=got, do=do))
    return group_by


def _by_values(table: Table, found: Roles, task: str, free: list[str], *, given: bool) -> Roles:
    """Find the columns of what is to be learned among `free`, and the task where it is `"auto"`."""
    if given:
        if len(free) > 1:
            return _several(table, found, task, free)
        return _one(table, found, task, free[0])
    for names in (_LABEL, _LABELS, _TARGET):
        column = _first(table, names, free)
        if column is None:
            continue
        targets = [name for name in free if _key(name).startswith("target")]
        if names is _TARGET and len(targets) > 1:
            return _several(table, found, task, targets)
        return _one(table, found, task, column)
    return _several(table, found, task, [name for name in free if _may_be_learned(table, name)])


def _may_be_learned(table: Table, column: str) -> bool:
    """Return whether a column that nobody named may hold what is to be learned."""
    key = _key(column)
    if key in _IGNORED or key in _GROUP or _NUMBER_OF_ROW.fullmatch(key):
        return False
    if column not in table.unnamed:
        return True
    values = [number(cell) for cell in table.cells(column)]
    whole = all(value is not None and value.is_integer() and value >= 0 for value in values)
    return not whole or len(set(values)) < len(values)  # each number once: the rows, as pandas and R write


def with_points(table: Table, task: str) -> Table:
    """Return a table whose decimal commas are points (0,5 becomes 0.5), where `;` stands between cells.

    A column changes where all of it are numbers then, and not where commas may stand between labels.
    """
    if not table.comma or task == "multi-label":
        return table
    rows = [list(row) for row in table.rows]
    for place, name in enumerate(table.columns):
        cells = [row[place] for row in rows if not is_empty(row[place])]
        written = [str(cell).strip() for cell in cells]
        if _key(name) in (*_FILE, *_LABELS) or not any(_DECIMAL_COMMA.fullmatch(cell) for cell in written):
            continue
        if all(number(cell) is not None or _DECIMAL_COMMA.fullmatch(cell) for cell in written):
            for row in rows:
                row[place] = str(row[place]).replace(",", ".")
    return replace(table, rows=rows)


def _check_target(table: Table, column: str) -> None:
    """Raise for a column called target of which a part are numbers: the others are no classes."""
    cells = list(zip(table.lines, table.cells(column), strict=True))
    words = [(line, cell) for line, cell in cells if not is_empty(cell) and number(cell) is None]
    like = [cell for _, cell in words if _LIKE_A_NUMBER.fullmatch(str(cell).strip())]
    values = [number(cell) for _, cell in cells]
    if words and (like or any(value is not None and math.isfinite(value) for value in values)):
        line, cell = words[0]
        where = f"{table.path}: line {line}"
        do = "Write them as 0.5 and 1000.5, or say --task regression or --task single-label."
        got = repr(str(cell)[:40])
        raise DataError(message(where, expected=f"a number in the column {column}", got=got, do=do))


def _one(table: Table, found: Roles, task: str, column: str) -> Roles:
    """One column: of classes, of several labels in a cell, or of numbers."""
    cells = [cell for cell in table.cells(column) if not is_empty(cell)]
    lists = any(isinstance(cell, list) for cell in cells)
    key = _key(column)
    if task == "auto":
        if key in _TARGET and not lists and not _all_numbers(cells):
            _check_target(table, column)
        if lists:
            task = "multi-label"
        elif _all_numbers(cells):
            task = "regression" if _are_measures(cells, key in _TARGET) else "single-label"
        else:
            marks = SEPARATORS if key in _LABELS else SEPARATORS[:2]
            several = any(mark in str(cell) for cell in cells for mark in marks)
            task = "multi-label" if several else "single-label"
    separator = None
    if task == "multi-label" and not lists:
        separator = next((mark for mark in SEPARATORS if any(mark in str(cell) for cell in cells)), "|")
    return replace(found, task=task, values=(column,), separator=separator)


def _several(table: Table, found: Roles, task: str, free: list[str]) -> Roles:
    """Columns that are named by nobody: of 0 and 1 for classes, or of numbers."""
    numeric = [name for name in free if _all_numbers([c for c in table.cells(name) if not is_empty(c)])]
    binary = [name for name in numeric if all(_bit(cell) is not None for cell in table.cells(name))]
    where = str(table.path)
    if task in ("single-label", "multi-label"):
        numeric = binary
    if not numeric:
        names = ", ".join(table.columns)
        expected = (
            "a column of labels (label, class, category), 0/1 columns of classes, or columns of numbers"
        )
        do = "Rename it, or name it with --label."
        raise DataError(message(where, expected=expected, got=f"the columns {names}", do=do))
    if binary and task != "regression":
        if len(binary) != len(numeric):
            others = ", ".join(name for name in numeric if name not in binary)
            do = "Say which to learn: --label, with commas between the columns."
            got = f"both ({', '.join(binary[:5])}; {others})"
            raise DataError(message(where, expected="0/1 columns of classes or numbers", got=got, do=do))
        if len(binary) == 1:
            return replace(found, task="single-label", values=(binary[0],))
        sums = {sum(_bit(row[table.columns.index(name)]) or 0 for name in binary) for row in table.rows}
        if task == "auto":
            task = "single-label" if sums == {1} else "multi-label"
        if task == "single-label" and sums != {1}:
            got = f"rows with {min(sums - {1})} of {len(binary)}"
            do = "Use --task multi-label."
            raise DataError(message(where, expected="one class a row (--task single-label)", got=got, do=do))
        return replace(found, task=task, values=tuple(binary), one_hot=True)
    return replace(found, task="regression", values=tuple(numeric))


def _asked(table: Table, label: str) -> list[str]:
    # A comma may belong to the name of one column.
    names = [label] if label in table.columns else [name.strip() for name in label.split(",")]
    for name in names:
        check_column(table, name, "--label")
    return names


def check_column(table: Table, name: str, option: str) -> None:
    """Raise unless the manifest has the column."""
    if name in table.columns:
        return
    close = nearest(name, table.columns)
    do = f"Did you mean {close[0]!r}?" if close else f"It has {', '.join(table.columns)}."
    raise DataError(message(str(table.path), expected=f"a column {name!r} ({option})", got="none", do=do))


def is_empty(cell: Any) -> bool:
    """Return whether a cell holds nothing; an empty list is a value."""
    return (
        cell is None
        or (isinstance(cell, str) and not cell.strip())
        or (isinstance(cell, float) and math.isnan(cell))
    )


def number(cell: Any) -> float | None:
    """Return a cell as a number, NaN and infinity included, or None where it is none."""
    if isinstance(cell, (int, float)):
        try:
            return float(cell)
        except OverflowError:
            return None
    return float(cell) if isinstance(cell, str) and _NUMBER.fullmatch(cell.strip()) else None


def label_text(cell: Any) -> str:
    """Return a label as it is shown: whole numbers without a fraction."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def label_fault(text: str) -> str | None:
    """Return what is wrong with a label, or None."""
    if len(text) > _MOST_LABEL:
        return f"a label of {len(text):,} characters"
    return None


def _bit(cell: Any) -> int | None:
    value = {"true": 1.0, "false": 0.0}.get(str(cell).strip().lower(), number(cell))
    return int(value) if value in (0.0, 1.0) else None


def is_one(cell: Any) -> bool:
    """Return whether a cell of a 0/1 column is 1."""
    return _bit(cell) == 1


def _all_numbers(cells: list[Any]) -> bool:
    return bool(cells) and all(number(cell) is not None or isinstance(cell, bool) or _bit(cell) is not None
                               for cell in cells)  # fmt: skip


def _are_measures(cells: list[Any], called_target: bool) -> bool:
    """Return whether numbers are measured rather than numbers of classes."""
    values = {number(cell) for cell in cells}
    finite = {value for value in values if value is not None and math.isfinite(value)}
    return any(not value.is_integer() for value in finite) or (called_target and len(finite) > _MANY_VALUES)


def _first(table: Table, names: tuple[str, ...], among: list[str] | None = None) -> str | None:
    keys = {_key(column): column for column in (table.columns if among is None else among)}
    return next((keys[name] for name in names if name in keys), None)


def _key(column: str) -> str:
    return re.sub(r"[\s_\-.]+", "", column).lower()
