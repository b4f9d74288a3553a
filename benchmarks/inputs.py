"""What the competitors read: the real sets where `NEOCOG_DATA` has them, else random data of the same form.

Written once for all of them: `x.npy` and `y.npy` in a folder, or JPEG files below one folder a class.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from cases import Case

import neocog as keras
from neocog.data._datasets._home import search_folders

Arrays = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


def prepared(case: Case, scratch: Path) -> tuple[Path, str]:
    """Return the folder with a case's data, and where they are from; what is there already is used again."""
    size = "x".join(str(part) for part in case.shape)
    folder = scratch / f"{case.data}-{size}-{case.samples}"
    said = folder / "origin.txt"
    if said.exists():
        return (folder / "files" if case.files else folder), said.read_text(encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    if case.files:
        origin = _files(case, folder / "files")
    else:
        (x, y), origin = _arrays(case)
        np.save(folder / "x.npy", x)
        np.save(folder / "y.npy", y)
    said.write_text(origin, encoding="utf-8")
    return (folder / "files" if case.files else folder), origin


def _arrays(case: Case) -> tuple[Arrays, str]:
    try:
        x, y = _SOURCES[case.data](case)
        origin = "real data"
    except Exception as error:  # not there, or not to be had without a network
        x, y = _random(case)
        origin = f"random data ({type(error).__name__})"
    count = case.samples
    repeats = -(-count // len(x))
    if repeats > 1:
        x, y = np.concatenate([x] * repeats), np.concatenate([y] * repeats)
    y = y[:count].reshape(-1)
    return (np.ascontiguousarray(x[:count]), y.astype("float32" if case.binary else "int64")), origin


def _random(case: Case) -> Arrays:
    draw = np.random.default_rng(0)
    y = draw.integers(0, 2 if case.binary else 10, case.samples)
    if case.data in ("photos", "cifar10"):
        return draw.integers(0, 256, (case.samples, *case.shape), dtype=np.uint8), y
    return draw.random((case.samples, *case.shape), dtype=np.float32), y


def _digits(case: Case) -> Arrays:
    (x, y), _ = keras.datasets.mnist.load_data()
    return x.reshape(len(x), *case.shape).astype("float32") / 255, y


def _clothes(case: Case) -> Arrays:
    (x, y), _ = keras.datasets.fashion_mnist.load_data()
    return x.reshape(len(x), *case.shape).astype("float32") / 255, y


def _cifar10(case: Case) -> Arrays:
    (x, y), _ = keras.datasets.cifar10.load_data()
    return x, y


def _photos(case: Case) -> Arrays:
    from PIL import Image

    height, width, _ = case.shape
    files = _listed(case.samples)
    found = np.empty((len(files), *case.shape), np.uint8)
    for row, file in zip(found, files, strict=True):
        row[:] = Image.open(file).convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
    return found, np.array([int(file.parent.name == "dog") for file in files])


def _photos_float(case: Case) -> Arrays:
    x, y = _photos(case)
    return keras.applications.vgg16.preprocess_input(x.astype("float32")), y


_SOURCES: dict[str, Callable[[Case], Arrays]] = {
    "mnist-flat": _digits,
    "mnist": _digits,
    "fashion": _clothes,
    "cifar10": _cifar10,
    "photos": _photos,
    "photos-float": _photos_float,
    "random": _random,
}


def _listed(count: int) -> list[Path]:
    """Return photographs of cats and dogs in turns."""
    for place in search_folders():
        train = place / "cats-vs-dogs" / "train"
        if train.is_dir():
            cats, dogs = (sorted((train / name).glob("*.jpg")) for name in ("cat", "dog"))
            pairs = [file for pair in zip(cats, dogs, strict=False) for file in pair]
            return pairs[:count]
    raise FileNotFoundError("cats-vs-dogs")


def _files(case: Case, folder: Path) -> str:
    """Link so many photographs below a folder, or draw some."""
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    try:
        for file in _listed(case.samples):
            os.symlink(file.resolve(), folder / file.parent.name / file.name)
        return "real data"
    except FileNotFoundError:
        _draw(case, folder)
        return "random data (no photographs)"


def _draw(case: Case, folder: Path) -> None:
    """Draw smooth pictures of the photographs' size: noise would be slower to decode than any photograph."""
    from PIL import Image

    draw = np.random.default_rng(0)
    for number in range(case.samples):
        small = Image.fromarray(draw.integers(0, 256, (24, 27, 3), dtype=np.uint8))
        picture = small.resize((404, 359), Image.Resampling.BICUBIC)
        picture.save(folder / ("cat", "dog")[number % 2] / f"{number}.jpg", quality=90)
