"""Lists and dicts of layers kept as attributes: `self.hidden = [Dense(30) for _ in range(4)]` registers its
layers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, SupportsIndex

from torch import nn


class TrackedList(list[Any]):
    """A list whose modules are known to the module that owns it."""

    def __init__(self, items: Iterable[Any], mirror: nn.ModuleList) -> None:
        super().__init__(items)
        self._mirror = mirror
        self._sync()

    def _sync(self) -> None:
        self._mirror._modules.clear()
        for item in self:
            if isinstance(item, nn.Module):
                self._mirror.append(item)

    def append(self, item: Any) -> None:
        super().append(item)
        self._sync()

    def extend(self, items: Iterable[Any]) -> None:
        super().extend(items)
        self._sync()

    def insert(self, index: SupportsIndex, item: Any) -> None:
        super().insert(index, item)
        self._sync()

    def pop(self, index: SupportsIndex = -1) -> Any:
        item = super().pop(index)
        self._sync()
        return item

    def remove(self, item: Any) -> None:
        super().remove(item)
        self._sync()

    def clear(self) -> None:
        super().clear()
        self._sync()

    def __setitem__(self, index: Any, item: Any) -> None:
        super().__setitem__(index, item)
        self._sync()

    def __delitem__(self, index: Any) -> None:
        super().__delitem__(index)
        self._sync()

    def __iadd__(self, items: Iterable[Any]) -> TrackedList:  # type: ignore[misc]
        self.extend(items)
        return self

    def __reduce__(self) -> Any:
        return (_restore_list, (list(self), self._mirror))


class TrackedDict(dict[Any, Any]):
    """A dict whose modules are known to the module that owns it."""

    def __init__(self, items: dict[Any, Any], mirror: nn.ModuleList) -> None:
        super().__init__(items)
        self._mirror = mirror
        self._sync()

    def _sync(self) -> None:
        self._mirror._modules.clear()
        for item in self.values():
            if isinstance(item, nn.Module):
                self._mirror.append(item)

    def __setitem__(self, key: Any, item: Any) -> None:
        super().__setitem__(key, item)
        self._sync()

    def __delitem__(self, key: Any) -> None:
        super().__delitem__(key)
        self._sync()

    def update(self, *args: Any, **kwargs: Any) -> None:
        super().update(*args, **kwargs)
        self._sync()

    def __reduce__(self) -> Any:
        return (_restore_dict, (dict(self), self._mirror))


def _restore_list(items: list[Any], mirror: nn.ModuleList) -> TrackedList:
    return TrackedList(items, mirror)


def _restore_dict(items: dict[Any, Any], mirror: nn.ModuleList) -> TrackedDict:
    return TrackedDict(items, mirror)


def tracked(owner: nn.Module, name: str, value: Any) -> Any:
    """Return what an attribute is to hold in place of a plain list or dict, so that modules in it are seen.

    All modules: torch's own container. Empty, or mixed: a list or dict whose modules are mirrored under
    `name_items`.
    """
    mirror_name = f"{name}_items"
    if isinstance(owner.__dict__.get(name), (TrackedList, TrackedDict)):
        owner._modules.pop(mirror_name, None)
        del owner.__dict__[name]
    if type(value) not in (list, dict):
        return value
    items = list(value.values()) if isinstance(value, dict) else value
    modules = [item for item in items if isinstance(item, nn.Module)]
    if items and all(isinstance(item, nn.Parameter) for item in items):
        return nn.ParameterList(value) if isinstance(value, list) else nn.ParameterDict(value)
    if items and not modules:
        return value
    if items and len(modules) == len(items):
        if isinstance(value, list):
            return nn.ModuleList(value)
        if all(isinstance(key, str) and key and "." not in key for key in value):
            return nn.ModuleDict(value)
    mirror = nn.ModuleList()
    owner._modules[mirror_name] = mirror
    return TrackedList(value, mirror) if isinstance(value, list) else TrackedDict(value, mirror)
