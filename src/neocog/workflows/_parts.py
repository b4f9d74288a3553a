"""Which image belongs to which part."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neocog.data import (
    FolderScan,
    ImageFile,
    file_sha256,
    grouped_split,
    multilabel_split,
    ordered_map,
    quantile_split,
    stratified_split,
)
from neocog.exceptions import DataError, message
from neocog.workflows._csv_cells import unguarded
from neocog.workflows._data import PARTS, Part
from neocog.workflows._events import Reading, Reporter, silent
from neocog.workflows._task import MULTI, REGRESSION, SINGLE

# The split is the same for every run on the same files, whatever its seed, so that runs can be compared.
SPLIT_SEED = 0
SHARE = 0.15  # of the images, for validation and for test

Files = dict[str, tuple[ImageFile, ...]]


def split_files(scan: FolderScan) -> Files:
    """Return the files of train, validation and test.

    What is not in parts is split 70 / 15 / 15: by class, by labels or by ranges of numbers, and whole groups
    where there are groups. Parts that are given stay; a part that is lacking is taken from train, 15 % of it.

    Raises:
        DataError: a class has fewer images than the split needs.
    """
    given: Files = {part: scan.of_split(part) for part in ("validation", "test") if part in scan.splits}
    rest = list(scan.of_split("train")) if scan.splits else list(scan.files)
    missing = [part for part in ("validation", "test") if part not in given]
    shares = (1 - SHARE * len(missing), *(SHARE for _ in missing))
    positions = _positions(scan, rest, shares)
    taken: Files = {
        part: tuple(rest[i] for i in indices)
        for part, indices in zip(("train", *missing), positions, strict=True)
    }
    found: Files = {**given, **taken}
    return {part: found[part] for part in PARTS}


def _positions(scan: FolderScan, files: Sequence[ImageFile], shares: tuple[float, ...]) -> list[list[int]]:
    labels = label_array(files, scan.task, len(scan.class_names))
    if len(shares) == 1:
        return [list(range(len(files)))]
    if any(file.group is not None for file in files):
        if scan.task == SINGLE:  # a class of fewer images than parts is an error, grouped or not
            stratified_split(labels, shares, SPLIT_SEED, class_names=scan.class_names)
        groups = [file.group for file in files]
        found = grouped_split(labels, groups, shares, SPLIT_SEED, task=scan.task)
    elif scan.task == MULTI:
        found = multilabel_split(labels, shares, SPLIT_SEED)
    elif scan.task == REGRESSION:
        found = quantile_split(labels, shares, SPLIT_SEED)
    else:
        found = stratified_split(labels, shares, SPLIT_SEED, class_names=scan.class_names)
    return [part.tolist() for part in found]


def label_array(files: Sequence[ImageFile], task: str, classes: int) -> np.ndarray[Any, np.dtype[Any]]:
    """Return what is to be learned of files: class numbers, 0 and 1 (files, labels), or numbers."""
    if task == SINGLE:
        return np.array([file.label for file in files], dtype=np.int64)
    if task == REGRESSION:
        return np.array([file.targets for file in files], dtype=np.float64).reshape(len(files), classes)
    matrix = np.zeros((len(files), classes), dtype=np.uint8)
    for row, file in enumerate(files):
        matrix[row, list(file.labels)] = 1
    return matrix


def split_like(scan: FolderScan, path: Path, report: Reporter = silent) -> tuple[Files, list[str]]:
    """Return the files in the parts of an earlier run's `split.csv`, found by content whatever their names.

    Args:
        scan: images.
        path: the `split.csv`, or the run's folder.
        report: told how many files are compared.

    Returns:
        The parts, and what the user should know. Images that the earlier run did not have are trained on.

    Raises:
        DataError: no such table, no image of it here, a part that would be empty.
    """
    table = path / "split.csv" if path.is_dir() else path
    part_of = _read_split(table)
    total = len(scan.files)
    sums: list[str] = []
    for found in ordered_map(
        lambda file: file_sha256(Path(scan.absolute(file))), scan.files, workers=4, depth=64
    ):
        sums.append(found)
        report(Reading(done=len(sums), total=total))
    parts: dict[str, list[ImageFile]] = defaultdict(list)
    new = 0
    for file, sha256 in zip(scan.files, sums, strict=True):
        new += sha256 not in part_of
        parts[part_of.get(sha256, "train")].append(file)
    if new == total:
        expected = "images of the earlier run (the same content, under any name)"
        raise DataError(message(str(table), expected=expected, got=f"none of them below {scan.root}"))
    empty = [part for part in PARTS if not parts[part]]
    if empty:
        raise DataError(message(str(table), expected="images for each part", got=f"none for {empty[0]}"))
    notes = []
    if new:
        notes.append(f"{new} of {total} images are not in {table}: they are trained on")
    lost = len(set(part_of) - set(sums))
    if lost:
        notes.append(f"{lost} images of {table} are not here")
    return {part: tuple(parts[part]) for part in PARTS}, notes


def _read_split(table: Path) -> dict[str, str]:
    if not table.is_file():
        raise DataError(message(str(table), expected="the split.csv of a run (--split)", got="no such file"))
    with open(table, encoding="utf-8", errors="surrogateescape", newline="") as file:
        try:
            rows = [
                {key: unguarded(str(value)) for key, value in row.items()} for row in csv.DictReader(file)
            ]
        except csv.Error as error:
            raise DataError(message(str(table), expected="a table as CSV", got=str(error))) from error
    found = {row.get("sha256", "").lower(): row.get("part", "") for row in rows}
    wrong = next((part for part in found.values() if part not in PARTS), None)
    if not found or "" in found or wrong is not None:
        expected = "the columns part (train, validation, test) and sha256"
        raise DataError(message(str(table), expected=expected, got=repr(wrong) if wrong else "others"))
    return found


def torn_groups(files: Mapping[str, Sequence[ImageFile]]) -> str | None:
    """Return a warning where a group is in several parts, which only parts that were given can do."""
    seen: dict[str, str] = {}
    torn = {
        file.group: (seen[file.group], part)
        for part, listed in files.items()
        for file in listed
        if file.group is not None and seen.setdefault(file.group, part) != part
    }
    if not torn:
        return None
    name, (first, second) = next(iter(torn.items()))
    count = "1 group is" if len(torn) == 1 else f"{len(torn)} groups are"
    where = f"the first, {name!r}, in {first} and {second}"
    return f"{count} in several parts ({where}): results look better than they are"


def split_train(labels: list[int], class_names: tuple[str, ...]) -> tuple[list[int], list[int]]:
    """Return the positions of train and validation of data that come with a test part."""
    share = SHARE if len(labels) < 20_000 else 0.1
    found = stratified_split(labels, (1 - share, share), SPLIT_SEED, class_names=class_names)
    return found[0].tolist(), found[1].tolist()


def check_parts(parts: Mapping[str, Part], class_names: tuple[str, ...], task: str, where: str) -> list[str]:
    """Raise where a class has no image to train on; return what else is odd, in words.

    Args:
        parts: images in parts.
        class_names: in the order of the labels.
        task: one of `neocog.data.TASKS`.
        where: the data, for the error text.
    """
    warnings = []
    for name, part in parts.items():
        if not part.ids:
            raise DataError(message(f"{where}: {name}", expected="images that can be read", got="none"))
        if task == REGRESSION:
            continue
        counts = part.counts(len(class_names))
        lacking = [class_name for class_name, count in zip(class_names, counts, strict=True) if not count]
        if lacking and name == "train" and task == SINGLE:
            text = f"images of class {lacking[0]!r} to train on"
            raise DataError(message(where, expected=text, got="none that can be read"))
        if lacking:
            warnings.append(f"the {name} part has no image of {_lacking(lacking, task)}")
    return warnings


def _lacking(names: Sequence[str], task: str) -> str:
    one, several = ("label", "labels") if task == MULTI else ("class", "classes")
    if len(names) == 1:
        return f"{one} {names[0]!r}"
    shown = ", ".join(map(repr, names[:5])) + (", …" if len(names) > 5 else "")
    return f"{len(names)} {several} ({shown})"
