"""Spellings of older Keras releases: they run, with a warning that names today's."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

from neocog.exceptions import nearest

_NO_NAMES: Mapping[str, str] = {}


class OldPath(ModuleType):
    """A module path of older Keras (`keras.layers.core`): every name in it is today's.

    Args:
        name: the path, under neocog.
        find: returns today's object for a name; raises AttributeError for unknown ones.
        today: today's path, for the warning.
    """

    def __init__(self, name: str, find: Callable[[str], Any], today: str) -> None:
        super().__init__(name, f"Older path of {today}.")
        self._find = find
        self._today = today

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = self._find(name)
        if not isinstance(found, OldPath):
            warn_old(self.__name__, name, f"{self._today}.{name}")
        return found


def warn_old(where: str, old: str, today: str) -> None:
    """Warn, at the user's own line, that `old` is an older spelling of `today`."""
    text = f"{where}: {old} is an older spelling; write {today}."
    warnings.warn(text, DeprecationWarning, stacklevel=_user_level())


def missing_name(
    module: str, names: Iterable[str], older: Mapping[str, str] = _NO_NAMES
) -> Callable[[str], Any]:
    """Return a module's `__getattr__`: older names and paths with a warning, else the nearest names.

    Args:
        module: the module's `__name__`.
        names: its public names.
        older: older name to today's.
    """

    def find(name: str) -> Any:
        if name in older:
            warn_old(module, name, older[name])
            return getattr(sys.modules[module], older[name])
        path = sys.modules.get(f"{module}.{name}")
        if isinstance(path, OldPath):
            return path
        close = [] if name.startswith("__") else nearest(name, [*names, *older])
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise AttributeError(f"module {module!r} has no attribute {name!r}.{hint}")

    return find


def _user_level() -> int:
    """The `stacklevel` of the first caller outside neocog."""
    frame, level = sys._getframe(1), 1  # 1 is the frame that warns
    while frame is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] == "neocog":
        level += 1
        if frame.f_back is None:
            break
        frame = frame.f_back
    return level
