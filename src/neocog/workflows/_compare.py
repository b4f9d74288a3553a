"""`compare`: runs side by side, how they learned, what they are worth, in which settings they differ."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neocog.core import write_bytes
from neocog.exceptions import ArgumentError, DataError, FileFormatError, StorageError, message
from neocog.workflows._compare_page import MARK, page
from neocog.workflows._report._overlay import MOST_RUNS
from neocog.workflows._run import Run, load_run
from neocog.workflows._run_folder import HISTORY, METRICS
from neocog.workflows._task import Task

_MOST_BYTES = 64 * 2**20
_SETTINGS = ("asked", "recipe", "model", "data")
_NO_SETTINGS = ("asked.out", "asked.every", "asked.data", "data.root", "data.class_names")


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """What a comparison says of one run.

    Attributes:
        name: of its folder, with as much of the path as tells it from the others.
        folder: where it lies.
        metric: what counts: `"accuracy"`, `"macro_f1"` or `"r2"`.
        epochs: values of each epoch.
        best_epoch: the kept one, from 1; 0 where none ended.
        training, validation: the metric at the kept epoch; None where it is not known.
        test: the metric on the test images.
        low, high: the 95 % interval of the test accuracy; None for other metrics.
        seconds: that training took.
        settings: all settings, flat.
    """

    name: str
    folder: Path
    metric: str
    epochs: tuple[Mapping[str, float], ...]
    best_epoch: int
    training: float | None
    validation: float | None
    test: float | None
    low: float | None
    high: float | None
    seconds: float
    settings: Mapping[str, Any]

    @property
    def gap(self) -> float | None:
        """Training minus validation at the kept epoch: how much of what was learned does not carry over."""
        if self.training is None or self.validation is None:
            return None
        return self.training - self.validation

    def gap_after(self, epochs: int) -> float | None:
        """Training minus validation after so many epochs; None where it is not known."""
        values = self.epochs[epochs - 1] if 0 < epochs <= len(self.epochs) else {}
        training, validation = values.get(self.metric), values.get(f"val_{self.metric}")
        return None if training is None or validation is None else training - validation

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "run": str(self.folder),
            "metric": self.metric,
            "epochs": len(self.epochs),
            "best_epoch": self.best_epoch,
            "training": self.training,
            "validation": self.validation,
            "gap": self.gap,
            "test": self.test,
            "interval": None if self.low is None else [self.low, self.high],
            "seconds": self.seconds,
        }


@dataclass(frozen=True, kw_only=True)
class CompareResult:
    """A comparison of runs.

    Attributes:
        page: the HTML file.
        runs: in the order in which they were given.
        differing: name of each setting that differs, with its value in each run.
        notes: what makes the runs hard to compare.
    """

    page: Path
    runs: tuple[RunSummary, ...]
    differing: Mapping[str, tuple[Any, ...]]
    notes: tuple[str, ...] = ()

    @property
    def common_epochs(self) -> int:
        """Epochs that every run has: where gaps are compared fairly, as they grow with training."""
        return min(len(run.epochs) for run in self.runs)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        common = self.common_epochs
        return {
            "page": str(self.page),
            "common_epochs": common,
            "runs": [{**run.as_dict(), "gap_after_common": run.gap_after(common)} for run in self.runs],
            "differing": {name: list(values) for name, values in self.differing.items()},
            "notes": list(self.notes),
        }


def compare(
    runs: Sequence[str | os.PathLike[str]], out: str | os.PathLike[str] = "compare.html"
) -> CompareResult:
    """Compare finished runs of one task and write a self-contained page with their curves.

    Args:
        runs: folders of two to six runs.
        out: the page; an older comparison is written over, nothing else.

    Raises:
        ArgumentError: too few or too many runs, one twice, an `out` that holds something else.
        DataError: no run, or runs of different tasks.
        FileFormatError: a run's files are damaged.
        StorageError: the page cannot be written.
    """
    opened = _opened(runs)
    target = _target(out)
    kinds = {run.task.kind for run in opened}
    if len(kinds) > 1:
        raise DataError(message("compare", expected="runs of one task", got=", ".join(sorted(kinds))))
    names = _short_names([run.folder for run in opened])
    found = tuple(_summary(run, name) for run, name in zip(opened, names, strict=True))
    differing = _differing([run.settings for run in found])
    result = CompareResult(page=target, runs=found, differing=differing, notes=tuple(_notes(opened)))
    try:
        write_bytes(target, page(result).encode("utf-8", "replace"))
    except OSError as error:
        got, do = (error.strerror or str(error)).lower(), "Choose another --out."
        raise StorageError(message(str(target), expected="to write the page", got=got, do=do)) from error
    return result


def _opened(runs: Sequence[str | os.PathLike[str]]) -> list[Run]:
    if not 2 <= len(runs) <= MOST_RUNS:
        raise ArgumentError(message("compare", expected=f"2 to {MOST_RUNS} runs", got=len(runs)))
    opened = [load_run(run) for run in runs]
    places = [run.folder.resolve() for run in opened]
    twice = next((place for place in places if places.count(place) > 1), None)
    if twice is not None:
        raise ArgumentError(message("compare", expected="different runs", got=f"{twice} twice"))
    return opened


def _target(out: str | os.PathLike[str]) -> Path:
    target = Path(out).expanduser()
    if target.suffix.lower() not in (".html", ".htm"):
        raise ArgumentError(message("--out", expected="a .html file", got=repr(str(target))))
    if not target.absolute().parent.is_dir():
        raise ArgumentError(message("--out", expected="a folder that is there", got=str(target.parent)))
    if target.exists() and not (target.is_file() and MARK.encode() in _read(target)[:4096]):
        got = "another file, which stays as it is" if target.is_file() else "a folder"
        raise ArgumentError(message(str(target), expected="a new file or an older comparison", got=got))
    return target


def _short_names(folders: Sequence[Path]) -> list[str]:
    """Return the folders' names, with as many folders above as make them differ."""
    parts = [folder.resolve().parts for folder in folders]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["/".join(each[-depth:]) for each in parts]
        if len(set(names)) == len(names):
            return names
    return [str(folder) for folder in folders]


