"""The configuration of user classes that define none: what their constructor was called with."""

from __future__ import annotations

import inspect
from typing import Any

_PLAIN = (str, int, float, bool, type(None))


def config_from_arguments(
    obj: Any, arguments: tuple[tuple[Any, ...], dict[str, Any]], base: dict[str, Any]
) -> dict[str, Any]:
    """Return the constructor's arguments by name, joined with the base configuration.

    Raises:
        NotImplementedError: an argument is not a plain value, so only the class itself can say how to keep
            it.
    """
    signature = inspect.signature(type(obj).__init__)
    bound = signature.bind(obj, *arguments[0], **arguments[1])
    bound.apply_defaults()
    takes_rest = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in signature.parameters.values())
    config: dict[str, Any] = {}
    for name, value in list(bound.arguments.items())[1:]:
        kind = signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            config.update(value)
        elif kind is not inspect.Parameter.VAR_POSITIONAL:
            config[name] = value
    bad = [name for name, value in config.items() if not _is_plain(value)]
    if bad:
        raise NotImplementedError(
            f"{type(obj).__name__}: its argument {bad[0]!r} is not a plain value, so its configuration is "
            "not known. "
            "Define `get_config` on the class."
        )
    known = {key: value for key, value in base.items() if takes_rest or key in signature.parameters}
    return {**known, **config}


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    return isinstance(value, _PLAIN)
