"""Folders whose file names tell the class: cat.0.jpg, dog_12.jpg, "class-name (3).png"."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from pathlib import Path, PurePosixPath

from neocog.data._folder import check_part_classes, closed_folders, walk_files
from neocog.data._groups import compile_pattern
from neocog.data._image_files import SUFFIXES
from neocog.data._scan import SPLIT_NAMES, BrokenFile, FolderScan, ImageFile, Progress, checked_files
from neocog.exceptions import DataError, message

# A name, a separator or brackets, a number.
_NUMBERED = re.compile(r"(?P<label>.*?\S)(?:[\s._-]+\(?\d+\)?|\s*\(\d+\))")
_BARE = re.compile(r"(?P<label>.*?[^\W\d_])\d+")  # cat12
_ANOTHER_NUMBER = re.compile(r"(?:^|[\s._-])\(?\d+\)?(?=$|[\s._-])")
# What cameras and programs call every picture.
_SAYS_NOTHING = {
    *("img", "image", "images", "dsc", "dscn", "dscf", "pic", "picture", "photo", "photos", "frame", "scan"),
    *("screenshot", "file", "untitled", "p", "pxl", "vid", "capture", "train", "test", "val", "validation"),
    *("sample", "사진", "이미지", "스크린샷"),
}


def scan_flat(
    root: Path,
    *,
    pattern: str | None = None,
    follow_links: bool = True,
    check: str = "header",
    workers: int = 8,
    progress: Progress | None = None,
) -> FolderScan:
    """Read the classes from the names of files; see `scan_images` for the arguments.

    Raises:
        DataError: names that do not fit, that can be read in several ways, or that tell one class only.
    """
    closed: list[OSError] = []
    names = list(walk_files(root, follow_links=follow_links, unread=closed.append))
    paths = [name for name in names if name.lower().endswith(SUFFIXES)]
    if not paths:
        raise DataError(message(str(root), expected="images", got="none in the folder"))
    parts = _parts(paths)
    found, words = _detected_classes(root, paths) if pattern is None else _fitting(root, paths, pattern)
    strangers = [
        BrokenFile(path=path, reason="its name does not fit the pattern")
        for path in paths
        if path not in found
    ]
    composed = {path: unicodedata.normalize("NFC", label) for path, label in found.items()}
    class_names = tuple(sorted(set(composed.values())))
    if len(class_names) < 2:
        got = f"only {class_names[0]!r}"
        do = "Give a pattern: --pattern '{label}_{n}.jpg'."
        raise DataError(message(str(root), expected="file names of 2 classes or more", got=got, do=do))
    number = {name: place for place, name in enumerate(class_names)}
    images = [ImageFile(path=path, label=number[composed[path]], split=parts.get(path)) for path in composed]
    files, broken = checked_files(root, images, check, workers, progress)
    scan = FolderScan(
        root=root,
        layout="flat",
        class_names=class_names,
        files=tuple(files),
        broken=(*closed_folders(root, closed), *strangers, *broken),
        skipped=len(names) - len(paths),
        notes=(words,),
    )
    empty = next((name for name, count in scan.counts().items() if not count), None)
    if empty is not None:
        expected = f"images of class {empty!r} that can be read"
        raise DataError(message(str(root), expected=expected, got="broken files only"))
    check_part_classes(scan)
    return scan


def _detected_classes(root: Path, paths: list[str]) -> tuple[dict[str, str], str]:
    """Return the class of each file by the one form that all names have, and that form in words."""
    found = dict(zip(paths, _detected(root, paths), strict=True))
    return found, _words(paths[0], found[paths[0]])


def _fitting(root: Path, paths: list[str], pattern: str) -> tuple[dict[str, str], str]:
    """Return the class of each file whose name fits the pattern, and how they were read in words."""
    labels = compile_pattern(pattern, "label", "--pattern")
    found = {path: label for path in paths if (label := labels(path)) is not None}
    if not found:
        expected, got = f"file names that fit {pattern}", f"{paths[0]!r} and {len(paths) - 1} others"
        raise DataError(message(str(root), expected=expected, got=got))
    return found, f"classes from file names that fit {pattern}"


def _parts(paths: list[str]) -> dict[str, str]:
    """Return the part of each path where all lie in folders that are called so."""
    found = {path: SPLIT_NAMES.get(path.partition("/")[0].lower()) if "/" in path else None for path in paths}
    parts = {path: part for path, part in found.items() if part is not None}
    return parts if len(parts) == len(paths) and "train" in parts.values() else {}


def _detected(root: Path, paths: list[str]) -> list[str]:
    """Return the label of each file by what stands before its number, where that can be read in one way."""
    stems = [PurePosixPath(path).stem.strip() for path in paths]
    labels: list[str] = []
    for path, stem in zip(paths, stems, strict=True):
        hit = _NUMBERED.fullmatch(stem) or _BARE.fullmatch(stem)
        if hit is None:
            raise _unclear(root, len(paths), path, "no number after a name")
        labels.append(hit["label"].strip())
    counts = Counter(labels)
    for path, label in zip(paths, labels, strict=True):
        if not re.search(r"[^\W\d_]", label):
            raise _unclear(root, len(paths), path, "no name before the number")
        if _ANOTHER_NUMBER.search(label):
            raise _unclear(root, len(paths), path, "several numbers")
        if label.casefold() in _SAYS_NOTHING:
            raise _unclear(root, len(paths), path, f"only {label!r}, which cameras and programs write")
        if counts[label] == 1:
            raise _unclear(root, len(paths), path, f"no other image of its class {label!r}")
    return labels


def _unclear(root: Path, count: int, path: str, why: str) -> DataError:
    expected = (
        "file names of one form that tells the class (cat.0.jpg, dog_12.jpg), or one folder a class "
        "(photos/cat/1.jpg, photos/dog/2.jpg)"
    )
    got = f"{count} images directly in it, of which {path!r} has {why}"
    do = "Say how to read them, such as --pattern '{label}_{n}.jpg', or give a manifest (a CSV: file,label)."
    return DataError(message(str(root), expected=expected, got=got, do=do))


def _words(path: str, label: str) -> str:
    return (
        f"classes from file names, by what stands before the number: {PurePosixPath(path).name} is {label!r}"
    )
