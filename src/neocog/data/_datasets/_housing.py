"""Prices of houses: Boston's suburbs in the 1970s, California's districts in 1990."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from neocog.core import check_one_of
from neocog.data._datasets._keras_files import keras_file
from neocog.data._datasets._npz import read_npz
from neocog.data._datasets._sequences import shuffled
from neocog.exceptions import ArgumentError, FileFormatError, message

BOSTON_SHA256 = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"
CALIFORNIA_SHA256 = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
_SMALL = 600

Array = np.ndarray[Any, Any]
Parts = tuple[tuple[Array, Array], tuple[Array, Array]]


def load_boston(
    path: str | os.PathLike[str] = "boston_housing.npz", test_split: float = 0.2, seed: int = 113
) -> Parts:
    """Return 506 suburbs of Boston: 13 numbers each, and the median price of a house in 1000 dollars.

    One of the numbers rates suburbs by the share of their Black residents; for anything but old book code,
    take `california_housing`.

    Args:
        path: a file on this machine, or the name that the download gets; `boston_housing.npz` in a folder
            `boston_housing` below `NEOCOG_DATA`, `NEOCOG_HOME/datasets` or `~/.neocog/datasets` is found.
        test_split: part for testing, from 0 to below 1.
        seed: of the order.

    Returns:
        ((x_train, y_train), (x_test, y_test)); x has shape (n, 13), y (n,).

    Reference: D. Harrison, D. Rubinfeld: Hedonic prices and the demand for clean air, 1978.
    """
    file = keras_file("boston_housing", path, "boston_housing.npz", BOSTON_SHA256)
    return _parts(file, "boston_housing.load_data", None, test_split, seed)


def load_california(
    version: str = "large",
    path: str | os.PathLike[str] = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> Parts:
    """Return 20640 districts of California: 8 numbers each, and the median price of a house in dollars.

    The numbers are income, age of the houses, rooms and bedrooms a household, population, people a household,
    latitude and longitude.

    Args:
        version: `"large"`, or `"small"` for the first 600 districts.
        path: a file on this machine, or the name that the download gets; `california_housing.npz` in a folder
            `california_housing` below `NEOCOG_DATA`, `NEOCOG_HOME/datasets` or `~/.neocog/datasets` is found.
        test_split: part for testing, from 0 to below 1.
        seed: of the order.

    Returns:
        ((x_train, y_train), (x_test, y_test)); x has shape (n, 8), y (n,).

    Reference: R. Pace, R. Barry: Sparse spatial autoregressions, 1997.
    """
    where = "california_housing.load_data"
    count = _SMALL if check_one_of(where, "version", version, ("small", "large")) == "small" else None
    file = keras_file("california_housing", path, "california_housing.npz", CALIFORNIA_SHA256)
    return _parts(file, where, count, test_split, seed)


def _parts(file: Any, where: str, count: int | None, test_split: float, seed: int) -> Parts:
    if not 0 <= test_split < 1:
        raise ArgumentError(message(where, expected="test_split from 0 to below 1", got=test_split))
    x, y = read_npz(file, ("x", "y"))
    if x.ndim != 2 or len(x) != len(y):
        raise FileFormatError(message(str(file), expected="rows and as many prices", got="other arrays"))
    x, y = shuffled(x[:count], y[:count], np.random.RandomState(seed))
    cut = int(len(x) * (1 - test_split))
    return (x[:cut], y[:cut]), (x[cut:], y[cut:])
