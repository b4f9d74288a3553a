"""The data sets that people learn with: `neocog.datasets.mnist.load_data()`."""

from typing import TYPE_CHECKING

from neocog._old_spellings import missing_name
from neocog.datasets import cats_vs_dogs, cifar10, digits, fashion_mnist, mnist

__all__ = ["cats_vs_dogs", "cifar10", "digits", "fashion_mnist", "mnist"]

if not TYPE_CHECKING:
    __getattr__ = missing_name(__name__, __all__)
