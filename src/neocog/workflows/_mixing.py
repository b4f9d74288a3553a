"""Training on mixed images and labels: MixUp and CutMix, batch by batch, before the network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch.nn import functional as F

from neocog import layers
from neocog.data import Batch, MappedSource, Source
from neocog.random import SeedGenerator

MIXING = {"mixup": layers.MixUp, "cutmix": layers.CutMix}
_SPREAD = 1_000_003


def mixes(augment: str) -> bool:
    """Return whether an augmentation mixes labels, so that training needs one number for each class."""
    return augment in MIXING


def one_hot(source: Source, classes: int) -> Source:
    """Return a source whose class numbers are one number for each class, float32 (B, classes)."""
    return MappedSource(source, lambda batch: replace(batch, y=_one_hot(batch.y, classes)))


class MixedSource(MappedSource):
    """A source whose images and labels are mixed with others of their batch.

    What a batch draws depends on the seed, the epoch and its number alone, so that an epoch can be begun
    anywhere.

    Args:
        source: images (B, H, W, C) and class numbers (B,).
        augment: `"mixup"` or `"cutmix"`.
        classes: number of classes.
        seed: of the draws.
    """

    def __init__(self, source: Source, augment: str, classes: int, seed: int) -> None:
        super().__init__(source, lambda batch: self._mixed(batch, 0, 0))
        self.augment, self.classes, self.start = augment, classes, seed
        self.layer: Any = MIXING[augment]()

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Give the mixed batches of `epoch`, from `start` on."""
        for number, batch in enumerate(self.source.batches(epoch, start), start):
            yield self._mixed(batch, epoch, number)

    def to(self, device: torch.device | str) -> Source:
        """Move the source below; images are mixed where they lie."""
        moved = self.source.to(device)
        return self if moved is self.source else type(self)(moved, self.augment, self.classes, self.start)

    def _mixed(self, batch: Batch, epoch: int, number: int) -> Batch:
        seed = ((self.start * _SPREAD + epoch) * _SPREAD + number) % 2**63
        self.layer.seed_generator = SeedGenerator(seed)
        given = {"images": batch.x, "labels": _one_hot(batch.y, self.classes)}
        found = self.layer(given, training=True)
        images = found["images"]
        if not batch.x.is_floating_point():  # bytes stay bytes, rounded
            images = images.round_().to(batch.x.dtype)
        return replace(batch, x=images, y=found["labels"])


def _one_hot(labels: Any, classes: int) -> torch.Tensor:
    return F.one_hot(labels.reshape(-1).long(), classes).float()
