"""Image files as a source: decoded by threads ahead of the training loop, then kept in memory and on disk."""

from __future__ import annotations

import copy
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from neocog.core import check_int, check_ntuple, check_one_of, draw_seed, work_alone
from neocog.data._arrays import free_memory
from neocog.data._decode_cache import open_decode_cache
from neocog.data._download import file_sha256
from neocog.data._image_files import reason_of
from neocog.data._image_reader import ImageReader, Pixels
from neocog.data._look import COLOR_MODES, INTERPOLATIONS, Look
from neocog.data._prefetch import ordered_map
from neocog.data._source import Batch, Source, epoch_order
from neocog.exceptions import ArgumentError, DataError, message

# Decoded images are kept in memory when they take no more than this part of what is free at the start.
CACHE_FRACTION = 0.25
_AHEAD = 3  # batches that are decoded before the loop asks for them
_CHUNK = 8  # images that a thread takes at once
_FEW = 64  # fewer images are decoded sooner than the disk's cache is asked for them
_CACHES = (True, False, "memory", "disk")
_LABEL_MODES = ("int", "binary", "categorical", "values", None)


@dataclass(slots=True)
class _Shared:
    """What a source and its copies know of the files: one memory, and one record of what lies in it.

    Attributes:
        is_kept: which files' images are in `kept`.
        kept: images in memory, once the files are opened and where they fit.
        reader: reads and decodes, once the files are opened.
        faults: reasons of the files that could not be decoded, by position.
    """

    is_kept: np.ndarray[Any, np.dtype[np.bool_]]
    kept: Pixels | None = None
    reader: ImageReader | None = None
    faults: dict[int, str] = field(default_factory=dict)


