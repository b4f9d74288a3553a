"""One look at each image: what it measures, and a small grey picture of it to compare by.

Letters: N images, S side of the small picture.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from neocog.data import file_sha256, ordered_map
from neocog.data._image_files import open_image, reason_of
from neocog.data._images import _draft, _turned, to_color_mode
from neocog.data._jpeg import orientation_of
from neocog.exceptions import DataError

if TYPE_CHECKING:
    from PIL import Image

Array = np.ndarray[Any, Any]
Progress = Callable[[str, int, int], None]  # what, done, total

SIDE = 64  # pixels a side of the small grey picture
_SHARP_SIDE = 128  # pixels a side at which sharpness is measured


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at one image file found; `reason` says why it could not be read."""

    sha256: str
    height: int = 0
    width: int = 0
    orientation: int = 1
    brightness: float = 0.0
    contrast: float = 0.0
    sharpness: float = 0.0
    thumb: Array | None = None  # uint8 (S, S)
    pixels: Array | None = None  # uint8 (side, side, 3), where asked for
    reason: str | None = None


@dataclass(frozen=True)
class Looks:
    """What was found of N images, as columns.

    Attributes:
        sha256: of each file; empty where it could not even be opened.
        height, width: pixels as shown, after the turn that EXIF asks for; 0 for what cannot be read.
        orientation: of EXIF, 1 to 8; 1 is upright.
        brightness: mean grey value, 0 to 255.
        contrast: standard deviation of the grey values.
        sharpness: strength of the finest details against the contrast; low for blurred images.
        thumbs: uint8 (N, S, S), grey.
        reasons: why an image cannot be read, by position.
    """

    sha256: tuple[str, ...]
    height: Array
    width: Array
    orientation: Array
    brightness: Array
    contrast: Array
    sharpness: Array
    thumbs: Array
    reasons: dict[int, str]

    @property
    def readable(self) -> Array:
        """Positions of the images that can be read, in order."""
        return np.array([i for i in range(len(self.sha256)) if i not in self.reasons], dtype=np.int64)


def look_at_file(path: str | os.PathLike[str], *, side: int = _SHARP_SIDE, pixels: bool = False) -> Look:
    """Decode one image, no larger than needed, and measure it.

    Args:
        path: the file.
        side: pixels a side that the decoded image covers at least.
        pixels: keep the image in colour, stretched to `side` × `side`.
    """
    digest = ""
    try:
        digest = file_sha256(path) if os.path.isfile(path) else ""
        with open_image(path) as image:
            orientation = orientation_of(image)
            width, height = image.size
            _draft(image, (side, side), "rgb")
            image.load()
            upright = _turned(to_color_mode(image, "rgb"), orientation_of(image))  # TIFFs are turned by now
    except DataError as error:
        return Look(digest, reason=reason_of(error))
    except (OSError, ValueError) as error:
        return Look(digest, reason=str(getattr(error, "strerror", None) or error))
    except MemoryError:
        return Look(digest, reason="too large for this machine's memory")
    if orientation >= 5:
        width, height = height, width
    kept = np.asarray(_resized(upright, side, side), dtype=np.uint8) if pixels else None
    return _measured(upright, digest, height, width, orientation, kept)


def look_at_pixels(image: Array) -> Look:
    """Measure an image that is decoded already: uint8 (H, W, C)."""
    from PIL import Image

    height, width = image.shape[:2]
    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image[..., :3])
    return _measured(picture, hashlib.sha256(image.tobytes()).hexdigest(), height, width, 1, None)


def look_at_files(
    paths: Sequence[str | os.PathLike[str]],
    *,
    side: int = _SHARP_SIDE,
    pixels: bool = False,
    workers: int | None = None,
) -> Iterator[Look]:
    """Look at many files with threads, in order."""
    count = workers or min(os.cpu_count() or 1, 8)
    return ordered_map(partial(look_at_file, side=side, pixels=pixels), paths, workers=count, depth=8 * count)


def gather_looks(looks: Iterator[Look], total: int, progress: Progress | None = None) -> Looks:
    """Return looks as columns; `progress` is told how far it is."""
    measured = np.zeros((total, 6), dtype=np.float64)
    thumbs = np.zeros((total, SIDE, SIDE), dtype=np.uint8)
    digests, reasons = [], {}
    for index, look in enumerate(looks):
        digests.append(look.sha256)
        if look.reason is not None:
            reasons[index] = look.reason
        measured[index] = (
            *(look.height, look.width, look.orientation),
            *(look.brightness, look.contrast, look.sharpness),
        )
        if look.thumb is not None:
            thumbs[index] = look.thumb
        if progress is not None:
            progress("looking at images", index + 1, total)
    return Looks(
        sha256=tuple(digests),
        height=measured[:, 0].astype(np.int64),
        width=measured[:, 1].astype(np.int64),
        orientation=measured[:, 2].astype(np.int64),
        brightness=measured[:, 3],
        contrast=measured[:, 4],
        sharpness=measured[:, 5],
        thumbs=thumbs,
        reasons=reasons,
    )


def _measured(
    image: Image.Image, digest: str, height: int, width: int, orientation: int, kept: Array | None
) -> Look:
    grey = _resized(image.convert("L"), _SHARP_SIDE, _SHARP_SIDE)
    fine = np.asarray(grey, dtype=np.float32)
    thumb = np.asarray(_resized(grey, SIDE, SIDE), dtype=np.uint8)
    contrast = float(fine.std())
    edges = 4 * fine[1:-1, 1:-1] - fine[:-2, 1:-1] - fine[2:, 1:-1] - fine[1:-1, :-2] - fine[1:-1, 2:]
    return Look(
        sha256=digest,
        height=height,
        width=width,
        orientation=orientation,
        brightness=float(fine.mean()),
        contrast=contrast,
        sharpness=float(edges.std()) / (contrast + 1.0),
        thumb=thumb,
        pixels=kept,
    )


def stretched(pixels: Array, height: int, width: int) -> Array:
    """Return an image, uint8 (H, W, 3), at another size."""
    from PIL import Image

    return np.asarray(_resized(Image.fromarray(pixels), height, width), dtype=np.uint8)


def _resized(image: Image.Image, height: int, width: int) -> Image.Image:
    from PIL import Image

    return image.resize((width, height), Image.Resampling.BILINEAR)  # antialiased when it shrinks
