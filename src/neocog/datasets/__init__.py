"""The data sets that people learn with: `neocog.datasets.mnist.load_data()`."""

from typing import TYPE_CHECKING

from neocog._old_spellings import missing_name
from neocog.datasets import (
    boston_housing,
    california_housing,
    cats_vs_dogs,
    cifar10,
    cifar100,
    digits,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)

__all__ = [
    "boston_housing",
    "california_housing",
    "cats_vs_dogs",
    "cifar10",
    "cifar100",
    "digits",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reuters",
]

if not TYPE_CHECKING:
    __getattr__ = missing_name(__name__, __all__)
