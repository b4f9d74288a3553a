"""The data sets that people learn with: `neocog.datasets.mnist.load_data()`."""

from neocog.datasets import cats_vs_dogs, cifar10, digits, fashion_mnist, mnist

__all__ = ["cats_vs_dogs", "cifar10", "digits", "fashion_mnist", "mnist"]
