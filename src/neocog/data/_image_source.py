"""Image files as a source: decoded by threads ahead of the training loop, then kept as uint8."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch

from neocog.core import check_int, check_ntuple, check_one_of, draw_seed
from neocog.data._arrays import free_memory
from neocog.data._image_files import reason_of
from neocog.data._images import load_image
from neocog.data._look import COLOR_MODES, INTERPOLATIONS
from neocog.data._source import Batch, Source, epoch_order
from neocog.exceptions import ArgumentError, DataError, message

# Decoded images are kept in memory when they take no more than this part of what is free at the start.
CACHE_FRACTION = 0.25
_AHEAD = 3  # batches that are decoded before the loop asks for them
_LABEL_MODES = ("int", "binary", "categorical", "values", None)


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
        cache: keep the decoded images in memory when they fit in a quarter of what is free.
        strict: raise on a broken file.
        workers: decoding threads; None takes the processors, 8 at most.
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
        cache: bool = True,
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
        self.cache = bool(cache)
        self.num_samples: int = len(self.files)
        self.num_batches: int = -(-self.num_samples // self.batch_size)
        self._faults: dict[int, str] = {}
        self._kept: torch.Tensor | None = None
        self._is_kept = torch.zeros(self.num_samples, dtype=torch.bool)

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
        return [(self.files[index], self._faults[index]) for index in sorted(self._faults)]

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

    def _decoded(self, groups: list[torch.Tensor]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Give (positions, images) of each group; what is not kept yet is decoded a few groups ahead."""
        self._reserve()
        if self._kept is not None and bool((self._is_kept | self._fault_mask()).all()):
            for group in groups:  # everything is in memory: no threads
                yield self._gather(group, {})
            return
        pool = ThreadPoolExecutor(max_workers=self.workers, thread_name_prefix="neocog-decode")
        ahead: deque[tuple[torch.Tensor, dict[int, Future[torch.Tensor | str | None]]]] = deque()
        try:
            for group in groups:
                fresh = group[~self._is_kept[group]].tolist()
                wanted = [index for index in fresh if index not in self._faults]
                ahead.append((group, {index: pool.submit(self._decode, index) for index in wanted}))
                if len(ahead) > _AHEAD:
                    yield self._gather(*ahead.popleft())
            while ahead:
                yield self._gather(*ahead.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _decode(self, index: int) -> torch.Tensor | str | None:
        """Decode one file: into its kept row (None), or as a tensor; a fault comes back as its text."""
        try:
            array = load_image(
                self.files[index],
                size=self.image_size,
                color_mode=self.color_mode,
                interpolation=self.interpolation,
                crop_to_aspect_ratio=self.crop_to_aspect_ratio,
                pad_to_aspect_ratio=self.pad_to_aspect_ratio,
            )
        except DataError as error:
            if self.strict:
                raise
            return reason_of(error)
        image = torch.from_numpy(array)
        if self._kept is None:
            return image
        self._kept[index] = image
        self._is_kept[index] = True
        return None

    def _gather(
        self, group: torch.Tensor, pending: dict[int, Future[torch.Tensor | str | None]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Wait for the group's files and return the positions that could be read, and their images."""
        fresh: dict[int, torch.Tensor] = {}
        for index, future in pending.items():
            result = future.result()
            if isinstance(result, str):
                self._faults[index] = result
            elif result is not None:
                fresh[index] = result
        if self._faults:
            group = torch.tensor([i for i in group.tolist() if i not in self._faults], dtype=torch.int64)
        if self._kept is not None:
            return group, self._kept.index_select(0, group)
        images = [fresh[i] for i in group.tolist()]
        return group, torch.stack(images) if images else torch.empty(0)

    def _reserve(self) -> None:
        """Set the memory aside once; the pages are taken as images come in."""
        if not self.cache or self._kept is not None:
            return
        height, width, channels = self.image_shape
        if self.num_samples * height * width * channels <= CACHE_FRACTION * free_memory("cpu"):
            self._kept = torch.empty(self.num_samples, height, width, channels, dtype=torch.uint8)
        else:
            self.cache = False

    def _fault_mask(self) -> torch.Tensor:
        mask = torch.zeros(self.num_samples, dtype=torch.bool)
        mask[list(self._faults)] = True
        return mask

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
