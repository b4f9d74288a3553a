"""Which type a layer computes in, and which one its weights have."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Self

from neocog.core._promotion import standardize_dtype
from neocog.core._settings import floatx
from neocog.exceptions import ArgumentError, ArgumentTypeError, message

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
_QUANTIZED = ("int8", "float8", "int4", "gptq", "awq")


class DTypePolicy:
    """The type that a layer computes in and the one of its weights.

    Args:
        name: a float type, which is both; or `"mixed_bfloat16"`, `"mixed_float16"`: computations in half
            precision on float32 weights. None takes the global policy.

    Raises:
        ArgumentError: the name is no policy.

    Example:
        >>> policy = DTypePolicy("mixed_bfloat16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('bfloat16', 'float32')
    """

    quantization_mode: str | None = None

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = dtype_policy().name
        if not isinstance(name, str):
            raise ArgumentTypeError(
                message("DTypePolicy", expected="a name such as 'float32'", got=repr(name))
            )
        self._name = name
        if name in _MIXED:
            self._compute_dtype, self._variable_dtype = _MIXED[name], "float32"
            return
        if name.startswith(_QUANTIZED) and "_from_" in name:
            raise ArgumentError(
                message("DTypePolicy", expected="a policy that is not quantised", got=repr(name))
            )
        try:
            self._compute_dtype = self._variable_dtype = standardize_dtype(name)
        except ArgumentError as error:
            expected = "a float type, 'mixed_bfloat16' or 'mixed_float16'"
            raise ArgumentError(message("DTypePolicy", expected=expected, got=repr(name))) from error

    @property
    def name(self) -> str:
        """Name of the policy."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """Type of the computations."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """Type of the weights."""
        return self._variable_dtype

    @property
    def is_mixed(self) -> bool:
        """Whether computations and weights have different types."""
        return self._compute_dtype != self._variable_dtype

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the policy that `get_config` described."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self._name

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self._name}">'


class _Global(threading.local):
    policy: DTypePolicy | None = None


_GLOBAL = _Global()


def dtype_policy() -> DTypePolicy:
    """Return the global policy: what layers get that are made without `dtype`; `floatx()` unless set.

    Example:
        >>> dtype_policy()
        <DTypePolicy "float32">
    """
    return _GLOBAL.policy or DTypePolicy(floatx())


def set_dtype_policy(policy: Any) -> None:
    """Set the global policy, which layers made afterwards get.

    Args:
        policy: a policy, its name or its config; None goes back to `floatx()`.

    Example:
        >>> set_dtype_policy("mixed_bfloat16")
        >>> dtype_policy().compute_dtype
        'bfloat16'
        >>> set_dtype_policy("float32")
    """
    _GLOBAL.policy = None if policy is None else get_dtype_policy(policy)


def get_dtype_policy(identifier: Any) -> DTypePolicy:
    """Return a policy for a policy, its name, its config, or a type; None gives the global one.

    Example:
        >>> get_dtype_policy({"class_name": "DTypePolicy", "config": {"name": "float64"}})
        <DTypePolicy "float64">
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, Mapping):
        config = identifier.get("config")
        if identifier.get("class_name") not in ("DTypePolicy", "FloatDTypePolicy", "Policy") or not config:
            expected = "the config of a DTypePolicy (quantised ones are out of scope)"
            raise ArgumentError(message("dtype policy", expected=expected, got=dict(identifier)))
        return DTypePolicy(config.get("name"))
    return DTypePolicy(identifier if isinstance(identifier, str) else standardize_dtype(identifier))


def serialize_dtype_policy(policy: DTypePolicy) -> dict[str, Any]:
    """Return the config of a policy, as Keras's files have it."""
    return {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": policy.get_config(),
        "registered_name": None,
    }
