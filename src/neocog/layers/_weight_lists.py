"""All weights of a module in Keras's order, and assigning them all or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import nn

from neocog.exceptions import NotBuiltError, ShapeError, message
from neocog.layers._weights import WeightSpec, WeightView


def weight_views(module: nn.Module, prefix: str = "", seen: set[int] | None = None) -> list[WeightView]:
    """Return the weights of a module: own trainable, own others, then its children's; shared ones once."""
    seen = set() if seen is None else seen
    name = getattr(module, "name", None)
    path = f"{prefix}{name}/" if isinstance(name, str) else prefix
    find_names: Any = getattr(module, "name_weights", None)
    if find_names is not None:
        find_names()
    specs: list[WeightSpec] = sorted(_own_specs(module), key=lambda spec: not spec.trainable)
    views = []
    for spec in specs:
        view = WeightView(module, spec, path + spec.name)
        if id(view.value) not in seen:
            seen.add(id(view.value))
            views.append(view)
    for child in keras_children(module):
        views.extend(weight_views(child, path, seen))
    return views


def keras_children(module: nn.Module) -> list[nn.Module]:
    """Return the modules directly inside, in order; models say themselves which are their layers."""
    own = getattr(module, "layers", None)
    known = list(own) if isinstance(own, (list, tuple)) else []
    rest = [child for child in module.children() if not any(child is layer for layer in known)]
    return [child for child in [*known, *rest] if isinstance(child, nn.Module)]


def _own_specs(module: nn.Module) -> list[WeightSpec]:
    specs: list[WeightSpec] = list(getattr(module, "_specs", []))
    described = {spec.attribute for spec in specs}
    for key, parameter in module._parameters.items():
        if parameter is not None and key not in described:
            specs.append(WeightSpec(name=key, attribute=key, trainable=parameter.requires_grad))
    for key, buffer in module._buffers.items():
        persistent = key not in module._non_persistent_buffers_set
        if buffer is not None and key not in described and persistent:
            specs.append(WeightSpec(name=key, attribute=key, trainable=False))
    return specs


def assign_all(where: str, views: Sequence[WeightView], values: Any) -> None:
    """Assign one array to each weight, after checking that all of them fit.

    Raises:
        ShapeError: the number of arrays or one of their shapes differs; no weight has changed then.
    """
    arrays = list(values)
    if len(arrays) != len(views):
        names = ", ".join(f"{view.path} {view.shape}" for view in views[:6])
        expected = f"{len(views)} weight arrays ({names}{', …' if len(views) > 6 else ''})"
        raise ShapeError(message(where, expected=expected, got=len(arrays)))
    for view, value in zip(views, arrays, strict=True):
        if tuple(np.shape(value)) != view.shape:
            raise ShapeError(
                message(f'{where}, weight "{view.path}"', expected=f"shape {view.shape}", got=np.shape(value))
            )
    for view, value in zip(views, arrays, strict=True):
        view.assign(value)


def count_values(where: str, views: Sequence[WeightView] | None) -> int:
    """Return the number of values in a layer's weights.

    Args:
        where: the layer, for the error text.
        views: its weights; None where it is not built.

    Raises:
        NotBuiltError: the layer has no weights yet.
    """
    if views is None:
        raise NotBuiltError(f"{where}: has no weights yet. Give it an input_shape, or call it on data first.")
    return sum(int(view.value.numel()) for view in views)
