"""A folder of images: which layout it has, which classes, which files, what is broken."""

from __future__ import annotations

import os
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from neocog.core import check_one_of
from neocog.data._image_files import SUFFIXES
from neocog.data._scan import SPLIT_NAMES, BrokenFile, FolderScan, ImageFile, Progress, checked_files
from neocog.exceptions import DataError, message

_LAYOUTS = (
    "one folder a class (photos/cat/1.jpg, photos/dog/2.jpg) or parts with one folder a class "
    "(photos/train/cat/1.jpg, photos/test/dog/2.jpg)"
)


def scan_folder(
    path: str | os.PathLike[str],
    *,
    check: str = "header",
    follow_links: bool = True,
    workers: int = 8,
    progress: Progress | None = None,
) -> FolderScan:
    """Find the classes and images of class folders; `scan_images` takes every other layout as well.

    Args:
        path: one folder a class, or train/validation/test folders that each hold one folder a class.
        check: `"header"` opens each file's header, `"decode"` decodes each file, `"none"` opens nothing.
        follow_links: follow symbolic links; a link that leads in a circle is followed once.
        workers: threads that check files.
        progress: told how many of the files are checked, and how many there are.

    Raises:
        DataError: a missing or empty folder, a file, images without class folders, one class only, parts
            whose classes differ. Each text says which layout is expected.
    """
    check = check_one_of("scan_folder", "check", check, ("header", "decode", "none"))
    root = Path(path).expanduser()
    closed: list[OSError] = []
    folders = _class_folders(root, follow_links, closed.append)
    unread = closed_folders(root, closed)
    found: list[tuple[str | None, str, str]] = []  # part, class, path
    skipped = 0
    for split, name, folder in folders:
        start = f"{folder.relative_to(root).as_posix()}/"
        for file in walk_files(folder, follow_links=follow_links, unread=_known):
            if file.lower().endswith(SUFFIXES):
                found.append((split, name, f"{start}{file}"))
            else:
                skipped += 1
    filled = {(split, name) for split, name, _ in found}
    names = sorted({name for _, name in filled})
    number = {name: label for label, name in enumerate(names)}
    images = [ImageFile(path=file, label=number[name], split=split) for split, name, file in found]
    files, broken = checked_files(root, images, check, workers, progress)
    scan = FolderScan(
        root=root,
        layout="class-per-folder" if folders[0][0] is None else "split-folders",
        class_names=tuple(names),
        files=tuple(files),
        broken=(*unread, *broken),
        skipped=skipped,
        notes=_strangers(root, folders, follow_links),
        empty_folders=tuple(
            folder.relative_to(root).as_posix()
            for split, name, folder in folders
            if (split, name) not in filled
            and folder.relative_to(root).as_posix() not in {file.path for file in unread}
        ),
    )
    _check_classes(scan)
    check_part_classes(scan)
    return scan


def walk_files(
    folder: Path, *, follow_links: bool, unread: Callable[[OSError], object] | None = None
) -> Iterator[str]:
    """Give the files below `folder`, hidden ones left out, in Keras's order, as paths relative to it.

    Args:
        folder: where they lie.
        follow_links: visit folders behind symbolic links.
        unread: told of each folder that cannot be read; None raises `DataError` for the first.
    """
    above = [path.stat() for path in folder.resolve().parents if path.exists()]  # links back up are loops
    seen = {(status.st_dev, status.st_ino) for status in above}
    rows: list[tuple[str, list[str]]] = []
    for where, subfolders, files in os.walk(folder, onerror=unread or _refuse, followlinks=follow_links):
        status = os.stat(where)
        key = (status.st_dev, status.st_ino)
        if key in seen:
            subfolders.clear()
            continue
        seen.add(key)
        subfolders[:] = [name for name in subfolders if not _hidden(name)]
        rows.append((where, sorted(name for name in files if not _hidden(name))))
    for where, files in sorted(rows):
        start = os.path.relpath(where, folder)
        for name in files:
            yield name if start == os.curdir else f"{start}/{name}".replace(os.sep, "/")


