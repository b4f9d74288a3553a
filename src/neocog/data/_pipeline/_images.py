"""Image files as the beginning of a pipeline: decoded by threads, kept as bytes, floats only where asked."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from typing import Any

from neocog.data._image_source import ImageFolderSource
from neocog.data._pipeline._stage import Pass, Stage


class ImageStage(Stage):
    """Batches (or single images) of an `ImageFolderSource`: float32 from 0 to 255, bytes in a raw pass."""

    def __init__(self, source: ImageFolderSource, *, batched: bool, channels_first: bool) -> None:
        self.source, self.batched, self.channels_first = source, batched, channels_first
        self.size = source.num_batches if batched else source.num_samples
        self.samples = source.num_samples if batched else None
        self.single = not batched
        self.per = source.batch_size if batched else None

    @property
    def cheap(self) -> bool:
        """The source decodes ahead by itself."""
        return True

    @property
    def pure(self) -> bool:
        """The order is a function of (seed, epoch)."""
        return self.source.rewindable

    def elements(self, run: Pass, start: int = 0) -> Iterator[Any]:
        """Give x or (x, y)."""
        if self.batched:
            for batch in self.source.batches(run.epoch, start):
                x = self._looked(batch.x, run)
                yield x if batch.y is None else (x, batch.y)
            return
        yield from itertools.islice(self._single(run), start, None)

    def _single(self, run: Pass) -> Iterator[Any]:
        for batch in self.source.batches(run.epoch):
            x = self._looked(batch.x, run)
            yield from x if batch.y is None else zip(x, batch.y, strict=True)

    def _looked(self, x: Any, run: Pass) -> Any:
        x = x.movedim(-1, -3) if self.channels_first else x
        return x if run.raw else x.float()

    def in_batches(self, count: int) -> ImageStage:
        """Return single images as batches that the source makes itself."""
        source = self.source.in_batches_of(count)
        return ImageStage(source, batched=True, channels_first=self.channels_first)

    def mixed(self, seed: int) -> ImageStage:
        """Return single images in an order that the source draws itself."""
        source = copy.copy(self.source)
        source.shuffle, source.seed = True, seed
        return ImageStage(source, batched=self.batched, channels_first=self.channels_first)
