"""Decoded images kept on disk between runs: by the file's SHA-256 and by what the image is to look like.

Below `neocog_home()/cache/images` each look (size, colours, resizing, decoder) has a folder of segments, and
`files` remembers the checksums of unchanged files. Whatever goes wrong with the disk, images are decoded as
if there were no cache, and the user is told once.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from neocog.core import neocog_home
from neocog.data._cache_room import chosen_limit, make_room, newest_files
from neocog.data._cache_segment import Segment, create_segment, open_segment, row_bytes
from neocog.data._cache_sums import FileSums
from neocog.data._images import decoder_version
from neocog.data._look import Look

_SEGMENT = 2**28  # bytes of one file at most
_LARGEST = 2**26  # bytes of one image at most
_FEWEST = 16  # images for which a file is made where there is little room

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Place = tuple[Segment, int]


class DecodeCache:
    """The decoded images of one look.

    Args:
        root: the folder of all looks.
        look: what the images are to look like; its size is given.
        version: what else decides the pixels.
    """

    def __init__(self, root: Path, look: Look, version: str) -> None:
        height, width = look.size or (0, 0)
        self.shape = (height, width, look.channels)
        text = json.dumps({"look": repr(look), "decoder": version}, indent=1)
        self.root = root
        self.folder = root / hashlib.sha256(text.encode()).hexdigest()[:16]
        self.fault: str | None = None
        self._told = False
        self._lock = threading.Lock()
        self._places: dict[bytes, Place] = {}
        self._others: dict[bytes, list[Place]] = {}  # two processes may have decoded the same file
        self._segments: dict[str, Segment] = {}
        self._writing: Segment | None = None
        self._closed = False  # to new images
        self.sums = FileSums(root / "files")
        try:
            for folder in (root / "files", self.folder):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not (self.folder / "look.json").exists():
                (self.folder / "look.json").write_text(text, encoding="utf-8")
        except OSError as error:
            self._stop(error)

    def locate(self, files: Sequence[str]) -> list[tuple[bytes | None, Place | None]]:
        """Return for each file its SHA-256, if it is known without reading, and the image's place, if any."""
        self._look_for_segments()
        if self.empty:  # a first run: nothing to find
            return [(None, None)] * len(files)
        found: list[tuple[bytes | None, Place | None]] = []
        for file in files:
            digest = self.known(file)
            found.append((digest, None if digest is None else self._places.get(digest)))
        for segment in {place[0] for _, place in found if place is not None}:
            segment.touch()
        return found

    @property
    def empty(self) -> bool:
        """Whether no image is there, so that no checksum can find one."""
        return not self._places

    def known(self, file: str) -> bytes | None:
        """Return a file's SHA-256 where it is known without reading."""
        with suppress(OSError, ValueError):
            return self.sums.get(file, os.stat(file))
        return None

    def find(self, digest: bytes) -> Place | None:
        """Return the place of the image of a file with this SHA-256."""
        place = self._places.get(digest)
        if place is not None:
            place[0].touch()
        return place

    def next_place(self, digest: bytes) -> Place | None:
        """Drop the place of an image whose pixels are damaged; return another one, if there is any."""
        others = self._others.get(digest)
        if others:
            self._places[digest] = others.pop()
        else:
            self._places.pop(digest, None)
        return self._places.get(digest)

    def note(self, path: str, status: os.stat_result | None, digest: bytes) -> None:
        """Remember a file's SHA-256."""
        if status is None or self._closed:
            return
        try:
            self.sums.note(path, status, digest)
        except OSError as error:
            self._stop(error)

    def store(self, digest: bytes, pixels: Pixels, expected: int) -> Place | None:
        """Write a decoded image and return its place; None where the cache takes no more.

        Args:
            digest: SHA-256 of the file.
            pixels: contiguous uint8 of the look's shape.
            expected: how many images are about to come.
        """
        place = self._places.get(digest)
        if place is not None or self._closed:
            return place
        try:
            segment = self._segment(expected)
            if segment is None:
                return None
            place = (segment, segment.write(digest, pixels))
        except IndexError:  # another thread took the last place
            return None
        except OSError as error:
            self._stop(error)
            return None
        self._places[digest] = place
        return place

    def flush(self) -> None:
        """Write the checksums that are new, and say once if the cache had to give up."""
        if not self._closed:
            try:
                self.sums.flush()
            except OSError as error:
                self._stop(error)
        if self.fault is not None and not self._told:
            self._told = True
            warnings.warn(self.fault, UserWarning, stacklevel=2)

    def _segment(self, expected: int) -> Segment | None:
        """Return the file to write to, a new one where the last is full."""
        with self._lock:
            current = self._writing
            if current is not None and not current.full and current.pid == os.getpid():
                return current
            # Twice the last one at least: rows that turn out damaged were expected by nobody.
            grown = 1 if current is None else 2 * current.capacity
            capacity = max(1, min(max(expected, grown), _SEGMENT // row_bytes(self.shape)))
            while not make_room(self.root, capacity * row_bytes(self.shape), self._in_use()):
                if capacity <= _FEWEST:
                    self._closed = True
                    return None
                capacity //= 4
            self._writing = create_segment(self.folder, self.shape, capacity)
            self._segments[self._writing.path.name] = self._writing
            return self._writing

    def _in_use(self) -> set[Path]:
        return {segment.path for segment in self._segments.values()}

    def _look_for_segments(self) -> None:
        """Open the files that other processes have made, and read what is new in those that are open."""
        with self._lock:
            for path in newest_files(self.folder, self._in_use()):
                segment = open_segment(path, self.shape)
                if segment is None:
                    continue
                self._segments[path.name] = segment
                for digest, row in segment.entries():
                    if self._places.setdefault(digest, (segment, row)) != (segment, row):
                        self._others.setdefault(digest, []).append((segment, row))

    def _stop(self, error: OSError) -> None:
        self._closed = True
        if self.fault is None:
            self.fault = (
                f"{self.root}: decoded images could not be kept ({error.strerror or error}). "
                "Everything else goes on; the images are decoded again in the next run."
            )


_open: dict[tuple[str, Look, int], DecodeCache] = {}
_open_lock = threading.Lock()


def open_decode_cache(look: Look) -> DecodeCache | None:
    """Return this process's cache for a look; None for images without a size, huge ones, or switched off.

    Raises:
        ArgumentError: `NEOCOG_CACHE_GB` is no number.
    """
    size = 0 if look.size is None else look.size[0] * look.size[1] * look.channels
    if not 0 < size <= _LARGEST or chosen_limit() == 0:
        return None
    try:
        root = neocog_home() / "cache" / "images"
    except RuntimeError:  # a user without a home
        return None
    key = (str(root), look, os.getpid())
    with _open_lock:
        if key not in _open:
            _open[key] = DecodeCache(root, look, decoder_version())
        return _open[key]
