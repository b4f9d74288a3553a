"""What a scan of images found: files, classes or targets, parts, faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from neocog.data._headers import header_fault
from neocog.data._image_files import check_image
from neocog.data._prefetch import ordered_map

# What a model can be asked to say of an image.
TASKS = ("single-label", "multi-label", "regression")
# What people call the parts, and what they are called here.
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "trn": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "tst": "test",
}
PARTS = ("train", "validation", "test")
_CHUNK = 64  # files that one thread checks at a time

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFile:
    """One image.

    Attributes:
        path: below the root, with `/`.
        label: class number; -1 where the task is not `"single-label"`.
        split: its part; None: not split yet.
        labels: class numbers of an image with several labels, ascending; may be empty.
        targets: numbers to predict.
        group: images of one group (a patient, a video) belong into one part; None: a group of its own.
        weight: in the loss.
    """

    path: str
    label: int = -1
    split: str | None = None
    labels: tuple[int, ...] = ()
    targets: tuple[float, ...] = ()
    group: str | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenFile:
    """A file that cannot be used, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderScan:
    """What a folder of images or a manifest holds.

    Attributes:
        root: the folder that paths are relative to.
        layout: `"class-per-folder"`, `"split-folders"`, `"flat"` or `"manifest"`.
        class_names: the label of a file is its class's position here; sorted as in Keras, and as numbers
            where all of them are. Names of the targets for `"regression"`.
        files: readable images: of folders sorted by part, class and path, of a manifest in its order.
        broken: images that cannot be used.
        skipped: number of files with another suffix.
        empty_folders: folders in a class's place without an image: they count as no class.
        task: one of `TASKS`.
        notes: what the user should know of how the data were read, as sentences.
    """

    root: Path
    layout: str
    class_names: tuple[str, ...]
    files: tuple[ImageFile, ...]
    broken: tuple[BrokenFile, ...] = ()
    skipped: int = 0
    empty_folders: tuple[str, ...] = ()
    task: str = "single-label"
    notes: tuple[str, ...] = ()

    @property
    def splits(self) -> tuple[str, ...]:
        """The parts that are there, in the order train, validation, test; empty where nothing is split."""
        found = {file.split for file in self.files}
        return tuple(split for split in PARTS if split in found)

    def of_split(self, split: str | None) -> tuple[ImageFile, ...]:
        """Return the files of one part, or all files for None."""
        return tuple(file for file in self.files if split is None or file.split == split)

    def counts(self, split: str | None = None) -> dict[str, int]:
        """Return the number of images of each class or label, in one part or in all; none for numbers."""
        if self.task == "regression":
            return {}
        found: Counter[int] = Counter()
        for file in self.of_split(split):
            found.update((file.label,) if self.task == "single-label" else file.labels)
        return {name: found[label] for label, name in enumerate(self.class_names)}

    def absolute(self, file: ImageFile) -> str:
        """Return the full path of a file."""
        return str(self.root / file.path)


def checked_files(
    root: Path, found: list[ImageFile], check: str, workers: int, progress: Progress | None = None
) -> tuple[list[ImageFile], list[BrokenFile]]:
    """Part images by whether they can be read: by their header, or by decoding them.

    Args:
        root: of the paths.
        found: images.
        check: `"header"`, `"decode"` or `"none"`.
        workers: threads.
        progress: told (done, all) a few hundred times.
    """
    if check == "none":
        return found, []
    judge = partial(check_image, decode=True) if check == "decode" else header_fault
    base = str(root)
    chunks = [found[first : first + _CHUNK] for first in range(0, len(found), _CHUNK)]

    def judge_chunk(chunk: list[ImageFile]) -> list[str | None]:
        return [judge(f"{base}/{file.path}") for file in chunk]

    reasons: list[str | None] = []
    for answers in ordered_map(judge_chunk, chunks, workers=workers, depth=4 * workers):
        reasons += answers
        if progress is not None:
            progress(len(reasons), len(found))
    pairs = list(zip(found, reasons, strict=True))
    broken = [BrokenFile(path=file.path, reason=reason) for file, reason in pairs if reason is not None]
    return [file for file, reason in pairs if reason is None], broken
