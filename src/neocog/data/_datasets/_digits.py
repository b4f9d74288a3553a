"""The digits that scikit-learn carries: real data without a download."""

from __future__ import annotations

from typing import Any

import numpy as np

from neocog.data._split import stratified_split
from neocog.exceptions import ArgumentError, message

CLASS_NAMES = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")

Arrays = tuple[np.ndarray[Any, np.dtype[np.uint8]], np.ndarray[Any, np.dtype[np.uint8]]]


def load_data(test_fraction: float = 0.2, seed: int = 0) -> tuple[Arrays, Arrays]:
    """Return 1797 images of handwritten digits, 8×8, grey, values 0 to 16, split by class.

    Args:
        test_fraction: part for testing, above 0 and below 1.
        seed: of the split.

    Returns:
        ((x_train, y_train), (x_test, y_test)), uint8; x has shape (n, 8, 8), y (n,).

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()
        >>> x_train.shape, x_test.shape, int(x_train.max())
        ((1438, 8, 8), (359, 8, 8), 16)

    Reference: E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI, 1998.
    """
    from sklearn.datasets import load_digits

    if not 0 < test_fraction < 1:
        raise ArgumentError(message("digits", expected="test_fraction between 0 and 1", got=test_fraction))
    bunch = load_digits()
    x, y = bunch.images.astype(np.uint8), bunch.target.astype(np.uint8)
    train, test = stratified_split(y, (1 - test_fraction, test_fraction), seed)
    return (x[train], y[train]), (x[test], y[test])
