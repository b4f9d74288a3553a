"""Keras's `image_dataset_from_directory`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neocog.core import (
    check_int,
    check_ntuple,
    check_number,
    check_one_of,
    draw_seed,
    standardize_data_format,
)
from neocog.data._folder import walk_files, warn_of_closed
from neocog.data._image_dataset import ImageDataset
from neocog.data._image_source import ImageFolderSource
from neocog.data._look import COLOR_MODES, INTERPOLATIONS
from neocog.exceptions import ArgumentError, DataError, message

_MOST_SEED = 2**32 - 1  # of NumPy's generator, which mixes the files as in Keras
# Keras's list: the same files, and so the same split for the same seed.
_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_WHERE = "image_dataset_from_directory"


def image_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: str | Sequence[int] | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: tuple[int, int] | int = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Return the images of a folder as batches (one folder a class, unless labels are given).

    The same seed picks the same files for training and validation as Keras does. Resizing is antialiased,
    EXIF rotation is applied, and labels are int64 (Keras: int32).

    Args:
        directory: the folder.
        labels: `"inferred"` from the class folders, None, or one class number a file in alphanumeric order.
        label_mode: `"int"`, `"binary"` (float32, (B, 1)), `"categorical"` (one-hot) or None.
        class_names: the class folders to use, in the order of the labels.
        color_mode: `"rgb"`, `"grayscale"` or `"rgba"`.
        batch_size: images a batch; None gives single images.
        image_size: (height, width) in pixels.
        shuffle: mix the files; False keeps alphanumeric order.
        seed: of mixing and split.
        validation_split: fraction from 0 to 1 for validation, together with `subset`.
        subset: `"training"`, `"validation"` or `"both"` (returns two data sets).
        interpolation: as in `load_image`.
        follow_links: visit folders behind symbolic links.
        crop_to_aspect_ratio: cut instead of stretching.
        pad_to_aspect_ratio: pad with black instead of stretching.
        data_format: `"channels_last"` or `"channels_first"`; None stands for the default.
        format: accepted as in Keras; the result is an `ImageDataset` in either case.
        verbose: print how many files and classes were found.

    Returns:
        An `ImageDataset`, or a list of two for `subset="both"`.

    Raises:
        DataError: no folder, no images, labels that do not fit.
        ArgumentError: a bad value or combination of arguments.
    """
    check_one_of(_WHERE, "format", format, ("tf", "grain"))
    check_one_of(_WHERE, "label_mode", label_mode, ("int", "categorical", "binary", None))
    look = _look(image_size, color_mode, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio)
    size = None if batch_size is None else check_int(_WHERE, "batch_size", batch_size, minimum=1)
    seed = check_seed_and_split(_WHERE, seed, validation_split, subset, shuffle)
    first_axis = standardize_data_format(data_format) == "channels_first"
    given = None if label_mode is None else labels
    root = Path(directory).expanduser()
    files, numbers, names = index_files(_WHERE, root, given, class_names, follow_links, _SUFFIXES, "images")
    if verbose:
        print(f"Found {len(files)} files" + (f" belonging to {len(names)} classes." if names else "."))
    if shuffle:
        files, numbers = mixed(files, numbers, seed)

    def part(first: int, last: int, mix: bool) -> ImageDataset:
        chosen = files[first:last], None if numbers is None else numbers[first:last]
        options = {**look, "label_mode": label_mode, "num_classes": len(names) if names else None}
        source = ImageFolderSource(*chosen, batch_size=size or 32, shuffle=mix, seed=seed, **options)
        return ImageDataset(source, names, batched=size is not None, channels_first=first_axis)

    return parts_of(_WHERE, part, len(files), validation_split, subset, shuffle, verbose)


def _look(image_size: Any, color_mode: str, interpolation: str, crop: bool, pad: bool) -> dict[str, Any]:
    """Return what the images of an `ImageFolderSource` are to look like, as its arguments."""
    return {
        "color_mode": check_one_of(_WHERE, "color_mode", color_mode, tuple(COLOR_MODES)),
        "image_size": check_ntuple(_WHERE, "image_size", image_size, 2),
        "interpolation": check_one_of(_WHERE, "interpolation", interpolation, INTERPOLATIONS),
        "crop_to_aspect_ratio": crop,
        "pad_to_aspect_ratio": pad,
    }


def mixed(files: list[str], numbers: list[int] | None, seed: int) -> tuple[list[str], list[int] | None]:
    """Return files and labels in the order in which Keras mixes them with this seed."""
    order = np.arange(len(files))
    np.random.RandomState(seed).shuffle(order)
    return [files[i] for i in order], None if numbers is None else [numbers[i] for i in order]


