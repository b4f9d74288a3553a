"""Shapes of nested tensors, and symbolic tensors for shapes."""

from __future__ import annotations

from typing import Any, cast

import torch

from neocog.graph import Shape, SymbolicTensor


def shapes_of(tree: Any) -> Any:
    """Return the shapes of (nested) tensors: a tuple for one, a list for several, a dict for a dict."""
    if isinstance(tree, dict):
        return {key: shapes_of(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)) and tree and not all(isinstance(item, (int, float)) for item in tree):
        return [shapes_of(item) for item in tree]
    return tuple(tree.shape) if hasattr(tree, "shape") else None


def shapes_to_symbolic(shapes: Any, dtype: str) -> Any:
    """Return symbolic tensors for a shape, or for nested lists or dicts of shapes."""
    if isinstance(shapes, dict):
        return {key: shapes_to_symbolic(value, dtype) for key, value in shapes.items()}
    if isinstance(shapes, (list, tuple)) and shapes and isinstance(shapes[0], (list, tuple)):
        return [shapes_to_symbolic(shape, dtype) for shape in shapes]
    return SymbolicTensor(cast("Shape", shapes), dtype)


def as_shape(shape: Any) -> Any:
    """A shape given as a list (`build([None, 4])`) becomes the tuple that `build` expects."""
    if isinstance(shape, list) and all(size is None or isinstance(size, int) for size in shape):
        return tuple(shape)
    return tuple(shape) if isinstance(shape, torch.Size) else shape
