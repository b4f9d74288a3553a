"""String names to classes and functions: one eager table a family.

Files and strings resolve through these tables alone; nothing is imported by a name that came from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from neocog.core._custom import custom_object
from neocog.core._described import describe_function, describe_object, make_described, note_home
from neocog.exceptions import ArgumentTypeError, UnknownNameError, nearest

T = TypeVar("T")
Entry = TypeVar("Entry", bound=Callable[..., Any])


class Registry(Generic[T]):
    """The names of one family (`"layer"`, `"loss"`, …) and what they stand for.

    A class registers under its own name and under the aliases that Keras knows. Lookup of a string tries the
    user's
    scopes, then the exact name, then the aliases. The family decides what to do with the class that comes
    back.
    """

    def __init__(self, family: str) -> None:
        self.family = family
        self._entries: dict[str, Callable[..., Any]] = {}
        self._aliases: dict[str, str] = {}

    def register(self, *aliases: str, name: str | None = None) -> Callable[[Entry], Entry]:
        """Return a decorator that enters a class or function under its name and `aliases`."""

        def enter(entry: Entry) -> Entry:
            key = name or entry.__name__
            self._entries[key] = entry
            note_home(entry, self.describe)
            for alias in aliases:
                self._aliases[alias] = key
            return entry

        return enter

    def names(self) -> list[str]:
        """The registered names, sorted, without aliases."""
        return sorted(self._entries)

    def items(self) -> list[tuple[str, Callable[..., Any]]]:
        """Registered (name, entry) pairs, sorted by name: what the contract tests walk over."""
        return sorted(self._entries.items())

    def aliases(self) -> dict[str, str]:
        """Alias to registered name."""
        return dict(self._aliases)

    def __contains__(self, name: str) -> bool:
        return custom_object(name) is not None or name in self._entries or name in self._aliases

    def resolve(self, name: str) -> Callable[..., Any]:
        """Return the class or function called `name`.

        Raises:
            UnknownNameError: nothing has that name; the message offers the nearest ones.
        """
        lent = custom_object(name)
        if lent is not None:
            return lent  # type: ignore[no-any-return]
        entry = self._entries.get(name if name in self._entries else self._aliases.get(name, name))
        if entry is None:
            close = nearest(name, [*self._entries, *self._aliases])
            hint = (
                f"Did you mean {' or '.join(repr(c) for c in close)}?"
                if close
                else f"Known: {', '.join(self.names())}."
            )
            raise UnknownNameError(f"{self.family} {name!r}: no {self.family} has this name. {hint}")
        return entry

    def name_of(self, entry: Callable[..., Any]) -> str | None:
        """Return the registered name of a class or function, or None."""
        for key, value in self._entries.items():
            if value is entry:
                return key
        return None

    def make(self, identifier: Any) -> Any:
        """Turn what a user may write into an object: None, a name, a config `{"class_name", "config"}`, or
        the object.

        A name or class becomes an instance with default arguments; a registered plain function is returned as
        it is.
        """
        if identifier is None:
            return None
        if isinstance(identifier, str):
            entry = self.resolve(identifier)
            return entry() if isinstance(entry, type) else entry
        if isinstance(identifier, dict):
            return self._from_config(identifier)
        if isinstance(identifier, type):
            return identifier()
        if callable(identifier) or hasattr(identifier, "get_config"):
            return identifier
        raise ArgumentTypeError(
            f"{self.family}: expected a name, a config, an object or a function, got {identifier!r}."
        )

    def _from_config(self, config: Mapping[str, Any]) -> Any:
        if "class_name" not in config:
            raise ArgumentTypeError(
                f"{self.family}: expected a config with 'class_name', got {dict(config)!r}."
            )
        return make_described(config, self.resolve, self.family)

    def describe(self, obj: Any) -> Any:
        """Return the config of an object: None, a function's name, or `{"module", "class_name", "config",
        …}`.
        """
        if obj is None:
            return None
        if hasattr(obj, "get_config"):
            cls = type(obj)
            # models and some others lie elsewhere than their family
            return describe_object(
                obj, getattr(cls, "keras_module", f"keras.{self.module}"), self.name_of(cls)
            )
        known = self.name_of(obj)
        if known is not None or not callable(obj):
            return known or str(obj)
        return describe_function(obj)

    @property
    def module(self) -> str:
        """Keras's public module of the family: `"loss"` lives in `losses`."""
        return {"loss": "losses", "schedule": "optimizers.schedules"}.get(self.family, self.family + "s")
