"""String names to classes and functions: one eager table a family.

Files and strings resolve through these tables alone; nothing is imported by a name that came from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from neocog.exceptions import ArgumentTypeError, UnknownNameError, nearest

T = TypeVar("T")
Entry = TypeVar("Entry", bound=Callable[..., Any])

# Names that the user lends for one block (`custom_object_scope`), innermost last.
_custom_scopes: list[Mapping[str, Any]] = []


@contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any]) -> Iterator[None]:
    """Make `custom_objects` (name to class or function) known to every registry inside the `with` block.

    Example:
        >>> with custom_object_scope({"answer": lambda x: 42 + 0 * x}):
        ...     custom_object("answer")(1)
        42
    """
    _custom_scopes.append(custom_objects)
    try:
        yield
    finally:
        _custom_scopes.pop()


def custom_object(name: str) -> Any | None:
    """Return what the innermost `custom_object_scope` calls `name`, or None."""
    for scope in reversed(_custom_scopes):
        if name in scope:
            return scope[name]
    return None


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
        inner = config.get("config")
        if config["class_name"] == "function":
            return self.resolve(str(inner))
        entry = self.resolve(str(config["class_name"]))
        if not isinstance(entry, type):
            return entry
        if hasattr(entry, "from_config"):
            return entry.from_config(inner or {})
        return entry(**(inner or {}))

    def describe(self, obj: Any) -> Any:
        """Return the config of an object: None, a function's name, or `{"module", "class_name", "config",
        …}`.
        """
        if obj is None:
            return None
        if hasattr(obj, "get_config"):
            name = type(obj).__name__
            known = self._entries.get(name) is type(obj)
            module = getattr(type(obj), "keras_module", f"keras.{self.module}")  # models lie elsewhere
            return {
                "module": module if known else None,
                "class_name": name,
                "config": obj.get_config(),
                "registered_name": None if known else name,
            }
        return self.name_of(obj) or getattr(obj, "__name__", str(obj))

    @property
    def module(self) -> str:
        """Keras's public module of the family: `"loss"` lives in `losses`."""
        return {"loss": "losses", "schedule": "optimizers.schedules"}.get(self.family, self.family + "s")
