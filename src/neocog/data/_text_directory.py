"""Keras's `text_dataset_from_directory`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neocog.core import check_int, check_one_of
from neocog.data._from_directory import check_seed_and_split, index_files, mixed, parts_of
from neocog.data._pipeline import Dataset
from neocog.exceptions import ArgumentError, DataError, message

_WHERE = "text_dataset_from_directory"
_SUFFIXES = (".txt",)


def text_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: str | Sequence[int] | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Return the `.txt` files of a folder as batches of strings; one folder a class unless labels are given.

    The same seed picks the same files for training and validation as Keras does. All texts are read at once.

    Args:
        directory: the folder.
        labels: `"inferred"` from the class folders, None, or one class number a file in alphanumeric order.
        label_mode: `"int"`, `"binary"` (float32, (B, 1)), `"categorical"` (one-hot) or None.
        class_names: the class folders to use, in the order of the labels.
        batch_size: texts a batch; None gives single texts.
        max_length: bytes of a text that are kept, None for all; as in Keras, of the UTF-8 form.
        shuffle: mix the files, anew in each pass; False keeps alphanumeric order.
        seed: of mixing and split.
        validation_split: fraction from 0 to 1 for validation, together with `subset`.
        subset: `"training"`, `"validation"` or `"both"` (returns two data sets).
        follow_links: visit folders behind symbolic links.
        format: accepted as in Keras; the result is a `Dataset` in either case.
        verbose: print how many files and classes were found.

    Returns:
        A `Dataset` with `class_names` and `file_paths`, or a list of two for `subset="both"`.

    Raises:
        DataError: no folder, no texts, labels that do not fit, a text that is not UTF-8.
        ArgumentError: a bad value or combination of arguments.
    """
    check_one_of(_WHERE, "format", format, ("tf", "grain"))
    check_one_of(_WHERE, "label_mode", label_mode, ("int", "categorical", "binary", None))
    size = None if batch_size is None else check_int(_WHERE, "batch_size", batch_size, minimum=1)
    limit = None if max_length is None else check_int(_WHERE, "max_length", max_length, minimum=0)
    seed = check_seed_and_split(_WHERE, seed, validation_split, subset, shuffle)
    given = None if label_mode is None else labels
    files, numbers, names = index_files(
        _WHERE, Path(directory).expanduser(), given, class_names, follow_links, _SUFFIXES, "texts"
    )
    if label_mode == "binary" and names is not None and len(names) != 2:
        raise ArgumentError(message(_WHERE, expected='two classes for label_mode="binary"', got=names))
    if verbose:
        print(f"Found {len(files)} files" + (f" belonging to {len(names)} classes." if names else "."))
    if shuffle:
        files, numbers = mixed(files, numbers, seed)

    def part(first: int, last: int, mix: bool) -> Dataset:
        texts = np.array([_read(file, limit) for file in files[first:last]], dtype=object)
        chosen = None if numbers is None else _labels(numbers[first:last], label_mode, len(names or ()))
        found = Dataset.from_tensor_slices(texts if chosen is None else (texts, chosen))
        found = found.shuffle(len(texts), seed=seed) if mix else found
        found = found if size is None else found.batch(size)
        found.class_names, found.file_paths = names, files[first:last]
        return found

    return parts_of(_WHERE, part, len(files), validation_split, subset, shuffle, verbose)


def _read(file: str, limit: int | None) -> str:
    data = Path(file).read_bytes()
    try:
        return data.decode("utf-8") if limit is None else data[:limit].decode("utf-8", errors="ignore")
    except UnicodeDecodeError as error:
        raise DataError(
            message(file, expected="text in UTF-8", got=str(error), do="Convert the file.")
        ) from error


def _labels(numbers: list[int], mode: str | None, count: int) -> Any:
    values = np.array(numbers, dtype=np.int64)
    if mode == "int":
        return values
    return values.astype(np.float32)[:, None] if mode == "binary" else np.eye(count, dtype=np.float32)[values]
