"""Switches of a process that Keras users know: logging, tracebacks, bounds on the length of trainings."""

from __future__ import annotations

import os
from dataclasses import dataclass

from neocog.core._checks import check_int


def _bound(name: str) -> int | None:
    value = os.environ.get(name, "")
    return int(value) if value.isdigit() else None


@dataclass(kw_only=True)
class _Session:
    interactive_logging: bool = True
    traceback_filtering: bool = True
    flash_attention: bool | None = None
    max_epochs: int | None = None
    max_steps_per_epoch: int | None = None


_session = _Session(
    max_epochs=_bound("KERAS_MAX_EPOCHS"), max_steps_per_epoch=_bound("KERAS_MAX_STEPS_PER_EPOCH")
)


def enable_interactive_logging() -> None:
    """Let the progress line of `fit` rewrite itself on a terminal (the default)."""
    _session.interactive_logging = True


def disable_interactive_logging() -> None:
    """Write progress as plain lines, for files and logs."""
    _session.interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Return whether the progress line may rewrite itself."""
    return _session.interactive_logging


def enable_traceback_filtering() -> None:
    """Accepted for Keras's sake: neocog's tracebacks are short as they are, and never cut."""
    _session.traceback_filtering = True


def disable_traceback_filtering() -> None:
    """Accepted for Keras's sake: neocog's tracebacks are never cut."""
    _session.traceback_filtering = False


def is_traceback_filtering_enabled() -> bool:
    """Return what was switched last; True at first."""
    return _session.traceback_filtering


def enable_flash_attention() -> None:
    """Leave the kernel of attention to torch, which takes flash attention where it can (the default)."""
    _session.flash_attention = None


def disable_flash_attention() -> None:
    """Keep attention from flash kernels."""
    _session.flash_attention = False


def is_flash_attention_enabled() -> bool | None:
    """Return False where flash kernels are switched off, else None: torch decides."""
    return _session.flash_attention


def max_epochs() -> int | None:
    """Return the largest number of epochs that `fit` does, or None: no bound."""
    return _session.max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Bound the epochs of every `fit`, to try a script quickly; None takes the bound away.

    Args:
        max_epochs: the bound; also the environment variable `KERAS_MAX_EPOCHS` at the start.
    """
    _session.max_epochs = _checked("max_epochs", max_epochs)


def max_steps_per_epoch() -> int | None:
    """Return the largest number of steps of an epoch, or None: no bound."""
    return _session.max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Bound the steps of every epoch, evaluation and prediction; None takes the bound away.

    Args:
        max_steps_per_epoch: the bound; also the environment variable `KERAS_MAX_STEPS_PER_EPOCH` at the
            start.
    """
    _session.max_steps_per_epoch = _checked("max_steps_per_epoch", max_steps_per_epoch)


def bounded(value: int | None, bound: int | None) -> int | None:
    """Return the smaller of a number and a bound; None stands for neither."""
    return bound if value is None else value if bound is None else min(value, bound)


def _checked(name: str, value: int | None) -> int | None:
    return None if value is None else check_int("config", name, value, minimum=1)
