"""Graphs as transfer needs them: nested models in their place, cut in two where one tensor carries all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from neocog.core import tree_flatten, tree_map
from neocog.exceptions import ArgumentError, GraphError, message
from neocog.graph import Input, Node, SymbolicTensor, record_function
from neocog.models import Model

Call = Callable[[Node, tuple[Any, ...], dict[str, Any]], Any]


def unwrapped(base: Any) -> Any:
    """Return the model of a backbone; a module is taken whole, whatever its attributes are called."""
    return base if isinstance(base, nn.Module) else getattr(base, "model", base)


def model_of(base: Any, where: str = "transfer") -> Any:
    """Return the model of a backbone, or the model itself.

    Raises:
        GraphError: it has no graph: a subclassed model, or one that is not built.
    """
    model = unwrapped(base)
    if not isinstance(model, Model) or not model.graph_nodes():
        got = f"{type(model).__name__} without one"
        do = "Subclassed models serve extract_features alone; a Sequential needs an Input."
        raise GraphError(message(where, expected="a model with a graph", got=got, do=do))
    return model


def replay(nodes: list[Node], found: dict[int, SymbolicTensor], call: Call | None = None) -> None:
    """Call the operations of `nodes` once more, on the tensors that `found` holds by the old ones' ids.

    Args:
        nodes: in an order in which each comes after what it needs.
        found: new tensors by the id of the old ones; the results are added.
        call: makes the call in place of the operation itself.
    """

    def renewed(tree: Any) -> Any:
        return tree_map(lambda leaf: found[id(leaf)] if isinstance(leaf, SymbolicTensor) else leaf, tree)

    for node in nodes:
        outputs = (call or call_again)(node, renewed(tuple(node.args)), renewed(node.kwargs))
        for old, new in zip(tree_flatten(node.outputs), tree_flatten(outputs), strict=True):
            found[id(old)] = new


def call_again(node: Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call the operation of a node on other tensors; a nested model's own operations one by one."""
    operation = node.operation
    if not isinstance(operation, nn.Module):
        return record_function(operation, args, kwargs)
    if isinstance(operation, Model) and operation.graph_nodes() and len(args) == 1:
        return _inside(operation, args[0])
    return operation(*args, **kwargs)


def _inside(model: Any, inputs: Any) -> Any:
    found = {id(old): new for old, new in zip(model.inputs, tree_flatten(inputs), strict=True)}
    replay(model.graph_nodes(), found)
    return tree_map(lambda leaf: found[id(leaf)], model.output)


def inlined(model: Any) -> Any:
    """Return the same model, its layers shared, with the layers of nested models in its own graph."""
    if not any(isinstance(node.operation, Model) for node in model.graph_nodes()):
        return model
    found = {id(tensor): tensor for tensor in model.inputs}
    replay(model.graph_nodes(), found)
    outputs = tree_map(lambda leaf: found[id(leaf)], model.output)
    return Model.functional_class(inputs=model.input, outputs=outputs, name=model.name)


def boundaries(model: Any) -> list[int]:
    """Return the positions in `graph_nodes()` after which one tensor carries everything that is left to do.

    The last position, behind which nothing is left, is among them where the model has one output.
    """
    nodes = model.graph_nodes()
    last: dict[int, int] = {}
    for position, node in enumerate(nodes):
        for tensor in node.inputs:
            last[id(tensor)] = position
    for tensor in model.outputs:
        last[id(tensor)] = len(nodes)
    alive = {id(tensor) for tensor in model.inputs if id(tensor) in last}
    found = []
    for position, node in enumerate(nodes):
        outputs = [id(tensor) for tensor in tree_flatten(node.outputs)]
        alive |= {key for key in outputs if key in last}
        alive = {key for key in alive if last[key] > position}
        if len(alive) == 1 and alive <= set(outputs):
            found.append(position)
    return found


def split_at(model: Any, position: int) -> tuple[Any, Any]:
    """Return the part of a model up to a boundary, and the part behind it, which share its layers.

    Args:
        model: with one output of the boundary's place; see `inlined`.
        position: one of `boundaries`.

    Returns:
        lower: from the model's inputs to the boundary.
        upper: from the boundary to the model's outputs, or None where nothing is left.

    Raises:
        ArgumentError: several tensors cross there.
    """
    nodes = model.graph_nodes()
    if position not in boundaries(model):
        raise ArgumentError(
            message(f"{model.label}: split", expected=f"one of {boundaries(model)}", got=position)
        )
    edge = _crossing(model, position)
    lower = Model.functional_class(inputs=model.input, outputs=edge, name=f"{model.name}_lower")
    if position == len(nodes) - 1:
        return lower, None
    entry = Input(edge.shape[1:], dtype=edge.dtype, name="boundary")
    found = {id(edge): entry}
    replay(nodes[position + 1 :], found)
    outputs = tree_map(lambda leaf: found[id(leaf)], model.output)
    return lower, Model.functional_class(inputs=entry, outputs=outputs, name=f"{model.name}_upper")


def _crossing(model: Any, position: int) -> SymbolicTensor:
    """Return the one tensor that is needed behind a boundary."""
    nodes = model.graph_nodes()
    needed = {id(tensor) for node in nodes[position + 1 :] for tensor in node.inputs}
    needed |= {id(tensor) for tensor in model.outputs}
    edge: SymbolicTensor = next(t for t in tree_flatten(nodes[position].outputs) if id(t) in needed)
    return edge
