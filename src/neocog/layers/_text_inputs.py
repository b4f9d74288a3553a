"""Which layers read strings, and the error of those that don't."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neocog.core import TEXT, is_text, tree_any
from neocog.exceptions import DataError, message
from neocog.graph import SymbolicTensor

if TYPE_CHECKING:
    from neocog.layers._layer import Layer


def refuse_text(layer: Layer, tree: Any) -> None:
    """Raise DataError where a layer that reads numbers alone is given strings, real or symbolic."""
    if layer.takes_text or not tree_any(_is_text, tree):
        return
    do = (
        "Turn it into numbers first: TextVectorization for sentences, StringLookup for names of categories; "
        "class names to 0, 1, 2, …"
    )
    raise DataError(message(layer.label, expected="numbers", got="text", do=do))


def _is_text(leaf: Any) -> bool:
    return is_text(leaf) or (isinstance(leaf, SymbolicTensor) and leaf.dtype == TEXT)
