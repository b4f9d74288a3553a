"""`neocog.datasets.reuters`: `load_data()`, the topics and the numbers of the words."""

from neocog.data._datasets._reuters import CLASS_NAMES, get_label_names, get_word_index, load_data

__all__ = ["CLASS_NAMES", "get_label_names", "get_word_index", "load_data"]
