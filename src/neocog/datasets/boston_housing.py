"""`neocog.datasets.boston_housing`: `load_data()`."""

from neocog.data._datasets._housing import load_boston as load_data

__all__ = ["load_data"]
