"""`evaluate`: how good a run's model is, on its own test images or on others."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from neocog.core import check_int
from neocog.data import DATASETS, ImageFile, ImageFolderSource, file_sha256, scan_images
from neocog.exceptions import ArgumentError, DataError, FileFormatError, message
from neocog.workflows._data import Part, array_part, file_part, read_part
from neocog.workflows._events import Evaluating, Reporter, silent
from neocog.workflows._load_data import find_data, load_arrays
from neocog.workflows._outputs import read_label, score_outputs
from neocog.workflows._parts import label_array
from neocog.workflows._results import EvaluateResult
from neocog.workflows._run import Run, SplitRow, load_run
from neocog.workflows._task import REGRESSION, SINGLE

_BATCH_SIZE = 64
_MOST_PASSES = 256


def evaluate(
    run: str | os.PathLike[str] | Run,
    data: str | os.PathLike[str] | None = None,
    report: Reporter = silent,
    *,
    label: str | None = None,
    pattern: str | None = None,
    images: str | None = None,
    tta: int | None = None,
) -> EvaluateResult:
    """Measure a run's model.

    Args:
        run: folder of a run, or what `load_run` returned.
        data: a folder of images in class folders of the run's names, a manifest (their test part where they
            have one), or a data set's name; None takes the run's own test images, by file and checksum.
        report: told how far it is.
        label, pattern, images: how a manifest or file names are read, as in `TrainConfig`.
        tta: measure the mean of so many passes, as `model.predict(tta=…)`.

    Raises:
        ArgumentError: `tta` below 1.
        DataError: files of the test part are missing or changed; other classes; other image sizes.
    """
    check_passes("evaluate", tta)
    opened = run if isinstance(run, Run) else load_run(run)
    unreadable: list[tuple[str, str]] = []
    if data is None:
        part = _own_test(opened)
        words = f"the {len(part.ids)} test images of the run"
    else:
        part, words, unreadable = _other(opened, os.fspath(data), label, pattern, images)
    part, found = read_part(part, report, 0, len(part.ids))
    broken = sorted([*unreadable, *found])
    report(Evaluating(part=words, count=len(part.ids)))
    chances = chances_of(opened.model, part, tta)
    words += f", each by the mean of {tta} passes" if tta and tta > 1 else ""
    return EvaluateResult(
        run=opened.folder,
        measured_on=words,
        scores=score_outputs(opened.task, chances, part.labels),
        broken=tuple(broken),
        task=opened.task.kind,
    )


def _own_test(run: Run) -> Part:
    rows = run.split("test")
    if not rows:
        raise FileFormatError(message(str(run.folder), expected="test images in split.csv", got="none"))
    labels = [read_label(run.task, row.label) for row in rows]
    unknown = next((row.label for row, label in zip(rows, labels, strict=True) if label is None), None)
    if unknown is not None:
        raise FileFormatError(message(str(run.folder), expected="classes of the run", got=repr(unknown)))
    if run.data.kind == "arrays":
        return _own_arrays(run, rows, labels)
    root = Path(run.data.root)
    if not root.is_dir():
        do = "Give the folder of the images: neocog evaluate RUN FOLDER."
        raise DataError(message(str(root), expected="the folder that the run used", got="none", do=do))
    files = [root / row.file for row in rows]
    _check_files(root, rows, files)
    ids, paths = [row.file for row in rows], [str(file) for file in files]
    return file_part("test", ids, paths, labels, run.data, batch_size=_BATCH_SIZE, shuffle=False, seed=0)


def _check_files(root: Path, rows: Sequence[SplitRow], files: Sequence[Path]) -> None:
    missing = [row.file for row, file in zip(rows, files, strict=True) if not file.is_file()]
    if missing:
        raise _unlike(root, missing, "missing")
    changed = [
        row.file for row, file in zip(rows, files, strict=True) if file_sha256(file) != row.sha256.lower()
    ]
    if changed:
        raise _unlike(root, changed, "changed since")


def _unlike(root: Path, files: Sequence[str], how: str) -> DataError:
    shown = ", ".join(files[:5]) + (", …" if len(files) > 5 else "")
    count = "1 is" if len(files) == 1 else f"{len(files)} are"
    do = "Bring them back, or name a folder to measure on: neocog evaluate RUN FOLDER."
    return DataError(
        message(str(root), expected="the test images of the run", got=f"{count} {how}: {shown}", do=do)
    )


def _own_arrays(run: Run, rows: Sequence[SplitRow], labels: Sequence[int]) -> Part:
    known = DATASETS.get(run.data.root)
    if known is None or known.load is None:
        raise FileFormatError(message(str(run.folder), expected="a known data set", got=repr(run.data.root)))
    (x, _), (x_test, _) = load_arrays(known)
    origins = {"train": x, "test": x_test}
    images = []
    for row in rows:
        _, _, rest = row.file.partition("/")
        origin, _, index = rest.partition("/")
        held = origins.get(origin, x[:0])
        if not index.isdecimal() or int(index) >= len(held):
            raise FileFormatError(message(str(run.folder), expected="images of the data set", got=row.file))
        image = held[int(index)]
        if hashlib.sha256(image.tobytes()).hexdigest() != row.sha256:
            raise _unlike(Path(known.name), [row.file], "changed since")
        images.append(image)
    ids = [row.file for row in rows]
    return array_part("test", ids, np.stack(images), labels, batch_size=_BATCH_SIZE, shuffle=False, seed=0)


def _other(
    run: Run, data: str, label: str | None, pattern: str | None, images: str | None
) -> tuple[Part, str, list[tuple[str, str]]]:
    target = find_data(data)
    if target.folder is not None:
        return _files(run, target.folder, label, pattern, images)
    known = DATASETS[target.name]
    if run.task.kind != SINGLE:
        raise DataError(message(target.name, expected=f"images with {run.task.kind} data", got="classes"))
    _check_classes(run, target.name, known.class_names)
    _, (x, y) = load_arrays(known)
    if x.shape[1:] != run.data.image_shape:
        raise DataError(message(target.name, expected=f"images {run.data.image_shape}", got=x.shape[1:]))
    numbers = {name: label for label, name in enumerate(run.data.class_names)}
    labels = [numbers[known.class_names[int(label)]] for label in y]
    ids = [f"{target.name}/test/{index}" for index in range(len(y))]
    part = array_part("test", ids, x, labels, batch_size=_BATCH_SIZE, shuffle=False, seed=0)
    return part, f"the {len(y)} test images of {target.name}", []


def _files(
    run: Run, path: Path, label: str | None, pattern: str | None, images: str | None
) -> tuple[Part, str, list[tuple[str, str]]]:
    names = run.data.class_names
    asked = run.config.get("asked", {})
    if path.is_dir() and pattern is None and isinstance(asked.get("pattern"), str):
        pattern = asked["pattern"]
    if path.is_file() and label is None:  # numbers are found by the names of their columns
        label = ",".join(names) if run.task.kind == REGRESSION else asked.get("label")
    scan = scan_images(path, task=run.task.kind, label=label, pattern=pattern, images=images)
    _check_classes(run, str(path), scan.class_names)
    split = "test" if "test" in scan.splits else None
    places = {name: place for place, name in enumerate(names)}
    files = [_renumbered(file, scan.class_names, places) for file in scan.of_split(split)]
    labels = label_array(files, run.task.kind, len(names))
    ids, paths = [file.path for file in files], [scan.absolute(file) for file in files]
    part = file_part("test", ids, paths, labels, run.data, batch_size=_BATCH_SIZE, shuffle=False, seed=0)
    words = f"the {len(files)} {'test ' if split else ''}images in {path}"
    return part, words, [(file.path, file.reason) for file in scan.broken]


def _renumbered(file: ImageFile, names: Sequence[str], places: Mapping[str, int]) -> ImageFile:
    """Return a file with the run's class numbers in place of the scan's."""
    if file.targets:
        by_name = {places[name]: value for name, value in zip(names, file.targets, strict=True)}
        return replace(file, targets=tuple(by_name[place] for place in sorted(by_name)))
    if file.label >= 0:
        return replace(file, label=places[names[file.label]])
    return replace(file, labels=tuple(sorted(places[names[label]] for label in file.labels)))


def _check_classes(run: Run, where: str, class_names: Sequence[str]) -> None:
    other = [name for name in class_names if name not in run.data.class_names]
    if other:
        expected = f"the classes of the run ({', '.join(run.data.class_names[:8])})"
        got = f"also {', '.join(repr(name) for name in other[:5])}"
        do = "Name them as the run's classes."
        raise DataError(message(where, expected=expected, got=got, do=do))


def check_passes(where: str, tta: int | None) -> None:
    """Raise unless `tta` is None or a number of passes, 1 to 256."""
    if tta is not None and check_int(where, "tta", tta, minimum=1) > _MOST_PASSES:
        raise ArgumentError(message(where, expected=f"tta up to {_MOST_PASSES}", got=tta))


def chances_of(model: Any, part: Part, tta: int | None = None) -> Any:
    """Return the probabilities (count, classes) of a part's images, in the order of its `ids`."""
    chances = model.predict(part.source, verbose=0, tta=tta)
    if len(chances) != len(part.ids):
        source = part.source
        lost = source.broken[-1] if isinstance(source, ImageFolderSource) and source.broken else ("", "")
        expected, got = f"{len(part.ids)} images that can be read", f"{len(chances)} ({': '.join(lost)})"
        raise DataError(message(part.name, expected=expected, got=got, do="Files changed while training."))
    return chances
