"""Objects that several others hold: written with one id (`shared_object_id`), and made once when read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class _Shared:
    configs: dict[int, dict[str, Any]] = field(default_factory=dict)
    kept: list[Any] = field(default_factory=list)  # so that no id is used twice
    made: dict[Any, Any] = field(default_factory=dict)


_active: ContextVar[_Shared | None] = ContextVar("neocog_shared_objects", default=None)


@contextmanager
def sharing_objects() -> Iterator[None]:
    """Inside the block, an object that is described twice is one object again when it is read."""
    token = _active.set(_Shared())
    try:
        yield
    finally:
        _active.reset(token)


def note_description(obj: Any, config: dict[str, Any]) -> None:
    """Remember how an object was described; the second description gives both the same id."""
    shared = _active.get()
    if shared is None:
        return
    first = shared.configs.setdefault(id(obj), config)
    shared.kept.append(obj)
    if first is not config:
        number = list(shared.configs).index(id(obj)) if "shared_object_id" not in first else -1
        config["shared_object_id"] = first.setdefault("shared_object_id", number)


def shared_object(config: Any) -> Any | None:
    """Return the object that a description with this id made before, or None."""
    shared = _active.get()
    number = config.get("shared_object_id")
    return None if shared is None or not isinstance(number, int) else shared.made.get(number)


def note_object(config: Any, obj: Any) -> None:
    """Remember what was made of a description that has an id."""
    shared = _active.get()
    number = config.get("shared_object_id")
    if shared is not None and isinstance(number, int):
        shared.made[number] = obj
