"""`neocog.datasets.cifar100`: `load_data()` and the names of the classes."""

from neocog.data._datasets._cifar100 import CLASS_NAMES, load_data

__all__ = ["CLASS_NAMES", "load_data"]