def parts_of(
    where: str,
    part: Callable[[int, int, bool], Any],
    count: int,
    validation_split: float | None,
    subset: str | None,
    shuffle: bool,
    verbose: bool,
) -> Any:
    """Return the wanted part or parts; the last `validation_split` of the files is for validation."""
    if not validation_split:
        return part(0, count, shuffle)
    held_out = int(validation_split * count)
    if held_out in (0, count):
        got = f"{count} files split at {validation_split:g}"
        raise DataError(message(where, expected="files on each side of the split", got=got))
    if verbose and subset in ("training", "both"):
        print(f"Using {count - held_out} files for training.")
    if verbose and subset in ("validation", "both"):
        print(f"Using {held_out} files for validation.")
    if subset == "both":
        return [part(0, count - held_out, shuffle), part(count - held_out, count, False)]
    return (
        part(0, count - held_out, shuffle) if subset == "training" else part(count - held_out, count, shuffle)
    )


def check_seed_and_split(
    where: str, seed: int | None, validation_split: float | None, subset: str | None, shuffle: bool
) -> int:
    """Return the seed, a drawn one for None, after checking that it and the split fit together."""
    _check_split(where, validation_split, subset, shuffle, seed)
    if seed is None:
        return draw_seed()
    if check_int(where, "seed", seed, minimum=0) > _MOST_SEED:
        raise ArgumentError(message(where, expected=f"a seed up to {_MOST_SEED}", got=seed))
    return seed


def _check_split(
    where: str, validation_split: float | None, subset: str | None, shuffle: bool, seed: int | None
) -> None:
    check_one_of(where, "subset", subset, ("training", "validation", "both", None))
    if bool(validation_split) != bool(subset):
        raise ArgumentError(
            message(
                where,
                expected="validation_split and subset together",
                got=f"validation_split={validation_split!r}, subset={subset!r}",
            )
        )
    if not validation_split:
        return
    check_number(where, "validation_split", validation_split, minimum=0, maximum=1)
    if validation_split == 1:
        raise ArgumentError(message(where, expected="validation_split below 1", got=validation_split))
    if shuffle and seed is None:
        do = "Pass the same seed for both subsets: otherwise they overlap."
        raise ArgumentError(message(where, expected="a seed beside validation_split", got="None", do=do))


def index_files(
    where: str,
    root: Path,
    labels: Any,
    class_names: Sequence[str] | None,
    follow_links: bool,
    suffixes: tuple[str, ...],
    what: str,
) -> tuple[list[str], list[int] | None, list[str] | None]:
    """Return the files in Keras's order, their labels and the names of the classes.

    Args:
        where: the function, for error texts.
        root: the folder.
        labels: `"inferred"`, None, or a class number a file.
        class_names: the class folders to use; None for all.
        follow_links: visit folders behind symbolic links.
        suffixes: endings of the files that count.
        what: what such files hold, for error texts.
    """
    walk = partial(_files_below, follow_links=follow_links, suffixes=suffixes, what=what)
    if not root.is_dir():
        got = "a file" if root.exists() else "no such folder"
        raise DataError(message(str(root), expected="a folder with one folder a class", got=got))
    listed = isinstance(labels, (list, tuple, np.ndarray, torch.Tensor))
    if not (labels is None or listed or labels == "inferred"):
        raise ArgumentError(message(where, expected='labels="inferred", None or a list', got=repr(labels)))
    if class_names is not None and (labels is None or not isinstance(labels, str)):
        raise ArgumentError(message(where, expected='class_names with labels="inferred" only', got="both"))
    if isinstance(labels, str):
        return _inferred(where, root, class_names, walk)
    files = walk(root)
    if labels is None:
        return files, None, None
    numbers = [int(label) for label in labels]
    if len(numbers) != len(files):
        raise DataError(
            message(str(root), expected=f"one label for each of the {len(files)} files", got=len(numbers))
        )
    return files, numbers, [str(label) for label in sorted(set(numbers))]


def _inferred(
    where: str, root: Path, class_names: Sequence[str] | None, walk: Callable[..., list[str]]
) -> tuple[list[str], list[int], list[str]]:
    found = sorted(
        entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith(".")
    )
    names = found if class_names is None else list(class_names)
    if not set(names) <= set(found):
        raise ArgumentError(message(where, expected=f"class_names among {found}", got=names))
    if not names:
        do = "Make one folder a class, or pass labels=None."
        raise DataError(message(str(root), expected="one folder a class", got="no folders in it", do=do))
    files: list[str] = []
    numbers: list[int] = []
    for number, name in enumerate(names):
        below = walk(root / name, required=False)
        files += below
        numbers += [number] * len(below)
    if not files:
        walk(root)  # says what is missing
    return files, numbers, names


def _files_below(
    folder: Path, *, follow_links: bool, suffixes: tuple[str, ...], what: str, required: bool = True
) -> list[str]:
    files = [
        str(folder / file)
        for file in walk_files(folder, follow_links=follow_links, unread=warn_of_closed)
        if file.lower().endswith(suffixes)
    ]
    if required and not files:
        raise DataError(message(str(folder), expected=f"{what} ({', '.join(suffixes)})", got="none"))
    return files
