"""One way in for every layout of images: folders, file names, manifests."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from neocog.core import check_one_of
from neocog.data._download import file_sha256
from neocog.data._flat import scan_flat
from neocog.data._folder import scan_folder, walk_files
from neocog.data._groups import group_files, group_pattern
from neocog.data._image_files import SUFFIXES
from neocog.data._manifest import scan_manifest
from neocog.data._manifest_table import MANIFEST_SUFFIXES
from neocog.data._scan import SPLIT_NAMES, TASKS, FolderScan, ImageFile, Progress
from neocog.exceptions import ArgumentError, DataError, message

_ARCHIVES = (".zip", ".gz", ".tar", ".tgz", ".7z")  # `scan_folder` says what to do
PathLike = str | os.PathLike[str]


def scan_images(
    path: PathLike,
    *,
    task: str = "auto",
    label: str | None = None,
    pattern: str | None = None,
    images: PathLike | None = None,
    group_by: str | None = None,
    check: str = "header",
    follow_links: bool = True,
    workers: int = 8,
    progress: Progress | None = None,
) -> FolderScan:
    """Find images and what is to be learned of them, in whatever layout they come.

    | layout | looks like |
    | --- | --- |
    | one folder a class | photos/cat/1.jpg, photos/dog/2.jpg |
    | parts | photos/train/cat/1.jpg, photos/test/dog/2.jpg |
    | file names | photos/cat.0.jpg, photos/dog_12.jpg; other forms with `pattern` |
    | manifest | labels.csv, .tsv, .jsonl or .parquet: a row for each image |

    A manifest's columns are found by their names: file (path, image, filename); label (class, category);
    labels (tags; separated by `|`, `;` or `,`), or a column of 0 and 1 for each class; split (part, set,
    subset); group (patient, subject, …); weight; target, or columns of numbers. `notes` says how they were
    read.

    Args:
        path: folder or manifest.
        task: `"single-label"`, `"multi-label"`, `"regression"`, or `"auto"`, which goes by the values. With
            `"multi-label"` an image that lies in several class folders has all of their labels.
        label: the manifest's column, or several separated by commas, with what is to be learned.
        pattern: form of the file names, as a template (`"{label}_{n}.jpg"`) or a regular expression.
        images: folder that a manifest's paths are relative to; default its own. Nothing outside is opened.
        group_by: a manifest's column, or a pattern with `{group}`: images of one group stay in one part.
        check: `"header"` looks at each file's header, `"decode"` decodes each file, `"none"` opens nothing.
        follow_links: follow symbolic links; a link that leads in a circle is followed once.
        workers: threads that check files.
        progress: told how many files are checked, and how many there are.

    Raises:
        ArgumentError: options that the layout does not have.
        DataError: a layout that cannot be read, no image, one class only. Files and rows that cannot be used
            are listed in `broken` instead.
        MissingExtraError: a Parquet file without pyarrow.
    """
    check_one_of("scan_images", "task", task, ("auto", *TASKS))
    check_one_of("scan_images", "check", check, ("header", "decode", "none"))
    root = Path(path).expanduser()
    form: dict[str, object] = {"check": check, "workers": workers, "progress": progress}
    if root.is_file() and root.suffix.lower() in MANIFEST_SUFFIXES:
        if pattern is not None:
            raise _not_here("--pattern", "a folder", root)
        return scan_manifest(
            root,
            task=task,
            label=label,
            images=None if images is None else Path(images).expanduser(),
            group_by=group_by,
            check=check,
            workers=workers,
            progress=progress,
        )
    _check_folder_options(root, task, label, images)
    if root.is_dir() and (pattern is not None or _is_flat(root, follow_links)):
        manifests = _manifests_of_folder(root)
        if pattern is None and len(manifests) == 1 and not _names_tell(root, follow_links):
            return scan_images(manifests[0], task=task, group_by=group_by, follow_links=follow_links, **form)  # type: ignore[arg-type]
        scan = scan_flat(root, pattern=pattern, follow_links=follow_links, **form)  # type: ignore[arg-type]
        unread = (f"{manifest.name} is not used: give {manifest} as data instead" for manifest in manifests)
        scan = replace(scan, notes=(*scan.notes, *unread))
    else:
        scan = scan_folder(root, follow_links=follow_links, **form)  # type: ignore[arg-type]
    if task == "multi-label":
        scan = _several_labels(scan)
    return _grouped(scan, group_by)


def _check_folder_options(root: Path, task: str, label: str | None, images: PathLike | None) -> None:
    """Raise for a file that is no manifest, and for options that a folder does not have."""
    if root.is_file() and root.suffix.lower() not in _ARCHIVES:
        kinds = ", ".join(MANIFEST_SUFFIXES)
        raise DataError(
            message(str(root), expected=f"a folder, or a manifest ({kinds})", got="a file of another kind")
        )
    for option, value in (("--label", label), ("--images", images)):
        if value is not None:
            raise _not_here(option, "a manifest", root)
    if task == "regression":
        do = "Write a CSV with the columns file and target."
        raise DataError(
            message(str(root), expected="a manifest with numbers to learn", got="a folder", do=do)
        )


def _grouped(scan: FolderScan, group_by: str | None) -> FolderScan:
    """Return the scan with the group of each file, where the paths tell it."""
    grouped = group_pattern(group_by)
    if grouped is None:
        return scan
    return replace(scan, files=tuple(group_files(scan.files, grouped, str(group_by))))


def _not_here(option: str, wanted: str, root: Path) -> ArgumentError:
    return ArgumentError(message(option, expected=f"{wanted} as data", got=str(root)))


def _is_flat(root: Path, follow_links: bool) -> bool:
    """Return whether images lie directly in the folder, or directly in its parts, and in no class folder."""
    subfolders = [entry for entry in sorted(root.iterdir()) if entry.is_dir() and entry.name[:1] != "."]
    used = [folder for folder in subfolders if _has_image(folder, follow_links, deep=True)]
    if not used:
        return _has_image(root, follow_links, deep=False)
    if not all(folder.name.lower() in SPLIT_NAMES for folder in used):
        return False
    train = any(SPLIT_NAMES[folder.name.lower()] == "train" for folder in used)
    inner = (entry for folder in used for entry in folder.iterdir() if entry.is_dir())
    return train and not any(_has_image(entry, follow_links, deep=True) for entry in inner)


def _has_image(folder: Path, follow_links: bool, *, deep: bool) -> bool:
    if deep:
        names = walk_files(folder, follow_links=follow_links, unread=lambda error: None)  # told by the scan
        return any(name.lower().endswith(SUFFIXES) for name in names)
    with os.scandir(folder) as entries:
        return any(
            entry.name.lower().endswith(SUFFIXES) and entry.name[:1] != "." and entry.is_file()
            for entry in entries
        )


def _manifests_of_folder(root: Path) -> list[Path]:
    """Return the manifests that lie with the images."""
    return [
        entry
        for entry in sorted(root.iterdir())
        if entry.suffix.lower() in MANIFEST_SUFFIXES and entry.is_file() and entry.name[:1] != "."
    ]


def _names_tell(root: Path, follow_links: bool) -> bool:
    """Return whether the names of the images alone tell their classes."""
    try:
        scan_flat(root, follow_links=follow_links, check="none")
    except DataError:
        return False
    return True


def _several_labels(scan: FolderScan) -> FolderScan:
    """Join files of the same content: an image that lies in several class folders has all of their labels."""
    by_content: dict[tuple[str | None, str], list[ImageFile]] = defaultdict(list)
    by_size: dict[int, list[ImageFile]] = defaultdict(list)
    for file in scan.files:
        by_size[os.path.getsize(scan.absolute(file))].append(file)
    for alike in by_size.values():
        for file in alike:  # a file of a size of its own has no copy
            key = file.path if len(alike) == 1 else file_sha256(Path(scan.absolute(file)))
            by_content[file.split, key].append(file)
    joined = {
        same[0].path: replace(same[0], label=-1, labels=tuple(sorted({file.label for file in same})))
        for same in by_content.values()
    }
    several = sum(len(file.labels) > 1 for file in joined.values())
    note = f"{several} of {len(joined)} images lie in several class folders and have all of their labels"
    files = tuple(joined[file.path] for file in scan.files if file.path in joined)
    return replace(scan, files=files, task="multi-label", notes=(*scan.notes, note))
