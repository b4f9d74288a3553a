"""Small made-up files in the form of data sets that a machine may lack: chapters run on them unchanged."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np

WORDS = 300  # words in the made-up texts, numbered by how frequent they are


def _texts(labels: np.ndarray, random: np.random.Generator, classes: int) -> np.ndarray:
    """Return lists of word numbers: most words mean nothing, a third belong to the class."""
    texts = np.empty(len(labels), dtype=object)
    for row, label in enumerate(labels):
        length = int(random.integers(20, 60))
        plain = np.minimum(random.geometric(0.05, length), 99)
        telling = 100 + label + classes * random.integers(0, (WORDS - 100) // classes - 1, length)
        texts[row] = [int(word) for word in np.where(random.random(length) < 0.3, telling, plain)]
    return texts


def _words(path: Path) -> None:
    path.write_text(json.dumps({f"word{number}": number for number in range(1, WORDS)}), encoding="utf-8")


def imdb(folder: Path) -> None:
    random = np.random.default_rng(0)
    y_train, y_test = random.integers(0, 2, 600), random.integers(0, 2, 200)
    x_train, x_test = _texts(y_train, random, 2), _texts(y_test, random, 2)
    np.savez(folder / "imdb.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    _words(folder / "imdb_word_index.json")


def reuters(folder: Path) -> None:
    random = np.random.default_rng(1)
    y = np.concatenate([np.arange(46), random.integers(0, 46, 1154)])
    np.savez(folder / "reuters.npz", x=_texts(y, random, 46), y=y)
    _words(folder / "reuters_word_index.json")


def _houses(path: Path, rows: int, columns: int, unit: float) -> None:
    random = np.random.default_rng(2)
    x = random.lognormal(0.0, 0.5, (rows, columns)) * 10.0 ** np.arange(columns).clip(max=3)
    price = (np.log(x).T[0] + 0.3 * random.normal(size=rows) + 3.0) * unit
    np.savez(path, x=x, y=price)


def boston_housing(folder: Path) -> None:
    _houses(folder / "boston_housing.npz", 506, 13, 8.0)


def california_housing(folder: Path) -> None:
    _houses(folder / "california_housing.npz", 600, 8, 70000.0)


def cifar100(folder: Path) -> None:
    random = np.random.default_rng(3)
    (folder / "cifar-100-python").mkdir()
    for name, rows in (("train", 60), ("test", 20)):
        fine = random.integers(0, 100, rows)
        pixels = random.integers(0, 256, (rows, 3 * 32 * 32), dtype=np.uint8)
        labels = {b"fine_labels": fine.tolist(), b"coarse_labels": (fine % 20).tolist()}
        content = pickle.dumps({b"data": pixels, **labels}, protocol=2)  # as its authors publish it
        (folder / "cifar-100-python" / name).write_bytes(content)


STAND_INS: dict[str, Callable[[Path], None]] = {
    "boston_housing": boston_housing,
    "california_housing": california_housing,
    "cifar100": cifar100,
    "imdb": imdb,
    "reuters": reuters,
}
