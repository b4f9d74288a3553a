"""`neocog.datasets.imdb`: `load_data()` and the numbers of the words."""

from neocog.data._datasets._imdb import CLASS_NAMES, get_word_index, load_data

__all__ = ["CLASS_NAMES", "get_word_index", "load_data"]
