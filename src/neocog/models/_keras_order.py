"""The order in which Keras lists a graph's layers: files name weights by it, so it must be the same here.

Deepest first, by the longest way to an output; equally deep ones as a walk back from the outputs meets them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn

from neocog.core import tree_flatten
from neocog.graph import Node, SymbolicTensor


def identity(item: Any) -> Any:
    """Return what a node is a call of: a module is one however often called, a function's call is its own."""
    if isinstance(item, Node) and isinstance(item.operation, nn.Module):
        return item.operation
    return item


def in_keras_order(inputs: list[SymbolicTensor], outputs: Any) -> list[Any]:
    """Return inputs (as symbolic tensors), modules and calls of functions (as nodes) in Keras's order.

    Args:
        inputs: where the graph begins; an input that no output needs stands among the last.
        outputs: nested symbolic tensors.
    """
    known = {id(tensor): tensor for tensor in inputs}
    finished, met = _walk_back(known, outputs)
    depths: dict[int, int] = {}  # of calls
    deepest: dict[int, int] = {}  # of what is called
    items: dict[int, Any] = {}
    for node in reversed(finished):
        item = identity(node)
        depth = max(depths.get(id(node), 0), deepest.get(id(item), 0))
        depths[id(node)] = deepest[id(item)] = depth
        items[id(item)] = item
        for source in _sources(node, known):
            depths[id(source)] = max(depths.get(id(source), 0), depth + 1)
    for tensor in inputs:
        if id(tensor) not in items:
            items[id(tensor)], deepest[id(tensor)], met[id(tensor)] = tensor, 0, -1
    return sorted(items.values(), key=lambda item: (-deepest[id(item)], met[id(item)]))


def _walk_back(known: dict[int, SymbolicTensor], outputs: Any) -> tuple[list[Any], dict[int, int]]:
    """Return the calls, each after what it needs, and when the walk first met what is called."""
    finished: list[Any] = []
    done: set[int] = set()
    met: dict[int, int] = {}
    for output in tree_flatten(outputs):
        stack: list[tuple[Any, Iterator[Any]]] = []
        _enter(_maker(output, known), known, done, met, stack)
        while stack:
            node, sources = stack[-1]
            source = next(sources, None)
            if source is not None:
                _enter(source, known, done, met, stack)
                continue
            stack.pop()
            if id(node) not in done:
                done.add(id(node))
                finished.append(node)
    return finished, met


def _enter(
    node: Any, known: dict[int, SymbolicTensor], done: set[int], met: dict[int, int], stack: list[Any]
) -> None:
    if id(node) not in done:
        met.setdefault(id(identity(node)), len(met))
        stack.append((node, iter(_sources(node, known))))


def _maker(tensor: SymbolicTensor, known: dict[int, SymbolicTensor]) -> Any:
    """Return the call that gave a tensor; an input stands for itself."""
    return tensor if id(tensor) in known or tensor.node is None else tensor.node


def _sources(node: Any, known: dict[int, SymbolicTensor]) -> list[Any]:
    if isinstance(node, SymbolicTensor):
        return []
    leaves = tree_flatten((node.args, node.kwargs))
    return [_maker(leaf, known) for leaf in leaves if isinstance(leaf, SymbolicTensor)]
