"""Layers that turn raw features into numbers: texts, names, categories, measurements."""

from neocog.layers.lookup._category_encoding import CategoryEncoding
from neocog.layers.lookup._discretization import Discretization
from neocog.layers.lookup._hashed_crossing import HashedCrossing
from neocog.layers.lookup._hashing import Hashing
from neocog.layers.lookup._integer_lookup import IntegerLookup
from neocog.layers.lookup._string_lookup import StringLookup
from neocog.layers.lookup._text_vectorization import TextVectorization

__all__ = [
    "CategoryEncoding",
    "Discretization",
    "HashedCrossing",
    "Hashing",
    "IntegerLookup",
    "StringLookup",
    "TextVectorization",
]
