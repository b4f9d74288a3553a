"""Several processes that train one model: which of them writes, and starting them on this machine."""

from __future__ import annotations

import os


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


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdigit() else default
