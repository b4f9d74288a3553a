"""A manifest file as a table: CSV, TSV, JSON lines or Parquet; every fault named with its line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neocog.core import optional_import
from neocog.data._image_files import SUFFIXES
from neocog.exceptions import DataError, message

MANIFEST_SUFFIXES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".parquet", ".pq")
_MOST_BYTES = 2**30
_MOST_CELL = 100_000  # characters of one cell; a quote that is never closed swallows the rest of the file
_DELIMITERS = (",", "\t", ";", "|")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A manifest's cells.

    Attributes:
        path: of the manifest.
        columns: their names.
        rows: cells in the order of the columns: text, numbers, bool, None, or lists of them (JSON, Parquet).
        lines: line of each row in the file, from 1; number of the row in Parquet.
        headless: whether the first line held data, so that the names are made up.
        unnamed: columns without a name in the first line, by the name that they got.
        comma: whether `;` stands between the cells, so that a comma may stand in a number (0,5).
        notes: what the user should know, as sentences.
    """

    path: Path
    columns: tuple[str, ...]
    rows: list[list[Any]]
    lines: list[int]
    headless: bool = False
    unnamed: frozenset[str] = frozenset()
    comma: bool = False
    notes: tuple[str, ...] = ()

    def cells(self, column: str) -> list[Any]:
        """Return a column."""
        place = self.columns.index(column)
        return [row[place] for row in self.rows]


def read_table(path: Path) -> Table:
    """Read a manifest.

    Raises:
        DataError: no rows, a text that is neither UTF-8 nor cp949, broken quotes or JSON, a row of another
            length, two columns of one name.
        MissingExtraError: Parquet without pyarrow.
    """
    suffix = path.suffix.lower()
    if suffix in (".parquet", ".pq"):
        table = _parquet(path)
    else:
        text, notes = _decoded(path)
        table = (_json_lines if suffix in (".jsonl", ".ndjson") else _delimited)(path, text, notes)
    if not table.rows:
        got = "no rows" if table.columns else "an empty file"
        raise DataError(message(str(path), expected="a row for each image", got=got))
    return table


def _decoded(path: Path) -> tuple[str, tuple[str, ...]]:
    if path.stat().st_size > _MOST_BYTES:
        got = f"{path.stat().st_size / 2**30:.1f} GB"
        raise DataError(message(str(path), expected="a manifest of at most 1 GB", got=got, do="Split it."))
    data = path.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        codings: tuple[str, ...] = ("utf-16",)
    else:
        codings = ("utf-8-sig", "cp949")
    for coding in codings:
        try:
            text = data.decode(coding)
        except UnicodeDecodeError as error:
            at = error.start
            continue
        if "\0" in text:
            raise DataError(message(str(path), expected="a text file", got="a file with zero bytes"))
        return text, (f"{path.name} was read as cp949 (Korean)",) if coding == "cp949" else ()
    line = data.count(b"\n", 0, at) + 1
    got, do = f"other bytes in line {line}", "Save it as UTF-8."
    raise DataError(message(str(path), expected="text as UTF-8 (or cp949)", got=got, do=do))


def _delimited(path: Path, text: str, notes: tuple[str, ...]) -> Table:
    rows: list[list[Any]] = []
    lines: list[int] = []
    delimiter = _delimiter(path, text)
    for line, cells in _csv_rows(path, text, delimiter):
        rows.append(list(cells))
        lines.append(line)
    if not rows:
        return Table(path=path, columns=(), rows=[], lines=[])
    first = [cell.strip() for cell in rows[0]]
    headless = any(cell.lower().endswith(SUFFIXES) for cell in first)
    columns = _made_up(path, first) if headless else _names(path, first)
    if not headless:
        rows, lines = rows[1:], lines[1:]
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(columns):
            expected, got = f"{len(columns)} cells, as in the first line", str(len(row))
            do = "Put cells that hold the separator into quotes."
            raise DataError(message(f"{path}: line {line}", expected=expected, got=got, do=do))
    return Table(
        path=path,
        columns=columns,
        rows=rows,
        lines=lines,
        headless=headless,
        unnamed=frozenset(() if headless else (columns[i] for i, cell in enumerate(first) if not cell)),
        comma=delimiter == ";",
        notes=notes,
    )


