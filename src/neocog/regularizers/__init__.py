"""Floor 2: regularizers, penalties on weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from neocog._old_spellings import missing_name
from neocog.core import custom_object_scope
from neocog.regularizers._regularizers import (
    L1,
    L1L2,
    L2,
    REGULARIZERS,
    OrthogonalRegularizer,
    Regularizer,
)

l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer


def get(identifier: Any) -> Any:
    """Return a regularizer for None, a name, a config, a class, an object or a function.

    Raises:
        UnknownNameError: the name is not known; the message offers the nearest ones.

    Example:
        >>> get("l2").l2
        0.01
    """
    return REGULARIZERS.make(identifier)


def serialize(regularizer: Any) -> Any:
    """Return the config of a regularizer object, or the name of a function."""
    return REGULARIZERS.describe(regularizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the regularizer that `serialize` described.

    Args:
        config: a name or a config.
        custom_objects: the user's own classes and functions by name.
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)


__all__ = [
    "L1",
    "L1L2",
    "L2",
    "REGULARIZERS",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]

if not TYPE_CHECKING:
    __getattr__ = missing_name(
        __name__,
        __all__,
        {
            "l1l2": "L1L2",
        },
    )
