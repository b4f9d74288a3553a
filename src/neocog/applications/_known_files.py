"""Pretrained files that are known by their checksum: what they are, and where they lie on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from neocog.applications._preparation import CAFFE_RGB, TF, TORCH, Preparation
from neocog.core import neocog_home
from neocog.data import file_sha256
from neocog.data._datasets._home import search_folders


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """One file.

    Attributes:
        name: of the file.
        sha256: its checksum.
        model: our function that makes its network.
        options: that function's arguments.
        preparation: what its images must look like.
        image_size: height and width that it was trained at.
        dataset: what its classes are.
    """

    name: str
    sha256: str
    model: str
    options: Mapping[str, Any] = field(default_factory=dict)
    preparation: Preparation
    image_size: tuple[int, int]
    dataset: str = "imagenet"


KNOWN_FILES = (
    KnownFile(
        name="mobilenet_v1_0.75_224_imagenet.safetensors",
        sha256="817e8b49e60c67d908963261679c73562677bba50acf060a3e875eac702609b5",
        model="MobileNet",
        options={"alpha": 0.75},
        preparation=TF,
        image_size=(224, 224),
    ),
    KnownFile(
        name="squeezenet1_0_imagenet.safetensors",
        sha256="e9756fd9aa497101a57a2eba82e46f35865ddb8e501fd578357ae57d2256b514",
        model="squeezenet1_0",
        preparation=CAFFE_RGB,  # not torchvision's: its names alone are the same
        image_size=(227, 227),
    ),
    KnownFile(
        name="resnet20_cifar10.safetensors",
        sha256="067e58d1f213d012fea54d151d17091064bd0debafb040f28a5c14e66845cf9a",
        model="resnet20",
        preparation=TORCH,
        image_size=(32, 32),
        dataset="cifar10",
    ),
    KnownFile(
        name="resnet56_cifar10.safetensors",
        sha256="73e01676011c14ce404ecdee11e01f072a6a6b0d0eae5fab6163c4481dbdc33d",
        model="resnet56",
        preparation=TORCH,
        image_size=(32, 32),
        dataset="cifar10",
    ),
)


_CLASSES = {"imagenet": 1000, "cifar10": 10}


def known_classes(model: str) -> int | None:
    """Return how many classes the known files of one of our functions tell apart; None without such files."""
    return next((_CLASSES[file.dataset] for file in KNOWN_FILES if file.model == model), None)


def known_by_hash(sha256: str) -> KnownFile | None:
    """Return what is known of the file with this checksum."""
    return next((file for file in KNOWN_FILES if file.sha256 == sha256), None)


def known_for(
    model: str, options: Mapping[str, Any], *, exact: bool = False
) -> tuple[KnownFile, Path] | None:
    """Return a known file at hand for one of our functions with these arguments, and where it lies.

    Args:
        model: the function's name.
        options: arguments; those that only the file tells are left to it.
        exact: take no file whose arguments are not all among `options`.
    """
    for file in KNOWN_FILES:
        if file.model != model or (exact and not file.options.keys() <= options.keys()):
            continue
        fits = all(options.get(name, value) == value for name, value in file.options.items())
        if fits and (path := where_is(file)) is not None:
            return file, path
    return None


def where_is(file: KnownFile) -> Path | None:
    """Return the path of a known file below the folders of data and models, checked by its hash."""
    folders = [folder / "weights" for folder in search_folders()]
    for folder in (*folders, neocog_home() / "models"):
        path = folder / file.name
        if path.is_file():
            status = path.stat()
            if _hash(path, status.st_size, status.st_mtime_ns) == file.sha256:
                return path
    return None


@lru_cache(maxsize=64)
def _hash(path: Path, size: int, modified: int) -> str:
    return file_sha256(path)