def _csv_rows(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Give (line of its beginning, cells) of each row that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    before = 0
    try:
        for row in reader:
            for cell in row:
                if len(cell) > _MOST_CELL:
                    raise _huge(path, before + 1)
            if any(cell.strip() for cell in row):
                yield before + 1, row
            before = reader.line_num
    except csv.Error as error:
        if "field larger" in str(error):
            raise _huge(path, before + 1) from error
        got = f"{error}".replace("'", '"')
        do = "A quote that belongs to a text is doubled inside quotes."
        expected = "whole cells, in quotes where they hold the separator"
        raise DataError(message(f"{path}: line {before + 1}", expected=expected, got=got, do=do)) from error


def _huge(path: Path, line: int) -> DataError:
    expected = f"cells of at most {_MOST_CELL:,} characters"
    do = "Look for a quote that is not closed."
    return DataError(message(f"{path}: line {line}", expected=expected, got="a larger one", do=do))


def _delimiter(path: Path, text: str) -> str:
    """Return the tab of a TSV, else the character that the first line holds most of, outside quotes."""
    if path.suffix.lower() in (".tsv", ".tab"):
        return "\t"
    first = next((line for line in text[:_MOST_CELL].splitlines() if line.strip()), "")
    bare = "".join(first.split('"')[::2])
    return max(_DELIMITERS, key=bare.count) if any(mark in bare for mark in _DELIMITERS) else ","


def _names(path: Path, cells: list[str]) -> tuple[str, ...]:
    twice = next((name for name in cells if name and cells.count(name) > 1), None)
    if twice is not None:
        raise DataError(message(str(path), expected="columns of different names", got=f"{twice!r} twice"))
    return tuple(name or f"column {place}" for place, name in enumerate(cells, 1))


def _made_up(path: Path, cells: list[str]) -> tuple[str, ...]:
    """Name the columns of a manifest without a line of names: one file and one label."""
    files = [place for place, cell in enumerate(cells) if cell.lower().endswith(SUFFIXES)]
    if len(cells) != 2 or len(files) != 1:
        got = f"{len(cells)} cells, of which {len(files)} name an image"
        do = "Write a first line such as: file,label"
        raise DataError(message(f"{path}: line 1", expected="the names of the columns", got=got, do=do))
    return ("file", "label") if files == [0] else ("label", "file")


def _json_lines(path: Path, text: str, notes: tuple[str, ...]) -> Table:
    records: list[dict[str, Any]] = []
    lines: list[int] = []
    for line, written in enumerate(text.split("\n"), 1):
        if not written.strip():
            continue
        try:
            record = json.loads(written)
        except (ValueError, RecursionError) as error:
            got = f"{written.strip()[:60]!r}"
            do = "The whole file as one list is not read: write one object a line."
            raise DataError(
                message(f"{path}: line {line}", expected="one JSON object", got=got, do=do)
            ) from error
        if not isinstance(record, dict):
            got = f"a {type(record).__name__}"
            raise DataError(message(f"{path}: line {line}", expected="one JSON object", got=got))
        records.append(record)
        lines.append(line)
    return _from_records(path, records, lines, notes)


def _parquet(path: Path) -> Table:
    parquet = optional_import("pyarrow.parquet", extra="parquet", what=f"{path}: a Parquet manifest")
    try:
        arrow = parquet.read_table(path)
        names = [str(name) for name in arrow.column_names]
        columns = [column.to_pylist() for column in arrow.columns]
    except Exception as error:  # pyarrow has many, not all of them its own
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise DataError(message(str(path), expected="a whole Parquet file", got=reason)) from error
    rows = [[_plain(cell) for cell in row] for row in zip(*columns, strict=True)]
    return Table(path=path, columns=_names(path, names), rows=rows, lines=list(range(1, len(rows) + 1)))


def _from_records(
    path: Path, records: list[dict[str, Any]], lines: list[int], notes: tuple[str, ...]
) -> Table:
    columns = tuple(dict.fromkeys(key for record in records for key in record))
    rows = [[_plain(record.get(name)) for name in columns] for record in records]
    return Table(path=path, columns=columns, rows=rows, lines=lines, notes=notes)


def _plain(value: Any) -> Any:
    """Return a cell as text, number, bool, None or a list of these; what is none of them as its text."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        plain = (str, bool, int, float)
        return [item if item is None or isinstance(item, plain) else str(item) for item in value]
    if isinstance(value, dict) and isinstance(value.get("path"), str):  # an image as Hugging Face keeps it
        return value["path"]
    return str(value)[:_MOST_CELL]
