"""What a layer gives for symbolic inputs, and the first place that it takes in a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from neocog.core import tree_flatten
from neocog.exceptions import GraphError
from neocog.graph import Node, SymbolicTensor, infer_outputs, is_symbolic
from neocog.layers._building import build_for
from neocog.layers._shapes import shapes_of, shapes_to_symbolic

if TYPE_CHECKING:
    from neocog.layers._layer import Layer


def symbolic_outputs(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any], *, has_rule: bool) -> Any:
    """Return the outputs for symbolic inputs.

    Args:
        layer: the layer; built.
        args, kwargs: the arguments of its call.
        has_rule: whether its class says its output shape itself; else a run on torch's meta device tells.
    """
    if not has_rule or len(args) != 1 or is_symbolic(kwargs):
        return infer_outputs(layer, args, kwargs)
    shapes = layer.compute_output_shape(shapes_of(args[0]))
    first = next(leaf for leaf in tree_flatten(args[0]) if isinstance(leaf, SymbolicTensor))
    dtype = layer.compute_output_dtype(first.dtype)
    return shapes_to_symbolic(shapes, dtype)


def shapes_by_running(layer: Layer, input_shape: Any) -> Any:
    """Return the shapes of the outputs for inputs of these shapes, by a run on torch's meta device."""
    symbolic = shapes_to_symbolic(input_shape, layer._dtype)
    if not layer.built:
        build_for(layer, (symbolic,), {})
    return shapes_of(infer_outputs(layer, (symbolic,), {}))


def first_node(where: str, nodes: Sequence[Node], what: str) -> Node:
    """Return the node of a layer's first symbolic call.

    Raises:
        GraphError: there was none.
    """
    if not nodes:
        raise GraphError(f"{where}: has no {what} yet: it was never called on a symbolic tensor (Input).")
    return nodes[0]
