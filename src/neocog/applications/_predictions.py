"""From a thousand probabilities to the names of ImageNet's classes."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neocog.applications._weights import models_folder
from neocog.core import check_int
from neocog.data import get_file
from neocog.data._datasets._home import search_folders
from neocog.exceptions import DataError, DownloadError, FileFormatError, ShapeError, message

URL = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
MD5 = "c2c37ea517e94d9795004a39431a14cb"  # as Keras publishes it
_NAME = "imagenet_class_index.json"
_MOST_BYTES = 1 << 20

Classes = tuple[tuple[str, str], ...]


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, Any]]]:
    """Return the best classes of each image, best first.

    The names come from `imagenet_class_index.json` in `$NEOCOG_HOME/models`, or in a folder `weights` or
    `imagenet` beside the data sets; otherwise it is fetched once, checked by its hash.

    Args:
        preds: (batch, 1000) scores or probabilities, array or tensor.
        top: how many for each image.

    Returns:
        For each image a list of (synset, name, score).

    Raises:
        ShapeError: not 1000 scores an image.
        DownloadError: the names are not there and cannot be fetched.
    """
    top = check_int("decode_predictions", "top", top, minimum=1)
    scores = preds.detach().cpu().numpy() if isinstance(preds, torch.Tensor) else np.asarray(preds)
    if scores.ndim != 2 or scores.shape[1] != 1000:
        raise ShapeError(
            message(
                "decode_predictions",
                expected="scores of shape (batch, 1000)",
                got=scores.shape,
                do="Only ImageNet's 1000 classes have names here; keep the names of your own.",
            )
        )
    if np.isnan(scores).any():
        raise DataError(message("decode_predictions", expected="scores that are numbers", got="NaN"))
    classes = _classes(class_index_file())
    best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    return [[(*classes[i], row[i]) for i in order] for row, order in zip(scores, best, strict=True)]


def class_names() -> tuple[str, ...] | None:
    """Return ImageNet's names in order where they are at hand; nothing is fetched."""
    path = _local_class_index()
    return None if path is None else tuple(name for _, name in _classes(path))


def class_index_file() -> Path:
    """Return the file with the names, fetched if it is nowhere."""
    path = _local_class_index()
    if path is not None:
        return path
    try:
        return Path(get_file(_NAME, URL, cache_subdir="models", file_hash=MD5))
    except DownloadError as error:
        raise DownloadError(f"{error} Without one: put {_NAME} into {models_folder()}.") from error


def _local_class_index() -> Path | None:
    folders = [folder / place for folder in search_folders() for place in ("weights", "imagenet")]
    for folder in (models_folder(), *folders):
        if (folder / _NAME).is_file():
            return folder / _NAME
    return None


@lru_cache(maxsize=4)
def _classes(path: Path) -> Classes:
    """Return (synset, name) of each class, in order."""
    with open(path, "rb") as file:
        raw = file.read(_MOST_BYTES + 1)
    try:
        if len(raw) > _MOST_BYTES:
            raise ValueError("more than a megabyte")
        index = json.loads(raw)
        pairs = tuple((index[str(i)][0], index[str(i)][1]) for i in range(1000))
        if not all(isinstance(text, str) for pair in pairs for text in pair):
            raise ValueError("names that are no text")
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise FileFormatError(
            message(
                str(path),
                expected='{"0": ["n01440764", "tench"], …} for 1000 classes',
                got=str(error) or type(error).__name__,
                do="Delete it: it is fetched anew.",
            )
        ) from error
    return pairs
