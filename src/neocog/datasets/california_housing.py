"""`neocog.datasets.california_housing`: `load_data()`."""

from neocog.data._datasets._housing import load_california as load_data

__all__ = ["load_data"]
