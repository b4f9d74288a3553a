"""Building a layer: by its `build` when the inputs' shapes are known, or by running it on zeros."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import torch

from neocog.core import spend, torch_dtype, tree_flatten, tree_map
from neocog.graph import SymbolicTensor
from neocog.layers._shapes import as_shape, shapes_of

if TYPE_CHECKING:
    from neocog.layers._layer import Layer

_STAND_IN = 64  # for a size that is not known: large enough for a few strides and poolings


def with_settled_weights(build: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a class's `build`: it gets its shape as a tuple, and the layer counts as built afterwards."""

    @wraps(build)
    def wrapped(self: Layer, *args: Any, **kwargs: Any) -> Any:
        if args:
            args = (as_shape(args[0]), *args[1:])
        result = build(self, *args, **kwargs)
        self._settle(args[0] if args else next(iter(kwargs.values()), None))
        return result

    return wrapped


def build_for(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Build a layer for these inputs, on their device, with the weights that its constructor was given."""
    layer.build(shapes_of(args[0]) if args else shapes_of(next(iter(kwargs.values()), None)))
    layer._settle(layer._build_shapes)
    tensors = [leaf for leaf in tree_flatten((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    if tensors and tensors[0].device.type not in ("cpu", "meta"):
        layer.to(tensors[0].device)
    if layer._initial_weights is not None:
        layer.set_weights(layer._initial_weights)
        layer._initial_weights = None


def build_by_running(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Build the layers inside by running `call` once on zeros: only the code knows what it calls on what."""
    with torch.no_grad():
        layer(*tree_map(_zeros, args), **tree_map(_zeros, kwargs))
    layer._losses.clear()


def _zeros(leaf: Any) -> Any:
    if not isinstance(leaf, SymbolicTensor):
        return leaf
    sizes = [1 if axis == 0 else _STAND_IN if size is None else size for axis, size in enumerate(leaf.shape)]
    spend(f'Input "{leaf.name}"', sizes, 4, keep=False)
    return torch.zeros(sizes, dtype=torch_dtype(leaf.dtype))
