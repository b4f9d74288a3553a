"""CIFAR-10: small colour photographs."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from neocog.data._datasets._home import download_folder, find
from neocog.data._download import download
from neocog.exceptions import DataError, FileFormatError, message

CLASS_NAMES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"  # as its author publishes it
_ARCHIVE = "cifar-10-binary.tar.gz"
_FOLDER = "cifar-10-batches-bin"
_PACKED = "cifar10_jpeg.npz"
_ROW = 1 + 3 * 32 * 32  # the label, then red, green and blue planes
_TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
_TEST = ("test_batch.bin",)

Arrays = tuple[np.ndarray[Any, np.dtype[np.uint8]], np.ndarray[Any, np.dtype[np.uint8]]]


def load_data() -> tuple[Arrays, Arrays]:
    """Return 50000 training and 10000 test photographs of 32×32 pixels, RGB, 10 classes.

    A folder `cifar10` below `NEOCOG_DATA`, `NEOCOG_HOME/datasets` or `~/.neocog/datasets` may hold the
    official binary version (the archive or its unpacked folder) or `cifar10_jpeg.npz`, a smaller copy with
    JPEG losses; otherwise the official archive is downloaded.

    Returns:
        ((x_train, y_train), (x_test, y_test)), uint8; x has shape (n, 32, 32, 3), y (n, 1).

    Reference: A. Krizhevsky: Learning multiple layers of features from tiny images, 2009.
    """
    if (folder := find("cifar10", [f"{_FOLDER}/{name}" for name in (*_TRAIN, *_TEST)])) is not None:
        below = folder / _FOLDER
        return _read_rows(lambda name: (below / name).read_bytes(), below)
    if (folder := find("cifar10", [_ARCHIVE])) is not None:
        return _read_archive(folder / _ARCHIVE)
    if (folder := find("cifar10", [_PACKED])) is not None:
        return _read_packed(folder / _PACKED)
    archive = download(URL, download_folder() / "cifar10" / _ARCHIVE, SHA256)
    with open(archive, "rb") as file:
        if hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() != MD5:
            raise FileFormatError(message(str(archive), expected=f"MD5 {MD5}", got="another one"))
    return _read_archive(archive)


def _read_archive(path: Path) -> tuple[Arrays, Arrays]:
    """Read the six files of the official archive in memory; nothing is unpacked to disk."""
    wanted = {f"{_FOLDER}/{name}": name for name in (*_TRAIN, *_TEST)}
    held: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                name = wanted.get(member.name)
                if name is None or not member.isreg() or member.size != _ROW * 10_000:
                    continue
                file = archive.extractfile(member)
                held[name] = b"" if file is None else file.read(member.size)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise FileFormatError(
            message(str(path), expected="a whole .tar.gz archive", got=str(error))
        ) from error
    missing = sorted(set(wanted.values()) - set(held))
    if missing:
        raise FileFormatError(
            message(str(path), expected="six files of 10000 images", got=f"no {missing[0]}")
        )
    return _read_rows(held.__getitem__, path)


def _read_rows(read: Callable[[str], bytes], where: Path) -> tuple[Arrays, Arrays]:
    def part(names: tuple[str, ...]) -> Arrays:
        raw = b"".join(read(name) for name in names)
        if len(raw) != _ROW * 10_000 * len(names):
            raise FileFormatError(
                message(str(where), expected=f"{_ROW * 10_000 * len(names):,} bytes", got=f"{len(raw):,}")
            )
        rows = np.frombuffer(raw, dtype=np.uint8).reshape(-1, _ROW)
        images = rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        return np.ascontiguousarray(images), _labels(rows[:, :1].copy(), where)

    return part(_TRAIN), part(_TEST)


def _read_packed(path: Path) -> tuple[Arrays, Arrays]:
    """Read the JPEG copy: all files of a part one after another, with the place where each begins."""
    try:
        with np.load(path, allow_pickle=False) as packed:
            return _unpack(packed, "train", path), _unpack(packed, "test", path)
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        if isinstance(error, (DataError, FileFormatError)):
            raise
        raise FileFormatError(message(str(path), expected="the packed CIFAR-10", got=str(error))) from error


def _unpack(packed: Any, part: str, path: Path) -> Arrays:
    from PIL import Image

    data, labels = packed[f"{part}_jpeg"], packed[f"{part}_labels"]
    offsets = packed[f"{part}_offsets"].astype(np.int64)
    count = len(labels)
    in_order = len(offsets) == count + 1 and offsets[0] == 0 and offsets[-1] == len(data)
    if not in_order or (np.diff(offsets) <= 0).any():
        raise FileFormatError(message(str(path), expected=f"{count + 1} rising offsets", got="others"))
    images = np.empty((count, 32, 32, 3), dtype=np.uint8)

    def decode(first: int) -> None:
        for i in range(first, min(first + 1000, count)):
            with Image.open(
                io.BytesIO(data[offsets[i] : offsets[i + 1]].tobytes()), formats=("JPEG",)
            ) as image:
                if image.size != (32, 32):
                    raise FileFormatError(message(str(path), expected="images of 32×32", got=image.size))
                images[i] = np.asarray(image.convert("RGB"))

    with ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, 8)) as pool:
        list(pool.map(decode, range(0, count, 1000)))
    return images, _labels(labels.reshape(-1, 1).astype(np.uint8), path)


def _labels(labels: np.ndarray[Any, np.dtype[np.uint8]], where: Path) -> np.ndarray[Any, np.dtype[np.uint8]]:
    if labels.max(initial=0) > 9:
        raise DataError(message(str(where), expected="labels from 0 to 9", got=int(labels.max())))
    return labels
