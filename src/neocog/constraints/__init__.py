"""Floor 2: constraints, limits on weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from neocog._old_spellings import missing_name
from neocog.constraints._constraints import (
    CONSTRAINTS,
    Constraint,
    MaxNorm,
    MinMaxNorm,
    NonNeg,
    UnitNorm,
)
from neocog.core import custom_object_scope

max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm


def get(identifier: Any) -> Any:
    """Return a constraint for None, a name, a config, a class, an object or a function.

    Raises:
        UnknownNameError: the name is not known; the message offers the nearest ones.

    Example:
        >>> get("max_norm").max_value
        2
    """
    return CONSTRAINTS.make(identifier)


def serialize(constraint: Any) -> Any:
    """Return the config of a constraint object, or the name of a function."""
    return CONSTRAINTS.describe(constraint)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the constraint that `serialize` described.

    Args:
        config: a name or a config.
        custom_objects: the user's own classes and functions by name.
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)


__all__ = [
    "CONSTRAINTS",
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]

if not TYPE_CHECKING:
    __getattr__ = missing_name(
        __name__,
        __all__,
        {
            "maxnorm": "MaxNorm",
            "nonneg": "NonNeg",
            "unitnorm": "UnitNorm",
        },
    )
