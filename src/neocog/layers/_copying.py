"""Deep copies of layers."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neocog.layers._layer import Layer


def copy_without_graph(layer: Layer, memo: dict[int, Any]) -> Any:
    """Deep-copy a layer, but not the graph that it is part of: a walk through it could be as deep as the
    network.
    """
    new = type(layer).__new__(type(layer))
    memo[id(layer)] = new
    for key, value in layer.__dict__.items():
        object.__setattr__(new, key, [] if key in ("_nodes", "_losses") else copy.deepcopy(value, memo))
    return new
