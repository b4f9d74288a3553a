"""`neocog.datasets.cats_vs_dogs`: the folders of the photographs and the names of the classes."""

from neocog.data._datasets._cats_vs_dogs import CLASS_NAMES, load_data, path

__all__ = ["CLASS_NAMES", "load_data", "path"]
