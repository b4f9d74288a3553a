"""Keras's `dtype_policies`: the types that layers compute in and keep their weights in."""

from collections.abc import Mapping
from typing import Any

from neocog.core import DTypePolicy, custom_object_scope
from neocog.core import get_dtype_policy as get
from neocog.core import serialize_dtype_policy as serialize

FloatDTypePolicy = DTypePolicy


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> DTypePolicy:
    """Return the policy that `serialize` described.

    Args:
        config: what `serialize` returned.
        custom_objects: accepted for Keras's sake.

    Example:
        >>> deserialize(serialize(DTypePolicy("mixed_bfloat16")))
        <DTypePolicy "mixed_bfloat16">
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)


__all__ = ["DTypePolicy", "FloatDTypePolicy", "deserialize", "get", "serialize"]