class ImageFolderSource(Source):
    """Images on disk as batches of uint8 (B, H, W, C) and labels.

    The order is a pure function of (seed, epoch). A file that cannot be decoded is left out of its batch,
    which gets smaller (an empty one is left out), and is listed in `broken`; with `strict` it raises.

    Args:
        files: paths of the images.
        labels: class number of each file, its row of values with `label_mode="values"`, or None.
        image_size: (height, width) in pixels, or one number.
        batch_size: images a batch; the last one may be smaller.
        shuffle: a new order each epoch.
        seed: of that order; None draws one from torch's global generator.
        color_mode: `"rgb"`, `"grayscale"` or `"rgba"`.
        label_mode: `"int"` gives int64 (B,), `"binary"` float32 (B, 1), `"categorical"` float32 (B, classes),
            `"values"` float32 (B, values) as they are: several labels of 0 and 1, numbers to predict; None no
            labels.
        num_classes: length of a one-hot row; None stands for the largest label plus 1.
        interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio: as in `load_image`.
        cache: `"memory"` keeps the decoded images when they fit in a quarter of what is free, `"disk"` keeps
            them in files that later runs share (docs/decoding.md), True does both (64 images and more).
        strict: raise on a broken file.
        workers: decoding threads; None takes one a processor, 8 at most.
        sample_weights: weight of each file in the loss, or None.

    Raises:
        DataError: no files, labels of another number, `"binary"` with other labels than 0 and 1.
    """

    rewindable = True

    def __init__(
        self,
        files: Sequence[str | os.PathLike[str]],
        labels: Sequence[int] | Sequence[Sequence[float]] | None = None,
        image_size: tuple[int, int] | int = (256, 256),
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        color_mode: str = "rgb",
        label_mode: str | None = "int",
        *,
        num_classes: int | None = None,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        cache: bool | str = True,
        strict: bool = False,
        workers: int | None = None,
        sample_weights: Sequence[float] | None = None,
    ) -> None:
        where = "images"
        self.files = [os.fspath(file) for file in files]
        if not self.files:
            raise DataError(message(where, expected="at least one image file", got="none"))
        self.batch_size = check_int(where, "batch_size", batch_size, minimum=1)
        self.shuffle = bool(shuffle)
        self.seed = draw_seed() if seed is None else check_int(where, "seed", seed, minimum=0)
        self._decode_to(image_size, color_mode, interpolation, crop_to_aspect_ratio, pad_to_aspect_ratio)
        self.label_mode = (
            None if labels is None else check_one_of(where, "label_mode", label_mode, _LABEL_MODES)
        )
        self.labels = None if self.label_mode is None else self._encode(labels, num_classes)
        self.sample_weights = None if sample_weights is None else self._values(sample_weights, "weight")
        self.strict = bool(strict)
        self.workers = workers or min(os.cpu_count() or 1, 8)
        self.cache = check_one_of(where, "cache", cache, _CACHES)
        self.num_samples: int = len(self.files)
        self.num_batches: int = -(-self.num_samples // self.batch_size)
        self._shared = _Shared(np.zeros(self.num_samples, np.bool_))

    def _decode_to(self, image_size: Any, color_mode: str, interpolation: str, crop: bool, pad: bool) -> None:
        """Check and keep what a decoded image is to look like."""
        where = "images"
        height, width = check_ntuple(where, "image_size", image_size, 2)
        self.image_size = (height, width)
        self.color_mode = check_one_of(where, "color_mode", color_mode, tuple(COLOR_MODES))
        self.interpolation = check_one_of(where, "interpolation", interpolation, INTERPOLATIONS)
        if crop and pad:
            raise ArgumentError(
                message(where, expected="crop_to_aspect_ratio or pad_to_aspect_ratio", got="both")
            )
        self.crop_to_aspect_ratio = bool(crop)
        self.pad_to_aspect_ratio = bool(pad)

    @property
    def broken(self) -> list[tuple[str, str]]:
        """The files that could not be decoded so far, with the reason, in the order of `files`."""
        return [(self.files[index], self._shared.faults[index]) for index in sorted(self._shared.faults)]

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of one image."""
        return (*self.image_size, COLOR_MODES[self.color_mode])

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Give the batches of `epoch` from `start` on: a pure function of (seed, epoch, start)."""
        count, size = self.num_samples, self.batch_size
        order = epoch_order(count, self.seed, epoch) if self.shuffle else torch.arange(count)
        groups = [order[first : first + size] for first in range(start * size, count, size)]
        given = 0
        for index, images in self._decoded(groups):
            if len(index):
                given += 1
                labels = None if self.labels is None else self.labels[index]
                weights = None if self.sample_weights is None else self.sample_weights[index]
                yield Batch(images, labels, weights, len(index))
        if groups and not given:
            path, reason = self.broken[0]
            got, do = f"{path}: {reason}", "Replace the broken files."
            raise DataError(message("images", expected="files that can be read", got=got, do=do))

    def in_batches_of(self, size: int) -> ImageFolderSource:
        """Return the same files in batches of another size; what either decodes is shared."""
        other = copy.copy(self)
        other.batch_size, other.num_batches = size, -(-self.num_samples // size)
        return other

    def checksums(self, files: Sequence[str]) -> list[str]:
        """Return the SHA-256 of some of the files; those that decoding has read are not read again."""
        reader = self._open()
        reader.settle()
        place = {file: index for index, file in enumerate(self.files)}

        def checksum(file: str) -> str:
            return reader.checksum(place[file]) if file in place else file_sha256(file)

        return list(ordered_map(checksum, files, workers=self.workers, depth=64))

    def _decoded(self, groups: list[torch.Tensor]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Give (positions, images) of each group; threads work a few groups ahead."""
        reader = self._open()
        if self._shared.kept is not None and not self._wanted(np.flatnonzero(~self._shared.is_kept).tolist()):
            for group in groups:  # everything is in memory: no threads
                readable = self._readable(group)
                yield readable, torch.from_numpy(self._shared.kept.take(readable.numpy(), axis=0))
            return
        pool = ThreadPoolExecutor(
            max_workers=self.workers, thread_name_prefix="neocog-decode", initializer=work_alone
        )
        ahead: deque[tuple[torch.Tensor, Pixels, list[Future[dict[int, str]]]]] = deque()
        try:
            for group in groups:
                group = self._readable(group)
                images = np.empty((len(group), *self.image_shape), np.uint8)
                pairs = list(enumerate(group.tolist()))
                step = max(1, min(_CHUNK, -(-len(pairs) // (2 * self.workers))))
                parts = [pairs[first : first + step] for first in range(0, len(pairs), step)]
                ahead.append((group, images, [pool.submit(self._fill, reader, images, p) for p in parts]))
                if len(ahead) > _AHEAD:
                    yield self._gather(*ahead.popleft())
            while ahead:
                yield self._gather(*ahead.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            reader.flush(self._shared.kept)

    def _fill(self, reader: ImageReader, images: Pixels, part: list[tuple[int, int]]) -> dict[int, str]:
        """Put files straight into their rows of a batch, and into memory for later; return the faults."""
        faults = {}
        with torch.inference_mode():  # views without autograd's part: a hundredth of a photograph's time
            for row, index in part:
                if self._shared.is_kept[index] and self._shared.kept is not None:
                    np.copyto(images[row], self._shared.kept[index])
                    continue
                try:
                    reader.read(index, images[row], later=self._shared.kept is not None)
                except DataError as error:
                    if self.strict:
                        raise
                    faults[index] = reason_of(error)
                    continue
                if self._shared.kept is not None:
                    np.copyto(self._shared.kept[index], images[row])
                    self._shared.is_kept[index] = True
        return faults

    def _gather(
        self, group: torch.Tensor, images: Pixels, work: list[Future[dict[int, str]]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Wait for the group's files and return the positions that could be read, and their images."""
        for future in work:
            self._shared.faults.update(future.result())
        readable = self._readable(group)
        if len(readable) < len(group):
            images = images[[index not in self._shared.faults for index in group.tolist()]]
        return readable, torch.from_numpy(images)

    def _wanted(self, indices: Sequence[int]) -> list[int]:
        """Return the positions that are neither in memory nor known to be broken."""
        is_kept, faults = self._shared.is_kept, self._shared.faults
        return [index for index in indices if not is_kept[index] and index not in faults]

    def _readable(self, group: torch.Tensor) -> torch.Tensor:
        if not self._shared.faults:
            return group
        return torch.tensor([i for i in group.tolist() if i not in self._shared.faults], dtype=torch.int64)

    def _open(self) -> ImageReader:
        """Find out once what the disk's cache holds, and set memory aside; pages are taken as images come."""
        if self._shared.reader is None:
            crop, pad = self.crop_to_aspect_ratio, self.pad_to_aspect_ratio
            look = Look(self.image_size, self.color_mode, self.interpolation, crop, pad)
            on_disk = self.cache == "disk" or (self.cache is True and self.num_samples >= _FEW)
            self._shared.reader = ImageReader(self.files, look, open_decode_cache(look) if on_disk else None)
            size = self.num_samples * int(np.prod(self.image_shape))
            if self.cache in (True, "memory") and size <= CACHE_FRACTION * free_memory("cpu"):
                self._shared.kept = np.empty((self.num_samples, *self.image_shape), np.uint8)
        return self._shared.reader

    def _values(self, rows: Any, noun: str) -> torch.Tensor:
        """Return one number or one row of numbers a file as float32."""
        values = torch.as_tensor(rows, dtype=torch.float32)
        if values.dim() == 0 or len(values) != len(self.files):
            got = f"{len(values) if values.dim() else 1} {noun}s"
            raise DataError(message("images", expected=f"one {noun} a file ({len(self.files)})", got=got))
        return values

    def _encode(self, labels: Any, num_classes: int | None) -> torch.Tensor:
        if self.label_mode == "values":
            values = self._values(labels, "label")
            return values if values.dim() > 1 else values[:, None]
        numbers = torch.as_tensor(labels, dtype=torch.int64).reshape(-1)
        if len(numbers) != len(self.files):
            raise DataError(
                message(
                    "images", expected=f"one label a file ({len(self.files)})", got=f"{len(numbers)} labels"
                )
            )
        least, most = int(numbers.min()), int(numbers.max())
        count = num_classes or most + 1
        if least < 0 or (most >= count and self.label_mode != "int"):
            raise DataError(
                message("images", expected=f"labels from 0 to {count - 1}", got=least if least < 0 else most)
            )
        if self.label_mode == "int":
            return numbers
        if self.label_mode == "binary":
            if count > 2:
                raise DataError(
                    message("images", expected='2 classes for label_mode="binary"', got=f"{count} classes")
                )
            return numbers.to(torch.float32)[:, None]
        return torch.nn.functional.one_hot(numbers, count).to(torch.float32)
