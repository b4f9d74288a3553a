"""Numbered files as pixels: from the decode cache where they are there, else decoded."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from neocog.data._cache_sums import settled
from neocog.data._decode_cache import DecodeCache, Place
from neocog.data._download import file_sha256
from neocog.data._image_files import FileBytes, read_file
from neocog.data._images import decode
from neocog.data._look import Look

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Waiting = tuple[int, bytes | None, FileBytes | None]  # number; SHA-256, or the file that it is to be taken of

_HELD = 2**26  # bytes of files that wait for their checksum at most


class ImageReader:
    """Reads and decodes files; several threads may use it at once.

    Args:
        files: paths of the images.
        look: what they are to look like; its size is given.
        cache: where decoded images are kept between runs, or None.
    """

    def __init__(self, files: Sequence[str], look: Look, cache: DecodeCache | None) -> None:
        self.files = files
        self.look = look
        self.cache = cache
        self._digests: list[bytes | None] = [None] * len(files)
        self._places: list[Place | None] = [None] * len(files)
        self._missing = len(files)
        self._unwritten: deque[Waiting] = deque()
        self._held = 0
        self._writer: threading.Thread | None = None
        if cache is not None:
            located = cache.locate(files)
            self._digests = [digest for digest, _ in located]
            self._places = [place for _, place in located]
            self._missing = sum(place is None for place in self._places)

    def read(self, index: int, out: Pixels, *, later: bool = False) -> None:
        """Put the pixels of a file into `out`, contiguous uint8 (H, W, C).

        Args:
            index: the file's number.
            out: where its pixels go.
            later: leave it to `flush` to put them into the cache.

        Raises:
            DataError: the file is missing, truncated, no image or too large.
        """
        place = self._places[index]
        if place is not None and place[0].read(place[1], out):
            return
        file = read_file(self.files[index])
        if self.cache is None or file.data is None:
            decode(file, self.look, out)
            return
        if later and self._may_wait(file):
            decode(file, self.look, out)
            self._unwritten.append((index, None, file))
            return
        digest = self._learn(index, file)
        place = self.cache.find(digest)
        while place is not None and not place[0].read(place[1], out):
            place = self.cache.next_place(digest)
        if place is None:
            decode(file, self.look, out)
            if later:
                self._unwritten.append((index, digest, None))
                return
            place = self.cache.store(digest, out, self._missing)
        self._places[index] = place

    def checksum(self, index: int) -> str:
        """Return the SHA-256 of a file, which is read only where nobody has read it."""
        digest = self._digests[index]
        if digest is None and self.cache is not None:
            digest = self.cache.known(self.files[index])
        return file_sha256(self.files[index]) if digest is None else digest.hex()

    def flush(self, kept: Pixels | None = None) -> None:
        """Write what is left to write: images by a thread, while the network trains.

        Args:
            kept: the decoded images by number, for those that were read with `later`.
        """
        if self.cache is None:
            return
        waiting, self._unwritten, self._held = self._unwritten, deque(), 0
        if not waiting or kept is None:
            self.cache.flush()
            return
        self.settle()
        # Not a daemon: a program that ends after one epoch still keeps its images.
        arguments = (self.cache, waiting, kept)
        self._writer = threading.Thread(target=self._write, args=arguments, name="neocog-cache")
        self._writer.start()

    def settle(self) -> None:
        """Wait for the thread that writes."""
        if self._writer is not None:
            self._writer.join()
            self._writer = None

    def _may_wait(self, file: FileBytes) -> bool:
        """Return whether the checksum can be left to the writer: nothing to find by it, room for bytes."""
        if self.cache is None or file.data is None or file.status is None:
            return False
        self._held += len(file.data)
        return self.cache.empty and self._held <= _HELD and settled(file.status)

    def _learn(self, index: int, file: FileBytes) -> bytes:
        """Return a file's SHA-256, which is remembered."""
        digest = self._digests[index] = hashlib.sha256(file.data or b"").digest()
        if self.cache is not None:
            self.cache.note(file.path, file.status, digest)
        return digest

    def _write(self, cache: DecodeCache, waiting: deque[Waiting], kept: Pixels) -> None:
        while waiting:
            index, digest, file = waiting.popleft()
            if digest is None and file is not None:
                digest = self._learn(index, file)
            if digest is not None:
                cache.store(digest, kept[index], self._missing)
        cache.flush()
