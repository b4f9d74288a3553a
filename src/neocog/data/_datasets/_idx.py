"""The idx format of MNIST: a big-endian header, then bytes."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from neocog.data._datasets._home import download_folder, find
from neocog.data._download import download
from neocog.exceptions import DataError, FileFormatError, message

_MAX_BYTES = 2**30

Arrays = tuple[np.ndarray[Any, np.dtype[np.uint8]], np.ndarray[Any, np.dtype[np.uint8]]]


def read_idx(path: Path, axes: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Read a gzip-compressed idx file of unsigned bytes with `axes` axes.

    Raises:
        FileFormatError: another magic number, sizes that do not fit the length, or damaged compression.
    """
    try:
        with gzip.open(path, "rb") as file:
            header = file.read(4 * (1 + axes))
            numbers = [int(number) for number in np.frombuffer(header[: len(header) // 4 * 4], dtype=">u4")]
            magic = 0x0800 + axes
            if len(numbers) != 1 + axes or numbers[0] != magic:
                got = f"{numbers[0]}" if numbers else "an empty file"
                raise FileFormatError(message(str(path), expected=f"an idx file with magic {magic}", got=got))
            sizes = numbers[1:]
            count = math.prod(sizes)
            if count > _MAX_BYTES:
                raise FileFormatError(
                    message(str(path), expected=f"at most {_MAX_BYTES:,} bytes", got=f"sizes {sizes}")
                )
            data = file.read(count + 1)
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, FileFormatError) or (isinstance(error, OSError) and error.errno):
            raise
        raise FileFormatError(message(str(path), expected="a whole gzip file", got=str(error))) from error
    if len(data) != count:
        got = f"{'more' if len(data) > count else f'{len(data):,}'} bytes"
        raise FileFormatError(message(str(path), expected=f"{count:,} bytes for sizes {sizes}", got=got))
    return np.frombuffer(bytearray(data), dtype=np.uint8).reshape(sizes)


def load_idx(name: str, base: str, checksums: dict[str, str]) -> tuple[Arrays, Arrays]:
    """Return the training and test arrays of an MNIST-like set, found on this machine or downloaded.

    Args:
        name: of the folder.
        base: address that the files lie under.
        checksums: file name to SHA-256: training images, training labels, test images, test labels.
    """
    files = list(checksums)
    folder = find(name, files)
    if folder is None:
        folder = download_folder() / name
        for file in files:
            download(base + file, folder / file, checksums[file])
    pairs = []
    for images, labels in ((files[0], files[1]), (files[2], files[3])):
        x, y = read_idx(folder / images, 3), read_idx(folder / labels, 1)
        if len(x) != len(y):
            text = f"as many labels as images ({len(x)})"
            raise DataError(message(str(folder / labels), expected=text, got=len(y)))
        pairs.append((x, y))
    return pairs[0], pairs[1]
