"""Floor 4: the layers, one family a file."""

from neocog.graph import Input
from neocog.layers._input_spec import InputSpec
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS, deserialize, get, serialize
from neocog.layers._weights import Variable, WeightView

__all__ = [
    "LAYERS",
    "Input",
    "InputSpec",
    "Layer",
    "Variable",
    "WeightView",
    "deserialize",
    "get",
    "serialize",
]
