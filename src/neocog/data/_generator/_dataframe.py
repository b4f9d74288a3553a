"""Batches of the images that a table names, for `ImageDataGenerator.flow_from_dataframe`."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np

from neocog.core import check_one_of
from neocog.data._generator._files import FileIterator, FileOptions
from neocog.data._generator._iterator import WHITE_LIST
from neocog.exceptions import ArgumentError, ArgumentTypeError, DataError, message

_WHERE = "flow_from_dataframe"
_WITH_CLASSES = ("binary", "categorical", "sparse")
_CLASS_MODES = (*_WITH_CLASSES, "input", "multi_output", "raw", None)
_OLD = {
    "has_ext": "file names in the table have their suffix",
    "sort": "shuffle=False keeps the order of the table",
    "drop_duplicates": "call drop_duplicates() on the DataFrame",
}


class DataFrameIterator(FileIterator):
    """Batches of the images that a DataFrame names, one row an image.

    Args:
        dataframe: pandas DataFrame.
        directory: folder of the files; None where the table has whole paths.
        image_data_generator: changes and standardises the images; None leaves them.
        x_col: column of the file names.
        y_col: column of the labels; a list of columns for `"raw"` and `"multi_output"`.
        weight_col: column of the sample weights, or None.
        target_size: (height, width) in pixels.
        color_mode: `"rgb"`, `"grayscale"` or `"rgba"`.
        classes: the classes to use, in the order of the labels; None takes all, sorted.
        class_mode: `"categorical"` (one-hot; a cell may hold a list of classes), `"binary"`, `"sparse"`,
            `"input"`, `"raw"` (the values), `"multi_output"` (a list of columns) or None.
        batch_size: images a batch.
        shuffle: a new order each epoch.
        seed: whole number or None.
        data_format: `"channels_last"` or `"channels_first"`.
        save_to_dir: folder to which every image of a batch is written.
        save_prefix: of their names.
        save_format: their suffix.
        subset: `"validation"` takes the first rows, `"training"` the rest.
        interpolation: as in `load_img`.
        keep_aspect_ratio: cut instead of stretching.
        dtype: of the images.
        validate_filenames: leave out rows whose file is not there or no image, with a warning.

    Raises:
        ArgumentTypeError: file names or labels that are no strings.
        DataError: a column that is not there; not two classes for `"binary"`.
    """

    allowed_class_modes = set(_CLASS_MODES)

    def __init__(
        self,
        dataframe: Any,
        directory: Any = None,
        image_data_generator: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = "channels_last",
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = "float32",
        validate_filenames: bool = True,
    ) -> None:
        options = FileOptions(
            target_size=target_size,
            color_mode=color_mode,
            data_format=data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            subset=subset,
            interpolation=interpolation,
            keep_aspect_ratio=keep_aspect_ratio,
            dtype=dtype,
        )
        FileIterator.__init__(self, image_data_generator, options)
        self.class_mode = check_one_of(_WHERE, "class_mode", class_mode, _CLASS_MODES)
        self.directory = os.fspath(directory or "")
        rows = _checked(dataframe, x_col, y_col, weight_col, self.class_mode)
        if validate_filenames:
            rows = self._with_files(rows, x_col)
        if self.class_mode in _WITH_CLASSES:
            rows, names = _with_classes(rows, y_col, classes, self.class_mode)
            self.class_indices = {name: number for number, name in enumerate(names)}
            self.num_classes = len(names)
        rows = rows.iloc[self.part(len(rows))]
        self._read(rows, x_col, y_col, weight_col)
        kind = "validated" if validate_filenames else "non-validated"
        ending = f" belonging to {self.num_classes} classes." if self.class_mode in _WITH_CLASSES else "."
        print(f"Found {self.samples} {kind} image filenames{ending}")
        self.start(self.samples, batch_size, shuffle, seed)

    def _with_files(self, rows: Any, x_col: str) -> Any:
        there = [
            name.lower().endswith(WHITE_LIST) and os.path.isfile(os.path.join(self.directory, name))
            for name in rows[x_col]
        ]
        missing = there.count(False)
        if missing:
            text = f'{_WHERE}: {missing} file names in x_col="{x_col}" are no image files and are left out.'
            warnings.warn(text, stacklevel=4)
        return rows[np.array(there, dtype=bool)]

    def _read(self, rows: Any, x_col: str, y_col: Any, weight_col: str | None) -> None:
        self.filenames = rows[x_col].tolist()
        self.samples = len(self.filenames)
        self.filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        self.sample_weight = None if weight_col is None else rows[weight_col].to_numpy()
        self._values: Any = None
        if self.class_mode in _WITH_CLASSES:
            numbers = self.class_indices
            self.classes = [
                [numbers[one] for one in cell] if isinstance(cell, (list, tuple)) else numbers[cell]
                for cell in rows[y_col]
            ]
        elif self.class_mode == "multi_output":
            self._values = [np.array(rows[column].tolist()) for column in y_col]
        elif self.class_mode == "raw":
            self._values = rows[y_col].to_numpy()

    @property
    def labels(self) -> Any:
        """Labels of all samples: class numbers, or the values of the columns."""
        return self.classes if self._values is None else self._values


def _checked(dataframe: Any, x_col: str, y_col: Any, weight_col: str | None, class_mode: str | None) -> Any:
    columns = [x_col, *([weight_col] if weight_col else [])]
    if class_mode not in (None, "input"):
        columns += list(y_col) if isinstance(y_col, (list, tuple)) else [y_col]
    missing = [column for column in columns if column not in dataframe.columns]
    if missing:
        got = f"columns {list(dataframe.columns)}"
        raise DataError(message(_WHERE, expected=f"a column {missing[0]!r}", got=got))
    if class_mode == "multi_output" and not isinstance(y_col, list):
        got = f"a {type(y_col).__name__}"
        raise ArgumentTypeError(message(_WHERE, expected="y_col as a list for multi_output", got=got))
    _check_cells(dataframe[x_col], x_col, (str,))
    if class_mode in _WITH_CLASSES:
        kinds = (str, list, tuple) if class_mode == "categorical" else (str,)
        _check_cells(dataframe[y_col], y_col, kinds)
    if weight_col and not np.issubdtype(np.asarray(dataframe[weight_col]).dtype, np.number):
        raise ArgumentTypeError(message(_WHERE, expected=f"numbers in column {weight_col!r}", got="others"))
    return dataframe.copy()


def _check_cells(cells: Any, column: Any, kinds: tuple[type, ...]) -> None:
    odd = next((cell for cell in cells if not isinstance(cell, kinds)), None)
    if odd is not None:
        do = 'Turn them into strings by .astype(str), or use class_mode="raw".'
        got = f"a {type(odd).__name__}"
        raise ArgumentTypeError(message(_WHERE, expected=f"strings in column {column!r}", got=got, do=do))


def _with_classes(rows: Any, y_col: str, classes: Any, class_mode: str | None) -> tuple[Any, list[str]]:
    """Return the rows that have a wanted class, and the classes."""
    cells = list(rows[y_col])
    if classes:
        names = list(dict.fromkeys(classes))
        kept: list[Any] = []
        for cell in cells:
            several = isinstance(cell, (list, tuple))
            wanted = [one for one in (cell if several else [cell]) if one in names]
            kept.append((wanted if several else cell) if wanted else None)
        rows = rows.assign(**{y_col: kept})[np.array([cell is not None for cell in kept], dtype=bool)]
    else:
        lists = (cell if isinstance(cell, (list, tuple)) else (cell,) for cell in cells)
        names = sorted({one for listed in lists for one in listed})
    if class_mode == "binary" and len(names) != 2:
        raise DataError(message(_WHERE, expected='2 classes for class_mode="binary"', got=f"{len(names)}"))
    return rows, names


def check_old_dataframe_arguments(arguments: dict[str, Any]) -> None:
    """Warn of arguments of older releases, refuse unknown ones."""
    for name in arguments:
        if name in _OLD:
            text = f"{_WHERE}: {name} is no longer used: {_OLD[name]}."
            warnings.warn(text, DeprecationWarning, stacklevel=3)
        elif name != "keep_aspect_ratio":
            raise ArgumentError(message(_WHERE, expected="arguments of ImageDataGenerator", got=repr(name)))
