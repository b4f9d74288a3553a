"""Weights by name, path or address: found on this machine, or fetched once and checked."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit
from weakref import WeakKeyDictionary

from neocog.applications._keras_names import keras_application
from neocog.applications._known_files import known_for
from neocog.applications._state_weights import load_state_file
from neocog.core import neocog_home
from neocog.data import check_known_file, download, get_file
from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.files import (
    Format,
    Leftover,
    format_of,
    holds_state_dict,
    is_legacy_h5,
    load_legacy_weights,
    load_weights_h5,
    read_keras_archive,
    read_state_dict,
)

_MOST_BYTES = 4 * 2**30
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
    """The files of one model, with and without its classifier; None where there are none.

    Attributes:
        with_top: the one with the classifier.
        without_top: the one without.
        options: the arguments that tell this model from others of its function, such as its width.
    """

    with_top: WeightFile | None
    without_top: WeightFile | None
    options: Mapping[str, Any] = field(default_factory=dict)


_LAST = frozenset({"predictions", "conv_preds", "logits", "fc1000"})
_HEADS = _LAST | {"fc1", "fc2", "conv_2"}  # Keras's names of layers that make classifiers
_LOADED: WeakKeyDictionary[Any, Path] = WeakKeyDictionary()

NO_FILES = WeightFiles(None, None)


def keras_files(base: str, stem: str, md5_with: str, md5_without: str) -> WeightFiles:
    """Return the files that Keras names in its usual way."""
    start = f"{base}{stem}_weights_tf_dim_ordering_tf_kernels"
    return WeightFiles(WeightFile(f"{start}.h5", md5_with), WeightFile(f"{start}_notop.h5", md5_without))


def load(where: str, model: Any, weights: Any, files: WeightFiles, include_top: bool) -> None:
    """Read what `weights` names into a model.

    Args:
        where: the function that made the model.
        model: built.
        weights: `"imagenet"`, a path, or an address with its SHA-256.
        files: what Keras publishes for this model.
        include_top: whether the model has its classifier.
    """
    if isinstance(weights, str) and weights == "imagenet":
        path = _published(where, files, include_top)
    else:
        path = weight_path(where, weights)
    load_file(where, model, path, include_top)


def _published(where: str, files: WeightFiles, include_top: bool) -> Path:
    """Return Keras's file where it is at hand, else a known one of others, else Keras's from the web."""
    file = files.with_top if include_top else files.without_top
    if file is not None and (models_folder() / file.name).is_file():
        return fetch(file)
    known = known_for(where, files.options, exact=True)
    if known is not None:
        return known[1]
    if file is None:
        raise no_known_file(where)
    return fetch(file)


def no_known_file(where: str) -> ArgumentError:
    """Return the error for an architecture of which no weights are known."""
    return ArgumentError(
        message(
            where,
            expected='a form for which weights="imagenet" are known',
            got="one for which nobody publishes a file with a checksum",
            do="Fetch a file yourself and pass weights=PATH, or its address with #sha256=....",
        )
    )


def load_file(where: str, model: Any, path: Any, include_top: bool) -> None:
    """Read a weight file into a model: Keras's as Keras does, others by their family's name map."""
    check_known_file(path)
    if holds_state_dict(path):
        load_state_file(where, model, read_state_dict(path), include_top)
    else:
        load_keras_file(where, model, Path(path), include_top)
    _LOADED[model] = Path(path)


def load_keras_file(where: str, model: Any, path: Path, include_top: bool) -> int | None:
    """Read a `.keras`, `.weights.h5` or older `.h5` file; without classifier, that of the file is left out.

    Returns:
        How many classes the classifier has that was left out; None where there was none.

    Raises:
        ShapeError: the file is of another architecture, or its classifier has another number of classes.
    """
    kind = format_of(path)
    leftover = None if include_top else Leftover(_HEADS)
    try:
        if kind is Format.KERAS:
            load_weights_h5(model, read_keras_archive(path).weights, where=str(path), leftover=leftover)
        elif is_legacy_h5(path):
            load_legacy_weights(model, path, leftover=leftover)
        else:
            load_weights_h5(model, path, leftover=leftover)
    except ShapeError as error:
        # the error's own advice names arguments of `load_weights`
        text = str(error).partition(" Build the model that")[0]
        raise ShapeError(f"{where}: {text} {_advice(where, path, include_top)}") from None
    found = {} if leftover is None else leftover.found
    last = next((shapes for name, shapes in found.items() if name in _LAST and shapes), None)
    return None if last is None else last[0][-1]


def _advice(where: str, path: Path, include_top: bool) -> str:
    made_by = keras_application(path)
    if made_by not in (None, where):
        return f"The file looks like {made_by} (Keras): neocog.applications.{made_by} takes it."
    if include_top:
        return "Where only the classifier differs, pass the file's number of classes, or include_top=False."
    return "Pass the arguments, and the channels of input_shape, that the file was made with."


def loaded_from(model: Any) -> Path | None:
    """Return the file that an application's weights were read from; None where there was none."""
    return _LOADED.get(model)


def weight_path(where: str, weights: Any) -> Path:
    """Return the path of a weight file that is named by path or by address.

    Args:
        where: the function that was asked, for error texts.
        weights: a path; `"https://host/file.pth#sha256=<64 digits>"`; or the pair (address, SHA-256).

    Raises:
        ArgumentError: no such file, an address without a checksum, or something else.
        DownloadError: no connection, no such file there, or another checksum.
        StorageError: a full or read-only disk.
    """
    address = as_address(where, weights)
    if address is None:
        return Path(weights).expanduser()
    url, sha256 = address
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", PurePosixPath(unquote(urlsplit(url).path)).name).lstrip(".")
    return download(url, models_folder() / f"{sha256[:16]}-{name[-100:]}", sha256, max_bytes=_MOST_BYTES)


def as_address(where: str, weights: Any) -> tuple[str, str] | None:
    """Return (address, SHA-256) of weights that are named by address, None for a path that exists.

    Raises:
        ArgumentError: an address without a checksum, a path that does not exist, or something else.
    """
    url, digest = weights if isinstance(weights, (tuple, list)) and len(weights) == 2 else (weights, None)
    is_url = isinstance(url, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", url)
    is_path = not is_url and digest is None and isinstance(url, (str, os.PathLike))
    if is_path and os.path.exists(os.path.expanduser(url)):
        return None
    if is_url:
        url, _, fragment = str(url).partition("#")
        digest = digest or fragment.removeprefix("sha256=")
        if isinstance(digest, str) and re.fullmatch(r"[0-9A-Fa-f]{64}", digest):
            return url, digest.lower()
        do = "Add #sha256=<64 hexadecimal digits> to it, or fetch the file yourself and pass its path."
        if re.search(r"-[0-9a-f]{8}\.pth$", url):
            do = f"The 8 digits in its name are too few to trust. {do}"
        raise ArgumentError(
            message(
                where,
                expected="weights with the SHA-256 of the file",
                got=f"the address {url!r} alone",
                do=do,
            )
        )
    raise ArgumentError(
        message(
            where,
            expected='weights None, "imagenet", or the path of a file that exists',
            got=repr(weights),
            do='An address needs its checksum: "https://host/file.pth#sha256=...".',
        )
    )


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
