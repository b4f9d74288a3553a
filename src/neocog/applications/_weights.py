"""Weights trained on ImageNet: the files that Keras publishes, fetched once and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neocog.core import neocog_home
from neocog.data import get_file
from neocog.exceptions import ArgumentError, message

KERAS = "https://storage.googleapis.com/tensorflow/keras-applications/"


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One published file.

    Attributes:
        url: where it lies.
        md5: its checksum as Keras publishes it; None where Keras publishes none. Such a file is not fetched.
    """

    url: str
    md5: str | None

    @property
    def name(self) -> str:
        """Name in the cache."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class WeightFiles:
    """The files of one model, with and without its classifier; None where there are none."""

    with_top: WeightFile | None
    without_top: WeightFile | None


NO_FILES = WeightFiles(None, None)


def keras_files(base: str, stem: str, md5_with: str, md5_without: str) -> WeightFiles:
    """Return the files that Keras names in its usual way."""
    start = f"{base}{stem}_weights_tf_dim_ordering_tf_kernels"
    return WeightFiles(WeightFile(f"{start}.h5", md5_with), WeightFile(f"{start}_notop.h5", md5_without))


def load(where: str, model: Any, weights: Any, files: WeightFiles, include_top: bool) -> None:
    """Read what `weights` names into a model: a file, or the published one."""
    if weights != "imagenet":
        model.load_weights(weights)
        return
    file = files.with_top if include_top else files.without_top
    if file is None:
        raise ArgumentError(
            message(where, expected="a form that has weights of ImageNet", got="one that Keras has none for")
        )
    model.load_weights(fetch(file))


def fetch(file: WeightFile) -> Path:
    """Return the file in the cache, `$NEOCOG_HOME/models` or `~/.neocog/models`, fetched if it is not there.

    Raises:
        ArgumentError: no checksum is known, and the file is not in the cache.
        DownloadError: no connection, no such file, or another checksum.
        StorageError: a full or read-only disk.
    """
    if file.md5 is not None:
        return Path(get_file(file.name, file.url, cache_subdir="models", file_hash=file.md5))
    target = models_folder() / file.name
    if target.is_file():
        return target
    raise ArgumentError(
        message(
            'weights="imagenet"',
            expected="a file with a checksum, since nothing is fetched unchecked",
            got=f"{file.name}, for which Keras publishes none",
            do=f"Fetch {file.url} yourself and pass weights=PATH, or put it into {target.parent}.",
        )
    )


def models_folder() -> Path:
    """Return where model files are kept."""
    return neocog_home() / "models"
