"""Threads that work side by side, each by itself."""

from __future__ import annotations

from functools import cache
from typing import Any


def work_alone() -> None:
    """Let the kernels that this thread calls run in this thread: its neighbours have the other processors.

    For threads of a pool. A kernel that wakes helpers for a single small image waits longer for them than it
    works. The setting is the thread's own; other threads keep theirs.
    """
    for library in _openmp():
        library.set_num_threads(1)


@cache
def _openmp() -> tuple[Any, ...]:
    try:
        from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]
    except ImportError:  # comes with scikit-learn; without it kernels are only slower
        return ()
    found = ThreadpoolController().select(user_api="openmp").lib_controllers
    return tuple(found)
