"""What `neocog.data.Dataset` is made of: elements, stages and the class that joins them."""

from neocog.data._pipeline._dataset import Dataset
from neocog.data._pipeline._elements import Text, TextArray
from neocog.data._pipeline._stage import AUTOTUNE, INFINITE, UNKNOWN, Cardinality, TensorSpec

__all__ = ["AUTOTUNE", "INFINITE", "UNKNOWN", "Cardinality", "Dataset", "TensorSpec", "Text", "TextArray"]
