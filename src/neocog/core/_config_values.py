"""Named values that can be frozen."""

from __future__ import annotations

import json
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any

from neocog.exceptions import ArgumentError, nearest


class Config:
    """Named values, read and set as attributes or as in a dict, until they are frozen.

    Args:
        **kwargs: the first values.

    Raises:
        ArgumentError: a frozen one is changed.

    Example:
        >>> config = Config(rate=0.1)
        >>> config.epochs = 3
        >>> config.freeze()
        >>> config["rate"], config.epochs, config.to_json()
        (0.1, 3, '{"rate": 0.1, "epochs": 3}')
    """

    def __init__(self, **kwargs: Any) -> None:
        object.__setattr__(self, "_config", kwargs)
        object.__setattr__(self, "_frozen", False)

    @property
    def frozen(self) -> bool:
        """Whether changes are refused."""
        return bool(self._frozen)

    def freeze(self) -> None:
        """Refuse changes from here on."""
        object.__setattr__(self, "_frozen", True)

    def unfreeze(self) -> None:
        """Allow changes again."""
        object.__setattr__(self, "_frozen", False)

    def _changed(self) -> dict[str, Any]:
        if self._frozen:
            raise ArgumentError(
                "Config: expected no changes after freeze(), got one. Call unfreeze() before."
            )
        return self._values()

    def _values(self) -> dict[str, Any]:
        held: dict[str, Any] = object.__getattribute__(self, "_config")
        return held

    def as_dict(self) -> dict[str, Any]:
        """Return the values as a dict."""
        return dict(self._values())

    def to_json(self) -> str:
        """Return the values as JSON."""
        return json.dumps(self._values())

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self._values().keys()

    def values(self) -> ValuesView[Any]:
        """Return the values."""
        return self._values().values()

    def items(self) -> ItemsView[str, Any]:
        """Return (name, value) pairs."""
        return self._values().items()

    def pop(self, *args: Any) -> Any:
        """Remove a value and return it."""
        return self._changed().pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several values."""
        self._changed().update(*args, **kwargs)

    def get(self, keyname: str, value: Any = None) -> Any:
        """Return a value, or a default."""
        return self._values().get(keyname, value)

    def __getattr__(self, name: str) -> Any:
        held = object.__getattribute__(self, "__dict__").get("_config", {})
        if name in held:
            return held[name]
        close = nearest(name, held) if not name.startswith("_") else []
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise AttributeError(f"Config: unknown attribute {name!r}.{hint}")

    def __setattr__(self, name: str, value: Any) -> None:
        self._changed()[name] = value

    def __getitem__(self, key: str) -> Any:
        return self._values()[key]

    def __setitem__(self, key: str, item: Any) -> None:
        self._changed()[key] = item

    def __delitem__(self, key: str) -> None:
        del self._changed()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._values()))

    def __len__(self) -> int:
        return len(self._values())

    def __contains__(self, item: object) -> bool:
        return item in self._values()

    def __repr__(self) -> str:
        return f"<Config {self._values()}>"
