"""What data sets and samplers of the user's keep in attributes, which the next pass over them depends on."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from neocog.core import generator_state, is_generator, same_kind, set_generator_state

_PLAIN = (bool, int, float, str, type(None))
_MOST_NUMBERS = 1 << 20  # in an array, and sixteen times fewer in a list: more are data


def own_state(holder: Any) -> dict[str, Any]:
    """Return copies of the attributes that are numbers, texts and generators of random numbers.

    Counts, flags and orders are; images are not.
    """
    found = {name: value for name, value in _attributes(holder) if _is_plain(value) or is_generator(value)}
    return copy.deepcopy(found)


def changed_since(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Return what differs between two results of `own_state`, and all generators.

    What a data set never changes, paths and labels for one, needs no room in a snapshot.
    """
    return {name: value for name, value in now.items() if name not in before or _differ(before[name], value)}


def set_own_state(holder: Any, state: Mapping[str, Any]) -> None:
    """Set what `own_state` returned; generators stay the objects that they are, as others may hold them."""
    for name, value in state.items():
        old = getattr(holder, name, None)
        if same_kind(old, value):
            set_generator_state(old, generator_state(value))
        else:
            setattr(holder, name, copy.deepcopy(value))


def has_generator(holder: Any) -> bool:
    """Return whether an attribute is a generator of random numbers."""
    return any(is_generator(value) for _, value in _attributes(holder))


def parts_of_users(*holders: Any) -> list[Any]:
    """Return those that are not torch's own, and what torch's (`Subset`, …) hold of them, once each."""
    found: dict[int, Any] = {}
    waiting = [holder for holder in holders if holder is not None]
    while waiting:
        part = waiting.pop(0)
        if not f"{type(part).__module__}.".startswith("torch."):
            if hasattr(part, "__dict__"):
                found.setdefault(id(part), part)
            continue
        inside = [getattr(part, name, None) for name in ("dataset", "sampler")]
        waiting += [one for one in (*inside, *getattr(part, "datasets", ())) if one is not None]
    return list(found.values())


def _differ(one: Any, other: Any) -> bool:
    if is_generator(other) or type(one) is not type(other):
        return True
    return not np.array_equal(one, other) if isinstance(other, np.ndarray) else bool(one != other)


def _attributes(holder: Any) -> Iterator[tuple[str, Any]]:
    yield from getattr(holder, "__dict__", {}).items()


def _is_plain(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biuf" and value.size <= _MOST_NUMBERS
    if isinstance(value, (list, tuple)):
        return len(value) <= _MOST_NUMBERS // 16 and all(isinstance(item, _PLAIN) for item in value)
    return isinstance(value, _PLAIN)
