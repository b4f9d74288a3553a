"""The groups of a weight file: which path in the file belongs to which layer.

Keras 3 names a group by the walk of attributes that leads to the layer, never by the layer's own name:
`layers/conv2d_1` is the second Conv2D of a model, `encoder/blocks/dense` the first Dense in the list
`model.encoder.blocks`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import nn

from neocog.core import to_snake_case, to_tensor


class WeightLike(Protocol):
    """One weight as Keras sees it: its layout, its name, its values."""

    @property
    def name(self) -> str:
        """Keras's name of the weight."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape in Keras's layout."""

    @property
    def value(self) -> torch.Tensor:
        """The tensor that holds it, in torch's layout."""

    def numpy(self) -> Any:
        """The values in Keras's layout."""

    def assign(self, value: Any) -> Any:
        """Overwrite the values, given in Keras's layout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightGroup:
    """The weights that one layer keeps itself.

    Attributes:
        path: place in the file, `""` for the module that is saved.
        name: the layer's name, which Keras keeps as an attribute; None for plain torch modules.
        weights: trainable, then others; empty where the layer reads and writes its arrays itself.
        module: the layer.
    """

    path: str
    name: str | None
    weights: list[WeightLike]
    module: nn.Module

    @property
    def own_form(self) -> bool:
        """Whether the layer's class says itself which arrays are written (`save_own_variables`)."""
        return _has_own_form(self.module)

    @property
    def label(self) -> str:
        """How error texts name the group."""
        place = f'"{self.path}"' if self.path else "the model itself"
        return f'{place} (layer "{self.name}")' if self.name and self.path else place


class PlainWeight:
    """A parameter or buffer of a plain torch module: the same layout on both sides."""

    __slots__ = ("_tensor", "name")

    def __init__(self, name: str, tensor: torch.Tensor) -> None:
        self.name = name
        self._tensor = tensor

    @property
    def value(self) -> torch.Tensor:
        """The tensor itself."""
        return self._tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return tuple(self._tensor.shape)

    def numpy(self) -> Any:
        """A copy of the values; bfloat16 as float32."""
        values = self._tensor.detach().cpu()
        return (values.float() if values.dtype == torch.bfloat16 else values).contiguous().numpy().copy()

    def assign(self, value: Any) -> PlainWeight:
        """Overwrite the values."""
        with torch.no_grad():
            self._tensor.copy_(to_tensor(value).to(self._tensor.device, self._tensor.dtype))
        return self


def weight_groups(module: nn.Module) -> list[WeightGroup]:
    """Return the groups of all layers in a module, in Keras's order; a shared layer stands once.

    A module says by `graph_layers` that it is a chain or graph of layers: these come first, under `layers`.
    Then its attributes are walked in alphabetical order, private ones last.
    """
    groups: list[WeightGroup] = []
    _walk(module, "", set(), groups)
    return groups


def own_weights(module: nn.Module) -> list[WeightLike]:
    """Return the weights that a module keeps itself, without those of modules inside.

    A layer may say by `filed_weights()` that Keras files more under it, as under a wrapper.
    """
    if hasattr(module, "filed_weights"):
        return list(module.filed_weights())  # type: ignore[operator]
    if hasattr(module, "_specs"):
        return [view for view in module.weights if view.module is module]  # type: ignore[union-attr]
    named = [(key, tensor) for key, tensor in module._parameters.items() if tensor is not None]
    hidden = module._non_persistent_buffers_set
    buffers = [(k, tensor) for k, tensor in module._buffers.items() if tensor is not None and k not in hidden]
    trainable = [item for item in named if item[1].requires_grad]
    frozen = [item for item in named if not item[1].requires_grad]
    return [PlainWeight(key, tensor) for key, tensor in [*trainable, *frozen, *buffers]]


def _has_own_form(module: nn.Module) -> bool:
    method = getattr(type(module), "save_own_variables", None)
    return method is not None and not getattr(method, "is_default", False)


def _walk(module: nn.Module, path: str, visited: set[int], groups: list[WeightGroup]) -> None:
    if id(module) in visited:
        return
    visited.add(id(module))
    name = getattr(module, "name", None)
    name = name if isinstance(name, str) else None
    weights = [] if _has_own_form(module) else own_weights(module)
    inner = path.rpartition("/")[2].startswith("_")
    keeps_files = hasattr(module, "save_own_assets") or hasattr(module, "save_assets")
    wanted = weights or _has_own_form(module) or keeps_files
    if wanted or (name is not None and not inner):  # Keras needs no empty groups; private ones say nothing
        groups.append(WeightGroup(path=path, name=name, weights=weights, module=module))
    for attribute, child in _attributes(module):
        _visit(child, _join(path, attribute), visited, groups)


def _visit(
    child: Any, path: str, visited: set[int], groups: list[WeightGroup], outer: tuple[int, ...] = ()
) -> None:
    items = _items(child)
    if items is None:
        if isinstance(child, nn.Module):
            _walk(child, path, visited, groups)
        return
    if id(child) in outer:  # a list that holds itself
        return
    used: dict[str, int] = {}
    for item in items:
        is_container = _items(item) is not None
        if is_container or isinstance(item, nn.Module):
            kind = "container" if is_container else to_snake_case(type(item).__name__)
            number = used[kind] = used.get(kind, -1) + 1
            inner = _join(path, f"{kind}_{number}" if number else kind)
            _visit(item, inner, visited, groups, (*outer, id(child)))


def _attributes(module: nn.Module) -> Iterator[tuple[str, Any]]:
    chain = getattr(module, "graph_layers", None)
    if chain is not None:
        yield "layers", list(chain)
    names = {key for key, child in module._modules.items() if child is not None}
    listed = getattr(module, "layers", None)
    if chain is None and isinstance(listed, (list, tuple)):
        names.add("layers")
    for name in sorted(names, key=lambda key: f"~{key}" if key.startswith("_") else key):
        yield name.replace("/", "_"), getattr(module, name)


def _items(value: Any) -> Iterable[Any] | None:
    """Return what a container holds, or None for anything that is no container."""
    if isinstance(value, (dict, nn.ModuleDict)):
        return list(value.values())
    if isinstance(value, (list, tuple, nn.ModuleList)):
        return list(value)
    return None


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name
