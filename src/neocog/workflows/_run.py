"""A finished run, read back: how its images are read, its split, its model."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from neocog import layers
from neocog.data import TASKS
from neocog.exceptions import ArgumentError, DataError, FileFormatError, StorageError, message
from neocog.files import load_model_folder
from neocog.workflows._config import check_image_size
from neocog.workflows._csv_cells import unguarded
from neocog.workflows._data import DataInfo
from neocog.workflows._run_folder import CONFIG, MODEL_CONFIG, SPLIT
from neocog.workflows._task import SINGLE, Task

FORMAT = "neocog run"
FORMAT_VERSION = 1
_MAX_CONFIG, _MAX_SPLIT = 64 * 2**20, 2**30
_KINDS = ("arrays", "folder")
_COLORS = ("rgb", "grayscale")


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRow:
    """One image of a run: what it is called, its class, its part, the SHA-256 of its file or pixels."""

    file: str
    label: str
    part: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Run:
    """A finished run.

    Attributes:
        folder: where it lies.
        data: how its images are read.
        config: all of `config.json`.
    """

    folder: Path
    data: DataInfo
    config: Mapping[str, Any]

    @property
    def task(self) -> Task:
        """What the model says, without the statistics of the training targets."""
        return Task(kind=self.data.task, names=self.data.class_names)

    @cached_property
    def model(self) -> Any:
        """The trained model: from images uint8 (B, H, W, C) to probabilities, or numbers in their units."""
        model = load_model_folder(self.folder, layers.deserialize)
        shape = tuple(model.output_shape)
        if shape[-1] != len(self.data.class_names):
            expected = f"a model of {len(self.data.class_names)} classes, as in {CONFIG}"
            raise FileFormatError(message(str(self.folder), expected=expected, got=f"outputs of {shape}"))
        return model

    def split(self, part: str | None = None) -> list[SplitRow]:
        """Return the images of a part, or of all parts."""
        path = self.folder / SPLIT
        rows = csv.DictReader(io.StringIO(_read(path, _MAX_SPLIT).decode("utf-8", "surrogateescape")))
        found = []
        for row in rows:
            values = [row.get(key) for key in ("file", "class", "part", "sha256")]
            if None in values:
                raise FileFormatError(
                    message(str(path), expected="the columns file, class, part, sha256", got=rows.fieldnames)
                )
            file, label, name, sha256 = (unguarded(str(value)) for value in values)
            if part in (None, name):
                found.append(SplitRow(file=_inside(file, path), label=label, part=name, sha256=sha256))
        return found


def load_run(folder: str | os.PathLike[str]) -> Run:
    """Read a run that `train` left.

    Raises:
        DataError: there is no such folder, it holds no run, or its training did not end.
        FileFormatError: its files are damaged.

    Example: see `train`.
    """
    path = Path(folder).expanduser()
    config = read_config(path)
    if not (path / MODEL_CONFIG).is_file():
        do = f"Its training did not end: `neocog resume {path}` goes on with it."
        raise DataError(message(str(path), expected="a finished run", got=f"no {MODEL_CONFIG}", do=do))
    return Run(folder=path, data=_data_info(config.get("data"), path / CONFIG), config=config)


def read_config(path: Path) -> dict[str, Any]:
    """Return the `config.json` of a run, finished or not.

    Raises:
        DataError: there is no such folder, or it holds no run.
        FileFormatError: the file is damaged, or of a newer neocog.
    """
    if not path.is_dir():
        got = "a file" if path.exists() else "no such folder"
        raise DataError(message(str(path), expected="the folder of a run", got=got))
    if not (path / CONFIG).is_file():
        do = "Runs are made by `neocog train` and lie in runs/ unless --out says otherwise."
        got = f"a folder without {CONFIG}"
        raise DataError(message(str(path), expected="the folder of a run", got=got, do=do))
    try:
        config = json.loads(_read(path / CONFIG, _MAX_CONFIG))
    except (ValueError, RecursionError) as error:
        raise FileFormatError(message(str(path / CONFIG), expected="JSON", got=str(error))) from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise FileFormatError(
            message(str(path / CONFIG), expected=f'"format": "{FORMAT}"', got="another file")
        )
    if config.get("version") != FORMAT_VERSION:
        got, do = f"version {config.get('version')!r}", "A newer neocog wrote it: update neocog."
        raise FileFormatError(
            message(str(path / CONFIG), expected=f"version {FORMAT_VERSION}", got=got, do=do)
        )
    return config


def _data_info(value: Any, where: Path) -> DataInfo:
    try:
        info = DataInfo(
            name=str(value["name"]),
            kind=value["kind"],
            root=str(value["root"]),
            class_names=tuple(value["class_names"]),
            image_size=check_image_size(str(where), value["image_size"]),
            color_mode=value["color_mode"],
            task=value.get("task", SINGLE),
        )
        names = info.class_names
        least = 2 if info.task == SINGLE else 1
        known = info.kind in _KINDS and info.color_mode in _COLORS and info.task in TASKS
        good = known and len(names) >= least
        if not good or not all(isinstance(name, str) for name in names):
            raise TypeError
    except (KeyError, TypeError, ArgumentError) as error:
        expected = "data with name, kind, root, class_names, image_size, color_mode"
        raise FileFormatError(
            message(str(where), expected=expected, got="others", do="The file was changed by hand.")
        ) from error
    return info


def _inside(file: str, where: Path) -> str:
    """Return a relative path that stays below the root it is joined to."""
    if PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts or "\0" in file:
        raise FileFormatError(message(str(where), expected="paths below the data's folder", got=repr(file)))
    return file.removeprefix("./")


def _read(path: Path, limit: int) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise StorageError(f"{path}: could not be read ({error.strerror or error}).") from error
    if len(data) > limit:
        raise FileFormatError(message(str(path), expected=f"at most {limit:,} bytes", got="more"))
    return data
