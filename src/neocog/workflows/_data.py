"""Images in parts: what a run trains on, chooses by, and is measured on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from neocog.data import ImageFolderSource, Source, as_source, file_sha256, load_image
from neocog.workflows._events import Reading, Reporter
from neocog.workflows._task import REGRESSION, SINGLE, Task

PARTS = ("train", "validation", "test")
Images = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataInfo:
    """What is needed to read images as in training.

    Attributes:
        name: for titles and the run's folder.
        kind: `"arrays"` for a data set by name, `"folder"` for files.
        root: the folder, or the data set's name.
        class_names: in the order of the labels.
        image_size: (height, width) in pixels.
        color_mode: `"rgb"` or `"grayscale"`.
        task: one of `neocog.data.TASKS`; for `"regression"` the class names are the targets'.
    """

    name: str
    kind: str
    root: str
    class_names: tuple[str, ...]
    image_size: tuple[int, int]
    color_mode: str
    task: str = SINGLE

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        return (*self.image_size, 3 if self.color_mode == "rgb" else 1)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of the data: train, validation or test.

    Attributes:
        name: of the part.
        ids: what an image is called: its path below the root with `/`, or `digits/test/17`.
        labels: class numbers, int64 (count,); 0 and 1, (count, labels); or numbers, float64 (count, targets).
        source: batches for `fit` and `predict`; in the order of `ids` unless it is the training part.
        images: uint8 (count, H, W, C), or None where files hold them.
        files: full paths, or None where arrays hold the images.
    """

    name: str
    ids: tuple[str, ...]
    labels: np.ndarray[Any, np.dtype[Any]]
    source: Source
    images: Images | None = None
    files: tuple[str, ...] | None = None

    def counts(self, classes: int) -> list[int]:
        """Return the number of images of each class or label; none for numbers."""
        if self.labels.ndim == 2:
            return [int(count) for count in self.labels.sum(0)] if self.labels.dtype == np.uint8 else []
        return [int(count) for count in np.bincount(self.labels, minlength=classes)]

    def checksums(self) -> list[str]:
        """Return the SHA-256 of every image: of the file, or of the pixels."""
        if self.files is not None and isinstance(self.source, ImageFolderSource):
            return self.source.checksums(self.files)  # known from decoding, where the cache is on
        if self.files is not None:
            with ThreadPoolExecutor(max_workers=4) as pool:
                return list(pool.map(lambda file: file_sha256(Path(file)), self.files))
        images = self.images if self.images is not None else ()
        return [hashlib.sha256(image.tobytes()).hexdigest() for image in images]

    def picture(self, index: int, longest: int = 192) -> Images:
        """Return one image to look at, uint8 (H, W, C); a file is shrunk to `longest` pixels a side."""
        if self.files is None:
            image: Images = np.asarray(self.images, dtype=np.uint8)[index]
            return image
        return shrink(load_image(self.files[index]), longest)


@dataclass(frozen=True, kw_only=True)
class ImageData:
    """The data of a run.

    Attributes:
        info: how images are read.
        parts: by name.
        broken: (file, reason) of images that are left out.
        skipped: number of files that are no images.
        checked: what the checks found, `CheckedData`; None for arrays.
    """

    info: DataInfo
    parts: Mapping[str, Part]
    broken: tuple[tuple[str, str], ...] = ()
    skipped: int = 0
    checked: Any = None

    @cached_property
    def task(self) -> Task:
        """What the model is to say, with the statistics of the training targets."""
        return Task.of(self.info.task, self.info.class_names, self.parts["train"].labels)


def array_part(
    name: str, ids: Sequence[str], images: Images, labels: Any, *, batch_size: int, shuffle: bool, seed: int
) -> Part:
    """Return a part whose images are in memory."""
    numbers = np.asarray(labels, dtype=np.int64).reshape(-1)
    source = as_source(images, numbers, batch_size=batch_size, shuffle=shuffle, seed=seed)
    return Part(name=name, ids=tuple(ids), labels=numbers, source=source, images=images)


def file_part(
    name: str,
    ids: Sequence[str],
    files: Sequence[str],
    labels: Any,
    info: DataInfo,
    *,
    batch_size: int,
    shuffle: bool,
    seed: int,
    weights: Sequence[float] | None = None,
) -> Part:
    """Return a part whose images are files, read as `info` says."""
    numbers = as_labels(labels, info.task)
    source = ImageFolderSource(
        files,
        labels=numbers.tolist(),
        label_mode="int" if info.task == SINGLE else "values",
        sample_weights=weights,
        image_size=info.image_size,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        color_mode=info.color_mode,
        num_classes=len(info.class_names),
    )
    return Part(name=name, ids=tuple(ids), labels=numbers, source=source, files=tuple(files))


def as_labels(labels: Any, task: str) -> np.ndarray[Any, np.dtype[Any]]:
    """Return labels as a part holds them."""
    if task == SINGLE:
        return np.asarray(labels, dtype=np.int64).reshape(-1)
    return np.asarray(labels, dtype=np.float64 if task == REGRESSION else np.uint8)


def read_part(part: Part, report: Reporter, done: int, total: int) -> tuple[Part, list[tuple[str, str]]]:
    """Decode every file once, which keeps the images in memory where they fit.

    Args:
        part: the part.
        report: told how far it is.
        done: images read before.
        total: images in all.

    Returns:
        The part without the files that could not be read, and those with the reason.
    """
    source = part.source
    if not isinstance(source, ImageFolderSource) or part.files is None:
        return part, []
    try:
        for batch in source.batches(0):
            done += batch.size
            report(Reading(done=done, total=total))
    except ValueError:  # not one file could be read
        if len(source.broken) < len(part.files):
            raise
    reasons = dict(source.broken)
    if not reasons:
        return part, []
    kept = [index for index, file in enumerate(part.files) if file not in reasons]
    broken = [(part.ids[i], reasons[file]) for i, file in enumerate(part.files) if file in reasons]
    whole = Part(
        name=part.name,
        ids=tuple(part.ids[i] for i in kept),
        labels=part.labels[kept],
        source=source,  # leaves the broken ones out by itself
        files=tuple(part.files[i] for i in kept),
    )
    return whole, broken


def shrink(image: Images, longest: int) -> Images:
    """Return an image whose longer side is at most `longest` pixels, its proportions kept."""
    from PIL import Image

    height, width, channels = image.shape
    scale = longest / max(height, width)
    if scale >= 1:
        return image
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = Image.fromarray(image[:, :, 0] if channels == 1 else image).resize(size, Image.Resampling.BICUBIC)
    array = np.asarray(small, dtype=np.uint8)
    return array if array.ndim == 3 else array[:, :, None]
