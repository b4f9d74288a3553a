"""Nested structures of tensors: lists, tuples and dicts, mapped and flattened (dicts by sorted key, as in
Keras).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def tree_flatten(tree: Any) -> list[Any]:
    """Return the leaves of nested lists, tuples and dicts, left to right; a leaf alone gives a list of
    one.
    """
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in tree_flatten(tree[key])]
    if isinstance(tree, (list, tuple)):
        return [leaf for item in tree for leaf in tree_flatten(item)]
    return [tree]


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return the same structure with `function` applied to each leaf."""
    if isinstance(tree, dict):
        return {key: tree_map(function, value) for key, value in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(tree_map(function, item) for item in tree))
    if isinstance(tree, (list, tuple)):
        return type(tree)(tree_map(function, item) for item in tree)
    return function(tree)


def tree_pack(tree: Any, leaves: list[Any]) -> Any:
    """Return the structure of `tree` filled with `leaves`, in the order of `tree_flatten`."""
    rest = iter(leaves)

    def fill(node: Any) -> Any:
        if isinstance(node, dict):
            filled = {key: fill(node[key]) for key in sorted(node)}
            return {key: filled[key] for key in node}
        if isinstance(node, tuple) and hasattr(node, "_fields"):
            return type(node)(*(fill(item) for item in node))
        if isinstance(node, (list, tuple)):
            return type(node)(fill(item) for item in node)
        return next(rest)

    return fill(tree)


def tree_any(predicate: Callable[[Any], bool], tree: Any) -> bool:
    """Return whether `predicate` holds for some leaf."""
    if isinstance(tree, dict):
        return any(tree_any(predicate, value) for value in tree.values())
    if isinstance(tree, (list, tuple)):
        return any(tree_any(predicate, item) for item in tree)
    return predicate(tree)
