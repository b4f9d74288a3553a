"""JPEG straight from libjpeg-turbo, where that gives what Pillow would; Pillow decodes the rest."""

from __future__ import annotations

import io
import os
import threading
from functools import cache
from typing import Any

import numpy as np

from neocog.data._image_files import check_pixels, without_pillow_warnings
from neocog.data._look import Look

_KEPT = 2**24  # bytes of a thread's buffer that stay for the next image
_ORIENTATION = 0x0112  # EXIF tag
_buffers = threading.local()

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def decode_jpeg(path: str | os.PathLike[str], data: bytes, look: Look) -> Pixels | None:
    """Return the pixels of a JPEG, turned as EXIF says, or None where Pillow is to decode it.

    They are what Pillow's own libjpeg-turbo gives: full size or 1/2, 1/4, 1/8, the exact integer DCT, smooth
    chroma. They may lie in memory of this thread that the next call overwrites. Whatever is wrong with a file
    is left to Pillow: its judgement and its words count.

    Raises:
        DataError: more declared pixels than are decoded.
    """
    turbo = _turbo()
    if turbo is None or not data.startswith(b"\xff\xd8") or look.color_mode == "rgba":
        return None
    try:
        height, width, colors, _ = turbo.decode_jpeg_header(data)
    except ValueError:
        return None
    if colors not in ("YCbCr", "Gray"):
        return None
    check_pixels(path, width, height)
    orientation = _orientation(data)
    scale = look.jpeg_scale(width, height, orientation >= 5)
    shape = (-(-height // scale), -(-width // scale), look.channels)
    least = {"min_height": shape[0], "min_width": shape[1], "min_factor": 1} if scale > 1 else {}
    kind = "GRAY" if look.channels == 1 else "RGB"
    try:
        pixels = turbo.decode_jpeg(data, kind, buffer=_buffer(shape), **least)
    except ValueError:
        return None
    return _turned(pixels, orientation) if pixels.shape == shape else None


def _turned(pixels: Pixels, orientation: int) -> Pixels:
    """Return pixels as EXIF says that they are to be seen."""
    if orientation == 1:
        return pixels
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    rows = slice(None, None, -1 if orientation in (3, 4, 7, 8) else 1)
    columns = slice(None, None, -1 if orientation in (2, 3, 6, 7) else 1)
    return np.ascontiguousarray(pixels[rows, columns])


def orientation_of(image: Any) -> int:
    """Return the EXIF orientation of a Pillow image, 1 to 8."""
    try:
        value = int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF says nothing about the pixels
        return 1
    return value if 1 <= value <= 8 else 1


def turbo_version() -> str:
    """Return which decoder is there, for the cache's key."""
    turbo = _turbo()
    return "none" if turbo is None else str(getattr(turbo, "__version__", "?"))


@cache
def _turbo() -> Any:
    try:
        import simplejpeg  # type: ignore[import-untyped]
    except ImportError:  # no wheel for this machine: Pillow gives the same pixels, slower
        return None
    return simplejpeg


def _buffer(shape: tuple[int, int, int]) -> Pixels:
    """Return memory for one image: fresh memory would cost a page fault every 4 KB."""
    size = shape[0] * shape[1] * shape[2]
    if size > _KEPT:
        return np.empty(size, np.uint8)
    kept = getattr(_buffers, "kept", None)
    if kept is None or len(kept) < size:
        kept = _buffers.kept = np.empty(min(2 * size, _KEPT), np.uint8)
    part: Pixels = kept[:size]
    return part


def _orientation(data: bytes) -> int:
    """Return the EXIF orientation; Pillow reads it, but only where the file says anything of the kind."""
    if not _has_orientation(data):
        return 1
    from PIL import Image

    try:
        with without_pillow_warnings(), Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            return orientation_of(image)
    except Exception:
        return 1


def _has_orientation(data: bytes) -> bool:
    """Return whether a segment before the pixels holds EXIF or XMP; True for anything unusual."""
    at, last = 2, len(data) - 4
    while at < last and data[at] == 0xFF:
        kind = data[at + 1]
        if kind == 0xDA:  # the pixels begin
            return False
        if kind == 0xE1:
            return True
        at += 2 + (data[at + 2] << 8) + data[at + 3]
    return True