def closed_folders(root: Path, errors: list[OSError]) -> list[BrokenFile]:
    """Return the folders below `root` that could not be read, which are listed like broken files."""
    reasons = {os.path.relpath(str(error.filename), root).replace(os.sep, "/"): error for error in errors}
    return [
        BrokenFile(path=path, reason=f"a folder that may not be read ({_why(error)})")
        for path, error in sorted(reasons.items())
    ]


def warn_of_closed(error: OSError) -> None:
    """Warn of a folder that cannot be read, which Keras passes over without a word."""
    warnings.warn(
        f"{error.filename} may not be read ({_why(error)}): what is in it is left out.", stacklevel=2
    )


def _refuse(error: OSError) -> None:
    expected, do = "a folder that may be read", "Change who may read it, or move it elsewhere."
    raise DataError(message(str(error.filename), expected=expected, got=_why(error), do=do)) from error


def _why(error: OSError) -> str:
    return "permission denied" if isinstance(error, PermissionError) else error.strerror or str(error)


def _known(error: OSError) -> None:
    """Pass over a folder that is listed as broken already."""


def _class_folders(
    root: Path, follow_links: bool, unread: Callable[[OSError], object]
) -> list[tuple[str | None, str, Path]]:
    """Return (part or None, class name, folder) for every folder that stands in a class's place.

    Each folder below is looked into: `unread` is told of those that cannot be read.
    """
    subfolders = _subfolders(root)
    if not subfolders:
        raise _no_classes(root)
    used = [folder for folder in subfolders if _has_image(folder, follow_links, unread)]
    parts = _part_folders(root, used)
    if not parts:
        return [(None, _class_name(folder), folder) for folder in subfolders]
    rows: list[tuple[str | None, str, Path]] = []
    for folder in parts:
        classes = _subfolders(folder)
        if not classes:
            raise _no_classes(folder)
        part = SPLIT_NAMES[folder.name.lower()]
        rows += [(part, _class_name(inner), inner) for inner in classes]
    order = ("train", "validation", "test")
    return sorted(rows, key=lambda row: (order.index(str(row[0])), row[1]))


def _part_folders(root: Path, used: list[Path]) -> list[Path]:
    """Return the folders that are parts, none where all of them are classes.

    Args:
        root: the folder of all of them.
        used: folders that hold images.

    Raises:
        DataError: folders called like parts beside others, of which nothing tells whether they are parts.
    """
    parts = [folder for folder in used if folder.name.lower() in SPLIT_NAMES]
    train = [folder for folder in parts if SPLIT_NAMES[folder.name.lower()] == "train"]
    others = [folder for folder in used if folder not in parts]
    if not train or not others:
        return parts if train else []
    classes = {_class_name(inner) for folder in train for inner in _subfolders(folder)}
    held = [{_class_name(inner) for inner in _subfolders(folder)} for folder in parts if folder not in train]
    if len(classes) > 1 and held and all(names and names <= classes for names in held):
        return parts  # the same classes in each of them
    nested = [{_class_name(inner) for inner in _subfolders(folder)} for folder in others]
    if held or (len(classes) > 1 and any(not names or names & classes for names in nested)):
        names = " and ".join(folder.name for folder in parts)
        got = f"{names}, which are called like parts, beside {', '.join(map(_class_name, others[:5]))}"
        do = "Move what is no part elsewhere, or rename the classes that are called like parts."
        raise DataError(message(str(root), expected="either parts or classes", got=got, do=do))
    return []