def _summary(run: Run, name: str) -> RunSummary:
    metrics = _metrics(run.folder / METRICS)
    epochs = _history(run.folder / HISTORY)
    metric = Task(kind=run.task.kind, names=run.task.names).headline
    best = metrics.get("best_epoch")
    best = best if isinstance(best, int) and 0 <= best <= len(epochs) else 0
    kept = epochs[best - 1] if best else {}
    test = metrics["test"]
    return RunSummary(
        name=name,
        folder=run.folder,
        metric=metric,
        epochs=tuple(epochs),
        best_epoch=best,
        training=kept.get(metric),
        validation=kept.get(f"val_{metric}"),
        test=_number(test.get(metric)),
        low=_number(test.get("low")) if metric == "accuracy" else None,
        high=_number(test.get("high")) if metric == "accuracy" else None,
        seconds=_number(metrics.get("seconds")) or 0.0,
        settings=_settings(run.config),
    )


def _number(value: Any) -> float | None:
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if usable else None


def _metrics(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise FileFormatError(message(str(path), expected="JSON", got=str(error))) from error
    if not isinstance(found, dict) or not isinstance(found.get("test"), dict):
        raise FileFormatError(message(str(path), expected="the results of a run", got="others"))
    return found


def _history(path: Path) -> list[dict[str, float]]:
    """Return the values of each epoch; what is no number is left out."""
    epochs = []
    for row in csv.DictReader(_read(path).decode("utf-8", "replace").splitlines()):
        values: dict[str, float] = {}
        for key, text in row.items():
            try:
                values[str(key)] = float(text)
            except (TypeError, ValueError):
                continue
        epochs.append(values)
    return epochs


def _read(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise StorageError(f"{path}: could not be read ({error.strerror or error}).") from error
    if len(data) > _MOST_BYTES:
        raise FileFormatError(message(str(path), expected=f"at most {_MOST_BYTES:,} bytes", got="more"))
    return data


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run was made with as flat names and plain values."""
    found: dict[str, Any] = {}
    for group in _SETTINGS:
        values = config.get(group)
        for key, value in values.items() if isinstance(values, Mapping) else ():
            if f"{group}.{key}" not in _NO_SETTINGS:
                found[f"{group}.{key}"] = value
    return found


def _differing(settings: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Return the settings that differ; what a recipe has made of a wish stands for the wish."""
    names = dict.fromkeys(name for run in settings for name in run)
    found = {name: tuple(run.get(name) for run in settings) for name in names}
    differing = {name: values for name, values in found.items() if any(v != values[0] for v in values)}
    decided = {name.partition(".")[2] for name in differing if not name.startswith("asked.")}
    return {
        name.partition(".")[2] if name.startswith(("asked.", "recipe.")) else name.replace(".", " "): values
        for name, values in differing.items()
        if not (name.startswith("asked.") and name.partition(".")[2] in decided)
    }


def _notes(runs: Sequence[Run]) -> list[str]:
    notes = []
    if len({(run.data.root, run.data.class_names) for run in runs}) > 1:
        notes.append("The runs saw different data: their numbers are not of one kind.")
    else:
        tests = [frozenset((row.file, row.sha256) for row in run.split("test")) for run in runs]
        if any(test != tests[0] for test in tests):
            notes.append("The runs were tested on different images of the data: splits differ.")
    return notes
