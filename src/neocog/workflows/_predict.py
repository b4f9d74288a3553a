"""`predict`: what a run's model says of images."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from neocog.data import ImageFolderSource, check_image
from neocog.data._folder import walk_files
from neocog.data._image_files import SUFFIXES
from neocog.exceptions import DataError, message
from neocog.workflows._evaluate import check_passes
from neocog.workflows._outputs import prediction
from neocog.workflows._results import PredictResult
from neocog.workflows._run import Run, load_run

PathLike = str | os.PathLike[str]


def predict(
    run: PathLike | Run,
    images: PathLike | Iterable[PathLike],
    *,
    batch_size: int = 32,
    tta: int | None = None,
) -> PredictResult:
    """Say what a run's model sees in images (class, labels or numbers), read exactly as in training.

    Args:
        run: folder of a run, or what `load_run` returned.
        images: image files, and folders whose images are taken, those in folders below included.
        batch_size: images a step.
        tta: answer by the mean of so many passes, as `model.predict(tta=…)`.

    Returns:
        Predictions for what could be read, and the reasons for what could not.

    Raises:
        ArgumentError: `tta` below 1.
        DataError: `run` is no run, or a folder holds no image.
        FileFormatError: the run's files are damaged.
    """
    check_passes("predict", tta)
    opened = run if isinstance(run, Run) else load_run(run)
    given = [images] if isinstance(images, (str, os.PathLike)) else list(images)
    wanted = _expanded(given)
    files, broken = _readable(wanted)
    if not files:
        return PredictResult(run=opened.folder, predictions=(), broken=tuple(broken), task=opened.task.kind)
    source = ImageFolderSource(
        files,
        image_size=opened.data.image_size,
        batch_size=batch_size,
        shuffle=False,
        color_mode=opened.data.color_mode,
        cache=False,
    )
    try:
        chances: Any = opened.model.predict(source, verbose=0, tta=tta)
    except DataError:
        if len(source.broken) < len(files):
            raise
        chances = ()  # not one could be read
    reasons = dict(source.broken)
    faults = {**dict(broken), **reasons}
    broken = [(file, faults[file]) for file in dict.fromkeys(wanted) if file in faults]
    kept = [file for file in files if file not in reasons]
    task = opened.task
    found = (prediction(task, file, row) for file, row in zip(kept, chances, strict=True))
    return PredictResult(run=opened.folder, predictions=tuple(found), broken=tuple(broken), task=task.kind)


def _expanded(given: Sequence[PathLike]) -> list[str]:
    files: list[str] = []
    for item in given:
        path = Path(item).expanduser()
        if not path.is_dir():
            files.append(str(path))
            continue
        inside = walk_files(path, follow_links=True)
        found = [str(path / file) for file in inside if file.lower().endswith(SUFFIXES)]
        if not found:
            raise DataError(message(str(path), expected="images in the folder", got="none"))
        files += found
    return files


def _readable(files: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Part files by whether they can be opened; what is only damaged inside shows when it is decoded."""
    reasons = [(file, check_image(file)) for file in files]
    return [file for file, reason in reasons if reason is None], [
        (file, reason) for file, reason in reasons if reason is not None
    ]