def _strangers(
    root: Path, folders: list[tuple[str | None, str, Path]], follow_links: bool
) -> tuple[str, ...]:
    """Return notes on images that lie beside the folders of classes."""
    tops = sorted({folder.parent for _, _, folder in folders} | {root})
    loose = sum(
        entry.name.lower().endswith(SUFFIXES) and not _hidden(entry.name) and entry.is_file()
        for top in tops
        for entry in top.iterdir()
    )
    notes = (
        [f"{loose} {'image' if loose == 1 else 'images'} outside of class folders: not used"] if loose else []
    )
    if folders[0][0] is not None:
        others = [top for top in _subfolders(root) if top not in tops]
        beside = [top for top in others if _has_image(top, follow_links, _known)]
        notes += [
            f"the folder {top.name!r} is neither train nor validation nor test: not used" for top in beside
        ]
    return tuple(notes)


def _has_image(folder: Path, follow_links: bool, unread: Callable[[OSError], object]) -> bool:
    files = walk_files(folder, follow_links=follow_links, unread=unread)
    return any(file.lower().endswith(SUFFIXES) for file in files)


def _subfolders(root: Path) -> list[Path]:
    if not root.exists():
        raise DataError(message(str(root), expected=f"a folder with {_LAYOUTS}", got="no such folder"))
    if not root.is_dir():
        do = "Unpack it first." if root.suffix.lower() in (".zip", ".gz", ".tar", ".tgz", ".7z") else ""
        raise DataError(message(str(root), expected=f"a folder with {_LAYOUTS}", got="a file", do=do))
    try:
        entries = [entry for entry in root.iterdir() if not _hidden(entry.name) and entry.is_dir()]
    except PermissionError as error:
        raise DataError(
            message(str(root), expected="a folder that may be read", got="no permission")
        ) from error
    return sorted(entries, key=lambda entry: entry.name)


def _no_classes(folder: Path) -> DataError:
    names = [entry.name for entry in folder.iterdir() if not _hidden(entry.name) and entry.is_file()]
    images = [name for name in names if name.lower().endswith(SUFFIXES)]
    if images:
        got = f"{len(images)} images directly in it and no class folders"
        do = "Move the images of each class into a folder with the class's name."
    else:
        got, do = (f"{len(names)} files, none of them an image" if names else "an empty folder"), ""
    return DataError(message(str(folder), expected=_LAYOUTS, got=got, do=do))


def _check_classes(scan: FolderScan) -> None:
    names = scan.class_names
    if not scan.files:
        got = f"{len(scan.broken)} files that cannot be read" if scan.broken else "no image in any folder"
        raise DataError(message(str(scan.root), expected=f"images in {_LAYOUTS}", got=got))
    if len(names) < 2:
        inner = scan.root / names[0]
        nested = inner.is_dir() and len(_subfolders(inner)) > 1
        do = f"Did you mean {inner}?" if nested else "Add a folder with images of another class."
        text = f"at least 2 classes, as {_LAYOUTS}"
        raise DataError(message(str(scan.root), expected=text, got=f"only {names[0]!r}", do=do))
    for name, count in scan.counts().items():
        if count == 0:
            text = f"images that can be read in class {name!r}"
            do = f"The first: {scan.broken[0].path}: {scan.broken[0].reason}."
            raise DataError(message(str(scan.root), expected=text, got="broken files only", do=do))


def check_part_classes(scan: FolderScan) -> None:
    """Raise when a part has a class that the training part has not."""
    names = scan.class_names
    if "train" not in scan.splits:
        return
    in_train = {name for name, count in scan.counts("train").items() if count}
    for split in scan.splits:
        extra = sorted({names[file.label] for file in scan.of_split(split)} - in_train)
        if extra:
            raise DataError(
                message(
                    f"{scan.root}: {split}",
                    expected=f"the classes of train ({', '.join(sorted(in_train)[:5])})",
                    got=f"also {', '.join(map(repr, extra[:5]))}",
                    do="Every part must name its classes alike, and train must have images of each.",
                )
            )


def _class_name(folder: Path) -> str:
    """Return the class's name in composed Unicode: macOS writes Korean names decomposed."""
    return unicodedata.normalize("NFC", folder.name)


def _hidden(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "@eaDir")
