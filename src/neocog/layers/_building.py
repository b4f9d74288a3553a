"""Building a layer: by its `build` when the inputs' shapes are known, or by running it on zeros."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neocog.core import TEXT, keeping_states, spend, torch_dtype, tree_flatten, tree_map
from neocog.graph import SymbolicTensor
from neocog.layers._shapes import as_shape, shapes_of

if TYPE_CHECKING:
    from neocog.layers._layer import Layer

_STAND_IN = 64  # for a size that is not known: large enough for a few strides and poolings


class ShapesByArgument(dict[str, Any]):
    """The shapes that a `build` with several of them got: `{"query_shape": …, "value_shape": …}`."""


def with_settled_weights(build: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a class's `build`: it gets its shape as a tuple, and the layer counts as built afterwards."""

    @wraps(build)
    def wrapped(self: Layer, *args: Any, **kwargs: Any) -> Any:
        if args:
            args = (as_shape(args[0]), *args[1:])
        result = build(self, *args, **kwargs)
        shapes = args[0] if args else next(iter(kwargs.values()), None)
        if len(args) + len(kwargs) > 1:
            given = inspect.signature(build).bind(self, *args, **kwargs).arguments
            shapes = ShapesByArgument(list(given.items())[1:])
        self._settle(shapes)
        return result

    return wrapped


@lru_cache
def _shape_arguments(build: Callable[..., Any]) -> tuple[str, ...]:
    """Return the arguments of a class's `build` that are shapes, where there are several; else nothing."""
    names = [name for name in inspect.signature(build).parameters if name.endswith("_shape")]
    return tuple(names) if len(names) > 1 else ()


def _build(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Call `build` with the first input's shape, or, where it asks for several by name, with these."""
    names = _shape_arguments(type(layer).build)
    if not names:
        layer.build(shapes_of(args[0]) if args else shapes_of(next(iter(kwargs.values()), None)))
        return
    inputs = inspect.signature(layer.call).bind(*args, **kwargs).arguments
    of = {name: inputs.get(name.removesuffix("_shape")) for name in names}
    layer.build(**{name: shapes_of(value) for name, value in of.items() if value is not None})


def build_for(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Build a layer for these inputs, on their device, with the weights that its constructor was given."""
    _build(layer, args, kwargs)
    layer._settle(layer._build_shapes)
    tensors = [leaf for leaf in tree_flatten((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    if tensors and tensors[0].device.type not in ("cpu", "meta"):
        layer.to(tensors[0].device)
    if layer._initial_weights is not None:
        layer.set_weights(layer._initial_weights)
        layer._initial_weights = None


def build_by_running(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Build the layers inside by running `call` once on zeros: only the code knows what it calls on what."""
    with torch.no_grad(), keeping_states(layer):
        layer(*tree_map(_zeros, args), **tree_map(_zeros, kwargs))
    layer._losses.clear()


def _zeros(leaf: Any) -> Any:
    if not isinstance(leaf, SymbolicTensor):
        return leaf
    sizes = [1 if axis == 0 else _STAND_IN if size is None else size for axis, size in enumerate(leaf.shape)]
    spend(f'Input "{leaf.name}"', sizes, 4, keep=False)
    return np.full(sizes, "") if leaf.dtype == TEXT else torch.zeros(sizes, dtype=torch_dtype(leaf.dtype))
