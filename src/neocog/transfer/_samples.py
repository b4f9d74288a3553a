"""Data in their own order, with a fingerprint where they have one that does not change by itself."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neocog.core import tree_flatten
from neocog.data import (
    ArraySource,
    Batch,
    ImageDataset,
    ImageFolderSource,
    Source,
    as_source,
    file_sha256,
    scan_folder,
)
from neocog.exceptions import ArgumentError, message

_FORM = ("image_size", "color_mode", "interpolation", "crop_to_aspect_ratio", "pad_to_aspect_ratio")


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Data to be read once, in their own order.

    Attributes:
        source: gives the batches, not shuffled.
        count: number of samples, None where it is not known.
    """

    source: Source
    count: int | None

    def batches(self) -> Iterator[Batch]:
        """Give the batches in order."""
        return self.source.batches(0)

    def fingerprint(self) -> str | None:
        """Return a checksum of images, labels and how they are read; None for data that have none."""
        if isinstance(self.source, ImageFolderSource):
            return _of_files(self.source)
        return _of_arrays(self.source.arrays()) if isinstance(self.source, ArraySource) else None


def as_samples(data: Any, batch_size: int, image_size: tuple[int, int] | None) -> Samples:
    """Return data in their own order.

    Args:
        data: arrays, (x, y) or (x, y, sample_weight); a source or data set; the path of a folder of images.
        batch_size: for data that do not come in batches, and for files.
        image_size: of the images of a folder.

    Raises:
        DataError: data of another kind; a folder without images.
        ArgumentError: a folder for a model that takes images of any size.
    """
    if isinstance(data, (str, os.PathLike)):
        data = _folder(Path(data), batch_size, image_size)
    if isinstance(data, ImageDataset) and not _changed(data):
        data = data.source
    if isinstance(data, tuple) and 2 <= len(data) <= 3:
        source = as_source(*data, batch_size=batch_size, shuffle=False)
    elif isinstance(data, Source) or not _has_rows(data):
        source = as_source(data, shuffle=False)
    else:
        source = as_source(data, batch_size=batch_size, shuffle=False)
    source = in_order(source, batch_size)
    return Samples(source=source, count=source.num_samples)


def in_order(source: Source, batch_size: int) -> Source:
    """Return a source in its own order, in batches of `batch_size` where it makes them itself."""
    if isinstance(source, ArraySource):
        return ArraySource(*source.arrays(), batch_size=batch_size, shuffle=False)
    if isinstance(source, ImageFolderSource):
        ordered = source.in_batches_of(batch_size)
        ordered.shuffle = False
        return ordered
    if getattr(source, "shuffle", False) is True:  # of a pipeline it is a method
        do = "Give it without shuffling."
        got = f"a shuffled {type(source).__name__}"
        raise ArgumentError(message("extract_features", expected="data in a fixed order", got=got, do=do))
    return source


def _changed(data: ImageDataset) -> bool:
    """Whether something was done to the images after they were read."""
    return type(data) is not ImageDataset


def _has_rows(data: Any) -> bool:
    return isinstance(data, (np.ndarray, torch.Tensor)) or hasattr(data, "iloc")


def _folder(path: Path, batch_size: int, image_size: tuple[int, int] | None) -> ImageFolderSource:
    if image_size is None:
        expected = "image_size for a folder, as the model takes images of any size"
        raise ArgumentError(message("extract_features", expected=expected, got="None"))
    scan = scan_folder(path)
    files = [scan.absolute(file) for file in scan.files]
    return ImageFolderSource(
        files, [file.label for file in scan.files], image_size, batch_size, shuffle=False
    )


def _of_files(source: ImageFolderSource) -> str:
    with ThreadPoolExecutor(max_workers=4) as pool:
        sums = list(pool.map(_checksum, source.files))
    form = [str(getattr(source, name, None)) for name in (*_FORM, "label_mode")]
    digest = hashlib.sha256("\n".join([*form, *sums]).encode())
    for rows in (source.labels, source.sample_weights):
        if rows is not None:
            digest.update(rows.numpy().tobytes())
    return digest.hexdigest()


def _checksum(file: str) -> str:
    try:
        return file_sha256(Path(file))
    except OSError:  # left out as broken when it is read
        return "unreadable"


def _of_arrays(arrays: Any) -> str | None:
    digest = hashlib.sha256()
    for leaf in tree_flatten(list(arrays)):
        if leaf is None:
            digest.update(b"none")
        elif isinstance(leaf, torch.Tensor):
            digest.update(f"{leaf.dtype}{tuple(leaf.shape)}".encode())
            digest.update(raw_bytes(leaf))
        else:
            return None
    return digest.hexdigest()


def raw_bytes(tensor: torch.Tensor) -> Any:
    """Return a tensor's values as bytes, in its own order, not copied where they lie so in memory."""
    values = tensor.detach().cpu().contiguous().reshape(-1)
    return values.view(torch.uint8).numpy().data if values.numel() else b""
