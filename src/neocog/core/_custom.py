"""Classes and functions of the user's own, by name: lent for one block, or registered for good."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from neocog.exceptions import ArgumentTypeError, message

T = TypeVar("T")

# Names that the user lends for one block (`custom_object_scope`), innermost last; each thread has its own.
_scopes: ContextVar[tuple[Mapping[str, Any], ...]] = ContextVar("neocog_custom_objects", default=())
_registered: dict[str, Any] = {}  # "package>Name" to object
_names: dict[Any, str] = {}


@contextmanager
def custom_object_scope(*args: Mapping[str, Any] | tuple[Mapping[str, Any], ...]) -> Iterator[None]:
    """Make custom objects (name to class or function) known to every registry inside the `with` block.

    Args:
        *args: dicts of names, one or more.

    Example:
        >>> with custom_object_scope({"answer": lambda x: 42 + 0 * x}):
        ...     custom_object("answer")(1)
        42
    """
    flat = [scope for one in args for scope in (one if isinstance(one, (list, tuple)) else (one,))]
    wrong = [scope for scope in flat if not isinstance(scope, Mapping)]
    if wrong:
        raise ArgumentTypeError(
            message("custom objects", expected="a dict from names to classes", got=repr(wrong[0]))
        )
    token = _scopes.set((*_scopes.get(), *flat))
    try:
        yield
    finally:
        _scopes.reset(token)


def custom_object(name: Any) -> Any | None:
    """Return what the innermost scope, else the user's registrations, call `name`, or None."""
    if not isinstance(name, str):
        return None
    for scope in reversed(_scopes.get()):
        if name in scope:
            return scope[name]
    return _registered.get(name)


def get_custom_objects() -> dict[str, Any]:
    """Return the dict of all registered classes and functions; what is put into it is known everywhere."""
    return _registered


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """Return a decorator under which files know a class or function: `"package>name"`.

    Args:
        package: first part of the name.
        name: second part; the class's own name when None.

    Raises:
        ArgumentTypeError: a class without `get_config`.

    Example:
        >>> @register_keras_serializable("docs")
        ... def double(x):
        ...     return 2 * x
        >>> get_registered_name(double)
        'docs>double'
    """

    def register(entry: T) -> T:
        if inspect.isclass(entry) and not hasattr(entry, "get_config"):
            where = f"register_keras_serializable, {entry.__name__}"
            raise ArgumentTypeError(message(where, expected="a class with get_config", got="one without"))
        known_as = f"{package}>{name or getattr(entry, '__name__', type(entry).__name__)}"
        _registered[known_as] = entry
        _names[entry] = known_as
        return entry

    return register


def registered_name(obj: Any) -> str | None:
    """Return the name under which the user registered a class or function, or None."""
    try:
        return _names.get(obj)
    except TypeError:  # what cannot be hashed was never registered
        return None


def get_registered_name(obj: Any) -> str:
    """Return the name under which a class or function is registered, or its own name."""
    return registered_name(obj) or str(getattr(obj, "__name__", type(obj).__name__))


def get_registered_object(
    name: str,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any | None:
    """Return what is registered under a name, or None.

    Args:
        name: `"package>name"`, or a name of `custom_objects`.
        custom_objects: names to look in next.
        module_objects: names to look in last.
    """
    found = custom_object(name)
    if found is None and custom_objects is not None:
        found = custom_objects.get(name)
    return found if found is not None or module_objects is None else module_objects.get(name)
