"""Attributes that a snapshot kept go back into the objects that hold them.

Others may hold the same list, tensor or variable: a loss that reads what a callback changes, a script that
prints what a callback gathered. So what can be filled stays the object that it is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, MutableMapping
from itertools import zip_longest
from typing import Any

import numpy as np
import torch

from neocog.core import generator_state, same_kind, set_generator_state


def put_back(owner: Any, attributes: Mapping[str, Any]) -> None:
    """Set attributes of an object to what a snapshot holds of them.

    Example:
        >>> from types import SimpleNamespace
        >>> losses = []
        >>> watcher = SimpleNamespace(losses=losses)
        >>> put_back(watcher, {"losses": [0.5]})
        >>> losses
        [0.5]
    """
    for name, value in attributes.items():
        old = vars(owner).get(name, vars(owner).get("_buffers", {}).get(name))
        setattr(owner, name, _filled(old, value))


def _filled(old: Any, new: Any) -> Any:
    """Return `old` with the content of `new` where it can take that, else `new`."""
    if isinstance(old, torch.Tensor):
        return _filled_tensor(old, new)
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
        fits = old.shape == new.shape and old.dtype == new.dtype and old.flags.writeable
        if fits:
            np.copyto(old, new)
        return old if fits else new
    if isinstance(old, list) and isinstance(new, list):
        old[:] = [_filled(a, b) for a, b in zip_longest(old[: len(new)], new)]
        return old
    if isinstance(old, MutableMapping) and isinstance(new, Mapping):
        items = {key: _filled(old.get(key), value) for key, value in new.items()}
        old.clear()
        for key, value in items.items():  # not `update`, which adds up in a Counter
            old[key] = value
        return old
    if isinstance(old, tuple) and isinstance(new, tuple):
        return old._make(new) if hasattr(old, "_make") and len(old) == len(new) else new
    if isinstance(old, (set, deque)) and isinstance(new, (set, deque)):
        old.clear()
        old.extend(new) if isinstance(old, deque) else old.update(new)
        return old
    if same_kind(old, new):
        set_generator_state(old, generator_state(new))
        return old
    return frozenset(new) if isinstance(old, frozenset) and isinstance(new, set) else new


def _filled_tensor(old: torch.Tensor, new: Any) -> Any:
    if not isinstance(new, torch.Tensor) or old.shape != new.shape or old.dtype != new.dtype:
        return new
    try:
        with torch.no_grad():
            old.copy_(new)
    except RuntimeError:  # one that shares its numbers among several places, or is for inference alone
        return new
    return old
