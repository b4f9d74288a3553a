"""Images from a folder as a data set that people iterate over, map and give to `fit`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from neocog.data._image_source import ImageFolderSource
from neocog.data._prefetch import prefetch
from neocog.data._source import Batch, Source
from neocog.data._streams import as_batch
from neocog.exceptions import DataError, message


class ImageDataset(Source):
    """Batches of images and labels from a folder: iterate over it, or give it to `fit`.

    Iterating gives float32 images from 0 to 255, as in Keras; inside `fit` they stay uint8 until they are on
    the device. Each pass draws a new order when the data set is shuffled.

    Attributes:
        class_names: names of the classes, in the order of the labels (None without labels).
        file_paths: the image files.
    """

    def __init__(
        self,
        source: ImageFolderSource,
        class_names: list[str] | None,
        *,
        batched: bool = True,
        channels_first: bool = False,
    ) -> None:
        self.source = source
        self.class_names = class_names
        self.file_paths = list(source.files)
        self._batched = batched
        self._channels_first = channels_first
        self._functions: tuple[Callable[..., Any], ...] = ()
        self._limit: int | None = None
        self._depth = 0
        self._passes = 0
        self._count()

    def _count(self) -> None:
        size = self.source.batch_size if self._batched else 1
        self.num_batches: int = -(-len(self.source.files) // size)
        if self._limit is not None:
            self.num_batches = min(self.num_batches, self._limit)
        self.num_samples: int = min(len(self.source.files), self.num_batches * size)
        self.rewindable = not self._functions

    def __len__(self) -> int:
        return self.num_batches

    def __iter__(self) -> Iterator[Any]:
        epoch, self._passes = self._passes, self._passes + 1
        for batch in self._with_functions(epoch, 0, always_float=True):
            yield batch.x if batch.y is None else (batch.x, batch.y)

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Give the batches of `epoch` from `start` on: uint8 unless a mapped function needs float32.

        Raises:
            DataError: the data set gives single images (`batch_size=None`).
        """
        if not self._batched:
            do = "Give a batch_size."
            raise DataError(
                message("ImageDataset", expected="batches", got="single images (batch_size=None)", do=do)
            )
        given = self._with_functions(epoch, start, always_float=False)
        return prefetch(given, self._depth) if self._depth and self._functions else given

    def map(self, function: Callable[..., Any], num_parallel_calls: Any = None) -> ImageDataset:
        """Return the data set with `function(images, labels)` (or `function(images)`) applied to each batch.

        Args:
            function: gets float32 images; returns images, or (images, labels).
            num_parallel_calls: accepted as in tf.data and not used.
        """
        del num_parallel_calls
        changed = self._copy()
        changed._functions = (*self._functions, function)
        changed._count()
        return changed

    def take(self, count: int) -> ImageDataset:
        """Return the first `count` batches of each pass (-1: all)."""
        changed = self._copy()
        if count >= 0:
            changed._limit = count if self._limit is None else min(count, self._limit)
        changed._count()
        return changed

    def cache(self) -> ImageDataset:
        """Return the data set: decoded images are kept in memory anyway, where they fit."""
        return self

    def prefetch(self, buffer_size: int | None = None) -> ImageDataset:
        """Return the data set with mapped functions run ahead in a thread, up to `buffer_size` batches."""
        changed = self._copy()
        changed._depth = 2 if buffer_size is None or buffer_size < 1 else buffer_size
        return changed

    def _copy(self) -> ImageDataset:
        changed = object.__new__(type(self))
        changed.__dict__.update(self.__dict__)
        return changed

    def _with_functions(self, epoch: int, start: int, *, always_float: bool) -> Iterator[Batch]:
        as_float = always_float or bool(self._functions)
        for batch in itertools.islice(self._units(epoch, start), max(self.num_batches - start, 0)):
            x = batch.x.movedim(-1, -3) if self._channels_first else batch.x
            item = Batch(x.float() if as_float else x, batch.y, None, batch.size)
            for function in self._functions:
                result = function(item.x) if item.y is None else function(item.x, item.y)
                item = as_batch(result, "map") if self._batched else _sample(result)
            yield item

    def _units(self, epoch: int, start: int) -> Iterator[Batch]:
        """Give batches, or single images when the data set is not batched."""
        for batch in self.source.batches(epoch, start if self._batched else 0):
            if self._batched:
                yield batch
                continue
            for row in range(batch.size):
                yield Batch(batch.x[row], None if batch.y is None else batch.y[row], None, 1)


def _sample(result: Any) -> Batch:
    x, y = result if isinstance(result, tuple) else (result, None)
    return Batch(x, y, None, 1)
