"""Keras's `config`: the settings of a process."""

from typing import NoReturn

from neocog.core import (
    disable_flash_attention,
    disable_interactive_logging,
    disable_traceback_filtering,
    dtype_policy,
    enable_flash_attention,
    enable_interactive_logging,
    enable_traceback_filtering,
    epsilon,
    floatx,
    image_data_format,
    is_flash_attention_enabled,
    is_interactive_logging_enabled,
    is_traceback_filtering_enabled,
    max_epochs,
    max_steps_per_epoch,
    set_dtype_policy,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    set_max_epochs,
    set_max_steps_per_epoch,
)
from neocog.exceptions import ArgumentError, message


def backend() -> str:
    """Return `"torch"`: everything runs on PyTorch.

    Example:
        >>> backend()
        'torch'
    """
    return "torch"


def set_backend(backend: str) -> None:
    """Accept `"torch"`.

    Args:
        backend: the name.

    Raises:
        ArgumentError: it is another one.
    """
    if backend != "torch":
        do = "neocog runs on PyTorch alone; leave the call out."
        raise ArgumentError(message("set_backend", expected="'torch'", got=repr(backend), do=do))


def is_nnx_enabled() -> bool:
    """Return False: this is a switch of Keras on JAX."""
    return False


def enable_unsafe_deserialization() -> NoReturn:
    """Raise: whether a file may bring code is said at each call, never for a whole process.

    Raises:
        ArgumentError: always.
    """
    do = "Pass safe_mode=False to the one call of load_model whose file you trust."
    raise ArgumentError(
        message(
            "enable_unsafe_deserialization",
            expected="safe_mode=False at the call",
            got="a global switch",
            do=do,
        )
    )


__all__ = [
    "backend",
    "disable_flash_attention",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "dtype_policy",
    "enable_flash_attention",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "enable_unsafe_deserialization",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_flash_attention_enabled",
    "is_interactive_logging_enabled",
    "is_nnx_enabled",
    "is_traceback_filtering_enabled",
    "max_epochs",
    "max_steps_per_epoch",
    "set_backend",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_max_epochs",
    "set_max_steps_per_epoch",
]
