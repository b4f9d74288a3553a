"""`neocog.datasets.fashion_mnist`: `load_data()` and the names of the classes."""

from neocog.data._datasets._fashion_mnist import CLASS_NAMES, load_data

__all__ = ["CLASS_NAMES", "load_data"]
