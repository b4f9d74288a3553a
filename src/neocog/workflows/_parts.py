"""Which image belongs to which part."""

from __future__ import annotations

from neocog.data import FolderScan, ImageFile, stratified_split
from neocog.exceptions import DataError, message
from neocog.workflows._data import PARTS

# The split is the same for every run on the same files, whatever its seed, so that runs can be compared.
SPLIT_SEED = 0
SHARE = 0.15  # of the images, for validation and for test


def split_files(scan: FolderScan) -> dict[str, tuple[ImageFile, ...]]:
    """Return the files of train, validation and test.

    One folder a class is split by class 70 / 15 / 15. Parts that the folder has stay; a part that it lacks is
    taken from train, 15 % of it.

    Raises:
        DataError: a class has fewer images than the split needs.
    """
    if scan.layout == "class-per-folder":
        rest = list(scan.files)
        given: dict[str, tuple[ImageFile, ...]] = {}
    else:
        rest = list(scan.of_split("train"))
        given = {part: scan.of_split(part) for part in ("validation", "test") if part in scan.splits}
    missing = [part for part in ("validation", "test") if part not in given]
    shares = (1 - SHARE * len(missing), *(SHARE for _ in missing))
    positions = _split([file.label for file in rest], shares, scan.class_names)
    taken = {
        part: tuple(rest[i] for i in indices)
        for part, indices in zip(("train", *missing), positions, strict=True)
    }
    found = {**given, **taken}
    return {part: found[part] for part in PARTS}


def split_train(labels: list[int], class_names: tuple[str, ...]) -> tuple[list[int], list[int]]:
    """Return the positions of train and validation of data that come with a test part."""
    share = SHARE if len(labels) < 20_000 else 0.1
    train, validation = _split(labels, (1 - share, share), class_names)
    return train, validation


def check_parts(counts: dict[str, list[int]], class_names: tuple[str, ...], where: str) -> list[str]:
    """Raise where a class has no image to train on; return what else is odd, in words.

    Args:
        counts: images of each class by part.
        class_names: in the order of the labels.
        where: the data, for the error text.
    """
    warnings = []
    for part, numbers in counts.items():
        for name, count in zip(class_names, numbers, strict=True):
            if count == 0 and part == "train":
                text = f"images of class {name!r} to train on"
                raise DataError(message(where, expected=text, got="none that can be read"))
            if count == 0:
                warnings.append(f"the {part} part has no image of class {name!r}")
        if sum(numbers) == 0:
            raise DataError(message(f"{where}: {part}", expected="images that can be read", got="none"))
    return warnings


def _split(labels: list[int], shares: tuple[float, ...], class_names: tuple[str, ...]) -> list[list[int]]:
    if len(shares) == 1:
        return [list(range(len(labels)))]
    return [part.tolist() for part in stratified_split(labels, shares, SPLIT_SEED, class_names=class_names)]
