"""What a layer's constructor takes, for `inspect.signature`, `help` and editors."""

from __future__ import annotations

import inspect
from typing import Any


class ConstructorSignature:
    """The signature of a class whose `__new__` takes anything: that of its `__init__`.

    Before Python 3.11.4 `inspect` asks an inherited `__new__` first.
    """

    def __get__(self, instance: Any, owner: type) -> inspect.Signature:
        """Return it for the class; an instance has that of its call, which `inspect` finds by itself."""
        if instance is not None:
            raise AttributeError("__signature__")
        found = inspect.signature(owner.__init__)  # type: ignore[misc]
        return found.replace(parameters=list(found.parameters.values())[1:])
