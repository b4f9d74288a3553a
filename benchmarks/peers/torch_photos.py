"""Photographs for bare PyTorch: as people write it, and as well as it can be done with a `DataLoader`."""

from __future__ import annotations

import io
import math
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from protocol import die_with_parent
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

try:
    import simplejpeg
except ImportError:
    simplejpeg = None
BILINEAR = Image.Resampling.BILINEAR


class PlainPhotos(Dataset[Any]):
    """Opened, resized, flipped, turned and zoomed by Pillow, then a float tensor, channels first."""

    def __init__(self, folder: str, size: tuple[int, int]) -> None:
        self.files, self.labels = listed(folder)
        self.size = size

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Any:
        image = Image.open(self.files[index]).convert("RGB").resize(self.size[::-1], BILINEAR)
        if random.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        image = image.rotate(random.uniform(-36, 36), BILINEAR)
        zoom = random.uniform(0.8, 1.2)
        width, height = image.size
        left, top = width * (1 - zoom) / 2, height * (1 - zoom) / 2
        box = (left, top, width - left, height - top)
        image = image.transform(image.size, Image.Transform.EXTENT, box, BILINEAR)
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float()
        return pixels, self.labels[index]


class FastPhotos(Dataset[Any]):
    """Decoded by libjpeg-turbo at the smallest scale that is large enough, then resized: bytes."""

    def __init__(self, folder: str, size: tuple[int, int]) -> None:
        self.files, self.labels = listed(folder)
        self.size = size

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Any:
        data = Path(self.files[index]).read_bytes()
        return np.asarray(self._decoded(data).resize(self.size[::-1], BILINEAR)), self.labels[index]

    def _decoded(self, data: bytes) -> Image.Image:
        if simplejpeg is not None:
            try:
                height, width = self.size
                pixels = simplejpeg.decode_jpeg(
                    data, "RGB", fastdct=True, fastupsample=True, min_height=height, min_width=width
                )
                return Image.fromarray(pixels)
            except ValueError:
                pass  # another kind of file; Pillow says which
        image = Image.open(io.BytesIO(data))
        image.draft("RGB", self.size[::-1])
        return image.convert("RGB")


def collated(samples: list[Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return bytes and labels as two tensors."""
    images, labels = zip(*samples, strict=True)
    return torch.from_numpy(np.stack(images)), torch.tensor(labels, dtype=torch.float32)


def listed(folder: str) -> tuple[list[str], list[int]]:
    """Return files and labels, classes in the order of their names."""
    classes = sorted(path for path in Path(folder).iterdir() if path.is_dir())
    pairs = [(str(file), number) for number, path in enumerate(classes) for file in sorted(path.iterdir())]
    return [file for file, _ in pairs], [label for _, label in pairs]


def plain_loader(folder: str, size: tuple[int, int], batch: int) -> Any:
    """A worker a core, all else left as it is."""
    return DataLoader(
        PlainPhotos(folder, size),
        batch,
        shuffle=True,
        num_workers=os.cpu_count() or 1,
        worker_init_fn=die_with_parent,
    )


class FastBatches:
    """Batches of bytes on the way to the network: decoded in workers each epoch, or once and then kept."""

    def __init__(self, folder: str, size: tuple[int, int], batch: int, kept: bool) -> None:
        self.batch, self.kept = batch, kept
        self.loader = DataLoader(
            FastPhotos(folder, size),
            batch,
            shuffle=True,
            num_workers=os.cpu_count() or 1,
            collate_fn=collated,
            persistent_workers=not kept,
            prefetch_factor=4,
            worker_init_fn=die_with_parent,
        )
        self.memory: tuple[torch.Tensor, torch.Tensor] | None = None

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        if self.memory is not None:
            x, y = self.memory
            for index in torch.randperm(len(x)).split(self.batch):
                yield x.index_select(0, index), y.index_select(0, index)
            return
        found = []
        for pair in self.loader:
            if self.kept:
                found.append(pair)
            yield pair
        if self.kept:
            self.memory = (torch.cat([x for x, _ in found]), torch.cat([y for _, y in found]))


def warped(images: torch.Tensor) -> torch.Tensor:
    """Flip, rotate by up to 36° and zoom by up to 20 % in one warp, edges mirrored; (B, H, W, C) bytes in,
    (B, C, H, W) floats in 0…255 out, channels_last.
    """
    count = len(images)
    angle = (torch.rand(count) * 2 - 1) * (0.1 * 2 * math.pi)
    zoom = 0.8 + 0.4 * torch.rand(count)
    flip = torch.randint(0, 2, (count,)) * 2.0 - 1.0
    cosine, sine, zero = torch.cos(angle) * zoom, torch.sin(angle) * zoom, torch.zeros(count)
    theta = torch.stack([cosine * flip, -sine, zero, sine * flip, cosine, zero], 1).view(-1, 2, 3)
    pixels = images.permute(0, 3, 1, 2).float()
    grid = F.affine_grid(theta, list(pixels.shape), align_corners=False)
    return F.grid_sample(pixels, grid, padding_mode="reflection", align_corners=False)
