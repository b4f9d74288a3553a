"""`augment`: what an augmentation makes of images, as a sheet to look at."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from neocog import layers
from neocog.core import check_int, check_one_of, set_random_seed
from neocog.data import load_image
from neocog.data._folder import walk_files
from neocog.data._image_files import SUFFIXES, reason_of
from neocog.exceptions import ArgumentError, DataError, message
from neocog.workflows._augmentations import AUGMENTATIONS, augmentation_layers, check_augmentation
from neocog.workflows._config import check_image_size
from neocog.workflows._image_look import look_at
from neocog.workflows._mixing import MIXING
from neocog.workflows._recipe import choose_recipe
from neocog.workflows._sheet import draw_sheet, is_sheet
from neocog.workflows._task import SINGLE

MOST_ROWS = 8
_MOST_SAMPLES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentResult:
    """The sheet that `augment` drew.

    Attributes:
        sheet: the PNG file.
        augment: name of the augmentation.
        files: the images on it, in rows.
        found: number of images in the folder.
        image_size: (height, width) at which they were changed.
        broken: (file, reason) of images that could not be read.
    """

    sheet: Path
    augment: str
    files: tuple[str, ...]
    found: int
    image_size: tuple[int, int]
    broken: tuple[tuple[str, str], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "sheet": str(self.sheet),
            "augment": self.augment,
            "files": list(self.files),
            "found": self.found,
            "image_size": list(self.image_size),
            "broken": [{"file": file, "reason": reason} for file, reason in self.broken],
        }


def augment(
    path: str | os.PathLike[str],
    *,
    augment: str = "auto",
    seed: int = 0,
    count: int = 6,
    image_size: tuple[int, int] | None = None,
    out: str | os.PathLike[str] | None = None,
) -> AugmentResult:
    """Draw a sheet: each row an image as it is, then `count` augmented versions of it.

    Images are read at the size and changed by the layers that `train` would take. Of a folder, eight images
    spread over its files are shown.

    Args:
        path: an image, or a folder of images.
        augment: a name in `AUGMENTATIONS`; `"auto"` is what `train` takes for images of this size.
        seed: of the draws.
        count: versions of each image, 1 to 30.
        image_size: (height, width) in pixels; None goes by the images, as `train` does.
        out: the sheet, a .png file; default `<name>-augmented.png` in the present folder.

    Raises:
        ArgumentError: a bad name or number; an `out` that holds something else than an older sheet.
        DataError: no image, or none that can be read.
        StorageError: the sheet cannot be written.
    """
    check_one_of("augment", "augment", augment, ("auto", *AUGMENTATIONS))
    check_int("augment", "seed", seed, minimum=0)
    check_int("augment", "count", count, minimum=1)
    if count > _MOST_SAMPLES:
        raise ArgumentError(message("augment", expected=f"count up to {_MOST_SAMPLES}", got=count))
    wanted = None if image_size is None else check_image_size("augment", image_size)
    given = _given(path)
    root, names = _images(given)
    target = _target(out, given)
    size, color = look_at([str(root / name) for name in names])
    names_read, pictures, broken = _read(root, names, wanted or size, color)
    shape = pictures[0].shape
    kind = choose_recipe(shape, 1000).augment if augment == "auto" else augment
    check_augmentation(kind, SimpleNamespace(image_shape=shape, task=SINGLE))
    set_random_seed(seed)
    versions = _versions(np.stack(pictures), kind, count)
    rows = [[pictures[row], *(version[row] for version in versions)] for row in range(len(pictures))]
    title = f"{kind}: {AUGMENTATIONS[kind]} (seed {seed}, {shape[0]}×{shape[1]} pixels)"
    draw_sheet(target, title, names_read, ["original", *map(str, range(1, count + 1))], rows)
    return AugmentResult(
        sheet=target,
        augment=kind,
        files=tuple(names_read),
        found=len(names),
        image_size=(shape[0], shape[1]),
        broken=tuple(broken),
    )


def _given(path: str | os.PathLike[str]) -> Path:
    if not os.fspath(path).strip():
        raise DataError(message("augment", expected="an image or a folder of images", got="an empty path"))
    return Path(path).expanduser()


def _images(path: Path) -> tuple[Path, list[str]]:
    """Return a folder and the images in it that are asked for, relative to it."""
    if path.is_file():
        return path.parent, [path.name]
    if not path.is_dir():
        raise DataError(message(str(path), expected="an image or a folder of images", got="no such file"))
    names = [name for name in walk_files(path, follow_links=True) if name.lower().endswith(SUFFIXES)]
    if not names:
        raise DataError(message(str(path), expected="images in the folder", got="none"))
    return path, names


def _target(out: str | os.PathLike[str] | None, given: Path) -> Path:
    """Return where the sheet goes; nothing but an older sheet is written over."""
    stem = given.resolve().stem if given.is_file() else given.resolve().name
    target = Path(out).expanduser() if out is not None else Path(f"{stem or 'images'}-augmented.png")
    if target.suffix.lower() != ".png":
        raise ArgumentError(message("--out", expected="a .png file", got=repr(str(target))))
    if target.exists() and not (target.is_file() and is_sheet(target)):
        got = "a folder" if target.is_dir() else "another file, which stays as it is"
        raise ArgumentError(message(str(target), expected="a new file or an older sheet", got=got))
    folder = target.absolute().parent
    if not folder.is_dir():
        raise ArgumentError(message("--out", expected="a folder that is there", got=str(folder)))
    return target


def _read(
    root: Path, names: Sequence[str], size: tuple[int, int], color: str
) -> tuple[list[str], list[Any], list[tuple[str, str]]]:
    """Read up to eight images, spread over the names; broken ones give their place to the next."""
    kept: dict[int, Any] = {}
    broken: list[tuple[str, str]] = []
    step = max(len(names) / MOST_ROWS, 1.0)
    for row in range(min(MOST_ROWS, len(names))):
        for place in range(int(row * step), max(int((row + 1) * step), int(row * step) + 1)):
            try:
                kept[place] = load_image(root / names[place], size=size, color_mode=color)
                break
            except DataError as error:
                broken.append((names[place], reason_of(error)))
    if not kept:
        file, reason = broken[0]
        raise DataError(message(str(root / file), expected="an image that can be read", got=reason))
    return [names[place] for place in kept], list(kept.values()), broken


def _versions(pictures: Any, kind: str, count: int) -> list[Any]:
    """Return augmented versions of uint8 images (B, H, W, C), one batch after the other."""
    batch = torch.as_tensor(pictures).float() / 127.5 - 1.0
    info = SimpleNamespace(image_shape=pictures.shape[1:], task=SINGLE)
    row = augmentation_layers(kind, info)
    if kind in MIXING:
        row.append(MIXING[kind]())
    change = layers.Pipeline(row)
    versions = [change(batch, training=True) for _ in range(count)]
    return [((x + 1.0) * 127.5).round_().clamp_(0, 255).to(torch.uint8).numpy() for x in versions]
