"""Image files: opened safely, checked, and every fault put in words that name the file."""

from __future__ import annotations

import io
import os
import re
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neocog.exceptions import DataError, message

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp"),
    *(".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm"),
)
# An image with more pixels is refused before it is decoded: it would take over half a gigabyte as RGBA.
MAX_PIXELS = 178_956_970

# The first bytes of files that people take for readable images.
_KNOWN = (
    (b"%PDF", "a PDF"),
    (b"<!DO", "a web page"),
    (b"<htm", "a web page"),
    (b"<svg", "an SVG drawing"),
    (b"<?xm", "an XML or SVG file"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"8BPS", "a Photoshop file"),
    (b"II*\x00", "a damaged TIFF"),
    (b"\x89PNG", "a damaged PNG"),
    (b"\xff\xd8", "a damaged JPEG"),
    (b"GIF8", "a damaged GIF"),
    (b"RIFF", "a damaged WebP"),
    (b"BM", "a damaged BMP"),
)


# A longer file is not read into memory as a whole: Pillow takes from it what it needs.
_WHOLE = 2**28


@dataclass(frozen=True, slots=True)
class FileBytes:
    """What a file held.

    Attributes:
        path: the file.
        data: its bytes; None for a file of over 256 MB.
        status: of the file when `data` were read; None where it changed meanwhile.
    """

    path: str
    data: bytes | None
    status: os.stat_result | None = None


def read_file(path: str | os.PathLike[str]) -> FileBytes:
    """Read an image file once, for its checksum and for its pixels.

    Raises:
        DataError: no regular file with bytes in it, or one that may not be read.
    """
    try:
        handle = _open_at_once(path)
    except (OSError, ValueError):
        _check_file(path)
        handle = -1
    try:
        if handle < 0:
            raise PermissionError
        return _read_all(path, handle)
    except Exception as error:
        with _naming(path):
            raise error
    finally:
        if handle >= 0:
            os.close(handle)


def read_head(path: str | os.PathLike[str], count: int) -> bytes:
    """Return the first bytes of a file, without waiting where it is a pipe or a device.

    Raises:
        OSError: no regular file, or one that may not be read.
    """
    handle = _open_at_once(path)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError("not a regular file")
        return os.read(handle, count)
    finally:
        os.close(handle)


def _open_at_once(path: str | os.PathLike[str]) -> int:
    """Open a file to read, without waiting: opening a pipe would wait for its writer."""
    return os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))


def _read_all(path: str | os.PathLike[str], handle: int) -> FileBytes:
    before = os.fstat(handle)
    if not stat.S_ISREG(before.st_mode) or before.st_size == 0:
        _check_file(path)
    if before.st_size > _WHOLE:
        return FileBytes(os.fspath(path), None)
    data = os.read(handle, before.st_size + 1)
    while len(data) < before.st_size and (more := os.read(handle, before.st_size - len(data))):
        data += more
    after = os.fstat(handle)
    same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    return FileBytes(os.fspath(path), data, after if same and len(data) == after.st_size else None)


@contextmanager
def open_image(path: str | os.PathLike[str], data: bytes | None = None) -> Iterator[Image.Image]:
    """Open an image file, decoding nothing yet: existence, format and pixel count are checked.

    Args:
        path: the file.
        data: its bytes, where they are read already.

    Raises:
        DataError: naming the file and the fault, also for one that the block raises while decoding.
    """
    from PIL import Image

    if data is None:
        _check_file(path)
    opened: Any = path if data is None else io.BytesIO(data)
    with without_pillow_warnings(), _naming(path), Image.open(opened, formats=FORMATS) as image:
        check_pixels(path, *image.size)
        yield image


def check_pixels(path: str | os.PathLike[str], width: int, height: int) -> None:
    """Raise for an image that declares more pixels than any photograph has, before it is decoded."""
    if width * height > MAX_PIXELS:
        expected = f"an image of at most {MAX_PIXELS // 10**6} million pixels"
        raise DataError(
            message(str(path), expected=expected, got=f"{width}×{height}", do="Scale it down first.")
        )


def check_image(path: str | os.PathLike[str], *, decode: bool = False) -> str | None:
    """Return None for an image that can be read, else what is wrong with the file in a few words.

    Args:
        path: the file.
        decode: decode every pixel (finds truncated data) instead of reading the header alone.
    """
    try:
        with open_image(path) as image:
            if decode:
                image.load()
    except DataError as error:
        return reason_of(error)
    return None


def reason_of(error: Exception) -> str:
    """Return the `got` part of an error's text, to list beside the file's name."""
    return str(error).partition(", got ")[2].partition(". ")[0].rstrip(".") or str(error)


def _check_file(path: str | os.PathLike[str]) -> None:
    """Raise for a path that no image can be read from."""
    fault = ""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            fault = "a folder" if stat.S_ISDIR(status.st_mode) else "something that is no regular file"
        elif status.st_size == 0:
            fault = "an empty file (0 bytes)"
    except (FileNotFoundError, NotADirectoryError):
        fault = "no such file"
    except PermissionError:
        fault = "a file that may not be read (permission denied)"
    except OSError as error:
        fault = f"one that cannot be opened ({(error.strerror or str(error)).lower()})"
    except ValueError as error:
        fault = str(error)
    if fault:
        raise DataError(message(str(path), expected="an image file", got=fault))


@contextmanager
def _naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn whatever Pillow raises on a damaged file into a `DataError` that names file and fault."""
    try:
        yield
    except (DataError, MemoryError):
        raise
    except Exception as error:
        kinds = "a whole image (JPEG, PNG, BMP, GIF, WebP, TIFF or PPM)"
        raise DataError(message(str(path), expected=kinds, got=_fault(path, error))) from error


def _fault(path: str | os.PathLike[str], error: Exception) -> str:
    from PIL import Image, UnidentifiedImageError

    if isinstance(error, Image.DecompressionBombError):
        return "one with too many pixels"
    if isinstance(error, PermissionError):
        return "a file that may not be read (permission denied)"
    if isinstance(error, UnidentifiedImageError):
        return _sniffed(path)
    text = re.sub(r"\s+", " ", str(error)).strip().rstrip(".")
    if "truncated" in text.lower() or isinstance(error, EOFError):
        return f"a truncated file ({text or 'its end is missing'})"
    return f"a damaged file ({text or type(error).__name__})"


def _sniffed(path: str | os.PathLike[str]) -> str:
    """Return what the first bytes of an unreadable file say that it is."""
    head = b""
    with suppress(OSError):
        head = read_head(path, 32)
    if head[4:8] == b"ftyp":
        return "a HEIC, AVIF or video file, which must be converted to JPEG or PNG"
    known = next((what for start, what in _KNOWN if head.lower().startswith(start.lower())), None)
    if known:
        return known
    return "a text file" if head.isascii() and head.decode("ascii").isprintable() else "no image"


_quiet_lock = threading.Lock()
_quiet_users = 0
_quiet_entry: Any = None


@contextmanager
def without_pillow_warnings() -> Iterator[None]:
    """Keep Pillow's warnings (odd EXIF, large images) from the user while some thread decodes.

    `warnings.catch_warnings` is not safe in threads: one filter for Pillow's modules is set and taken away.
    """
    global _quiet_users, _quiet_entry
    with _quiet_lock:
        _quiet_users += 1
        if _quiet_users == 1:
            warnings.filterwarnings("ignore", module=r"PIL\.")
            _quiet_entry = warnings.filters[0]
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_users -= 1
            if _quiet_users == 0:
                with suppress(ValueError, AttributeError):
                    warnings.filters.remove(_quiet_entry)  # type: ignore[attr-defined]
