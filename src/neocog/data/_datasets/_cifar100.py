"""CIFAR-100: small colour photographs of 100 classes in 20 groups."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neocog.core import check_one_of, image_data_format
from neocog.data._datasets._home import download_folder, find
from neocog.data._datasets._plain_objects import read_plain
from neocog.data._download import download
from neocog.exceptions import FileFormatError, message

URL = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
_NAMES = (
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly "
    "camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup "
    "dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower "
    "leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid "
    "otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray "
    "road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar "
    "sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle "
    "wardrobe whale willow_tree wolf woman worm"
)
CLASS_NAMES = tuple(_NAMES.split())
_ARCHIVE = "cifar-100-python.tar.gz"
_FOLDER = "cifar-100-python"
_PARTS = ("train", "test")
_MAX_BYTES = 2**28
_CLASSES = {"fine": 100, "coarse": 20}

Array = np.ndarray[Any, Any]


def load_data(label_mode: str = "fine") -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return 50000 training and 10000 test photographs of 32×32 pixels, RGB, 100 classes.

    A folder `cifar100` below `NEOCOG_DATA`, `NEOCOG_HOME/datasets` or `~/.neocog/datasets` may hold the
    official archive for Python or its unpacked folder; otherwise the archive is downloaded. Its parts are in
    pickle's format, and read by a reader that runs nothing.

    Args:
        label_mode: `"fine"` for 100 classes, `"coarse"` for 20 groups of five.

    Returns:
        ((x_train, y_train), (x_test, y_test)); x has shape (n, 32, 32, 3), uint8, y (n, 1), int64.

    Reference: A. Krizhevsky: Learning multiple layers of features from tiny images, 2009.
    """
    mode = check_one_of("cifar100.load_data", "label_mode", label_mode, tuple(_CLASSES))
    if (folder := find("cifar100", [f"{_FOLDER}/{name}" for name in _PARTS])) is not None:
        below = folder / _FOLDER
        return _both(lambda name: _read_file(below / name), below, mode)
    if (folder := find("cifar100", [_ARCHIVE])) is not None:
        archive = folder / _ARCHIVE
    else:
        archive = download(URL, download_folder() / "cifar100" / _ARCHIVE, SHA256)
    held = _members(archive)
    return _both(held.__getitem__, archive, mode)


def _read_file(path: Path) -> bytes:
    if path.stat().st_size > _MAX_BYTES:
        raise FileFormatError(message(str(path), expected=f"at most {_MAX_BYTES:,} bytes", got="more"))
    return path.read_bytes()


def _members(path: Path) -> dict[str, bytes]:
    """Read both parts of the archive in memory; nothing is unpacked to disk."""
    held: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                folder, _, name = member.name.partition("/")
                wanted = folder == _FOLDER and name in _PARTS and member.isreg()
                if wanted and member.size <= _MAX_BYTES and (file := archive.extractfile(member)) is not None:
                    held[name] = file.read(member.size)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        got = str(error)
        raise FileFormatError(message(str(path), expected="a whole .tar.gz archive", got=got)) from error
    missing = [name for name in _PARTS if name not in held]
    if missing:
        expected = f"{_FOLDER}/train and {_FOLDER}/test"
        raise FileFormatError(message(str(path), expected=expected, got=f"no {missing[0]}"))
    return held


def _both(
    read: Callable[[str], bytes], where: Path, mode: str
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    train, test = (_part(read(name), f"{where} {name!r}", mode) for name in _PARTS)
    return train, test


def _part(data: bytes, where: str, mode: str) -> tuple[Array, Array]:
    found = read_plain(data, where)
    if not isinstance(found, dict):
        raise FileFormatError(message(where, expected="a table of images and labels", got="something else"))
    table = {key.decode("latin-1") if isinstance(key, bytes) else key: found[key] for key in found}
    pixels, labels = table.get("data"), table.get(f"{mode}_labels")
    rows = isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8 and pixels.ndim == 2
    if not rows or pixels.shape[1] != 3 * 32 * 32:  # type: ignore[union-attr]
        raise FileFormatError(message(where, expected="rows of 3072 bytes", got="something else"))
    known = isinstance(labels, list) and all(type(x) is int and 0 <= x < _CLASSES[mode] for x in labels)
    if not known or len(labels) != len(pixels):  # type: ignore[arg-type]
        expected = f"a label below {_CLASSES[mode]} for each image"
        raise FileFormatError(message(where, expected=expected, got="others"))
    images = pixels.reshape(-1, 3, 32, 32)  # type: ignore[union-attr]
    if image_data_format() == "channels_last":
        images = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    return images, np.asarray(labels, dtype=np.int64).reshape(-1, 1)
