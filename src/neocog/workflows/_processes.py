"""Several processes that train one model: which of them writes, and how many there are to be."""

from __future__ import annotations

import os

from neocog.core import check_int
from neocog.exceptions import ArgumentError, message

MOST = 1024


def processes() -> int:
    """Return how many processes train together: those that `torchrun` or `--processes` started."""
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        return int(distributed.get_world_size())
    return _number("WORLD_SIZE", 1)


def leads() -> bool:
    """Whether this process writes the run and shows how far it is."""
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        return bool(distributed.get_rank() == 0)
    return processes() == 1 or _number("RANK", 0) == 0


def restarted() -> bool:
    """Whether the processes were started again after one of them died."""
    return _number("TORCHELASTIC_RESTART_COUNT", 0) > 0


def wanted_processes(text: str | None, default: int = 1) -> int:
    """Return how many processes `--processes` means; `"auto"` is one a GPU.

    Raises:
        ArgumentError: neither a number nor `"auto"`; another number than `torchrun` has started.

    Example:
        >>> wanted_processes("2"), wanted_processes(None)
        (2, 1)
    """
    if text is None:
        count = default
    elif text.strip().lower() == "auto":
        import torch

        count = max(torch.cuda.device_count(), 1)
    elif text.strip().isdigit():
        count = check_int("--processes", "processes", int(text), minimum=1)
    else:
        raise ArgumentError(message("--processes", expected="a number, or auto", got=repr(text)))
    if count > MOST:
        raise ArgumentError(message("--processes", expected=f"at most {MOST}", got=count))
    running = processes()
    if running > 1 and text is not None and count != running:
        do = "Leave --processes out: torchrun has started them."
        raise ArgumentError(message("--processes", expected=f"{running} here", got=count, do=do))
    return running if running > 1 else count


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdigit() else default
