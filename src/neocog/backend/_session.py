"""What `backend` says of the process: names, types, the session that no longer exists."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from neocog._version import __version__
from neocog.core import reset_names, set_dtype_policy, standardize_dtype
from neocog.exceptions import GraphError, message

_uids: Counter[str] = Counter()


def backend() -> str:
    """Return `"torch"`.

    Example:
        >>> backend()
        'torch'
    """
    return "torch"


def clear_session(free_memory: bool = True) -> None:
    """Start the numbering of names anew, and free the memory of models that nothing holds any more.

    Args:
        free_memory: whether to collect garbage at once.
    """
    reset_names()
    reset_uids()
    set_dtype_policy(None)
    if free_memory:
        gc.collect()


def get_uid(prefix: str = "") -> int:
    """Return 1, 2, 3, … for each prefix.

    Args:
        prefix: what is counted.

    Example:
        >>> reset_uids()
        >>> get_uid("dense"), get_uid("dense"), get_uid("conv")
        (1, 2, 1)
    """
    _uids[prefix] += 1
    return _uids[prefix]


def reset_uids() -> None:
    """Start the numbers of `get_uid` anew."""
    _uids.clear()


def is_float_dtype(dtype: Any) -> bool:
    """Return whether a type is one of floats.

    Args:
        dtype: name, torch or NumPy type.

    Example:
        >>> is_float_dtype("bfloat16"), is_float_dtype("int32")
        (True, False)
    """
    return standardize_dtype(dtype).startswith(("float", "bfloat"))


def is_int_dtype(dtype: Any) -> bool:
    """Return whether a type is one of whole numbers.

    Args:
        dtype: name, torch or NumPy type.

    Example:
        >>> is_int_dtype("uint8"), is_int_dtype("bool")
        (True, False)
    """
    return standardize_dtype(dtype).startswith(("int", "uint"))


@contextmanager
def name_scope(name: str, **kwargs: Any) -> Iterator[str]:
    """Do nothing but give the name: layers name themselves, and no graph keeps scopes.

    Args:
        name: the scope.
        **kwargs: accepted for Keras's sake.

    Example:
        >>> with name_scope("block") as scope:
        ...     print(scope)
        block
    """
    yield name


def learning_phase() -> int:
    """Return 0: a model's mode is `model.training`, or `training=` in a call.

    Example:
        >>> learning_phase()
        0
    """
    return _PHASE[0]


def set_learning_phase(value: int) -> None:
    """Keep the number that `learning_phase` returns; models follow `training=` and `train()` instead.

    Args:
        value: 0 or 1.
    """
    _PHASE[0] = int(value)


_PHASE = [0]


def version() -> str:
    """Return neocog's version.

    Example:
        >>> version() == __version__
        True
    """
    return __version__


class StatelessScope:
    """Keras's scope for JAX; torch keeps state in modules.

    Args:
        *args: not used.
        **kwargs: not used.

    Raises:
        GraphError: always.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        do = "Write torch.func.functional_call(model, state, inputs)."
        raise GraphError(
            message("StatelessScope", expected="state in modules", got="a stateless scope", do=do)
        )
