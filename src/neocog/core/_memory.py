"""How the process keeps memory between training steps."""

from __future__ import annotations

import ctypes
import mmap
import sys
import threading
import time
from functools import lru_cache
from typing import Any

# From glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_KEPT_BYTES = 2**31 - 1  # the largest number that mallopt takes
_LARGEST_FROM_HEAP = 1 << 30

_SMALL = range(24, 136, 16)  # one size for each kind of block that alignment cuts off
_AT_HAND = 7  # blocks of a kind that glibc holds ready; where it has none, it fetches one and so many more
_PAUSE = 0.1  # seconds: sorting takes 0.1 ms


def keep_freed_memory() -> bool:
    """Tell glibc to keep freed blocks for the next step rather than to hand them back to the system.

    A training step frees and takes the same blocks again and again. Handed back each time, every page of them
    is faulted in anew, which was half the time of a network on 180×180 pictures. The process's peak memory is
    the same; it just stays at it. Does nothing where the C library is another one.

    To be called after each step, by the thread that runs them. The first call does it, not an earlier one:
    what the first step makes and leaves (moments, oneDNN's programs) would else lie between the blocks, and
    the next step's would not fit there again, which was a third of VGG-16's memory in `predict`. Every call
    sorts what glibc has at hand, at most ten times a second.

    Returns:
        Whether the setting took effect.
    """
    library = _kept()
    if library is None:
        return False
    now = time.monotonic()
    if now - _sorted.at >= _PAUSE:
        _sorted.at = now
        take_lowest_first(library)
    return True


@lru_cache
def _kept() -> Any:
    """Change the setting, once, and return the C library; None where it is not glibc."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    mallopt = getattr(library, "mallopt", None)
    if mallopt is None or not mallopt(_M_MMAP_THRESHOLD, _LARGEST_FROM_HEAP):
        return None
    if not mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES):
        return None
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    library.free.restype, library.free.argtypes = None, [ctypes.c_void_p]
    return library


class _Sorted(threading.local):
    """When a thread last sorted what is at hand for it."""

    at = float("-inf")


_sorted = _Sorted()


def take_lowest_first(library: Any) -> None:
    """Let the small blocks that glibc has at hand for this thread be ones with low addresses.

    To align a tensor's memory, glibc cuts a small block off in front of it, and holds that ready for the
    thread. As long as it does, the room before and the room behind cannot become one again when both are
    free, and no tensor fits that is a little larger than either: VGG-16's memory in `predict` grew by up to
    half, from batch to batch.

    Args:
        library: the C library, as ctypes knows it.
    """
    for size in _SMALL:
        _give_back(library, _taken(library, size, _AT_HAND))  # as many as can be are at hand now
        _give_back(library, sorted(_taken(library, size, 2 * _AT_HAND + 1)))  # none were: the lowest stay


def _taken(library: Any, size: int, count: int) -> list[int]:
    return [library.malloc(size) or 0 for _ in range(count)]


def _give_back(library: Any, blocks: list[int]) -> None:
    for address in blocks:
        library.free(address or None)


def pages_apart(count: int) -> Any:
    """Return a buffer of `count` bytes in pages of its own, or None where the system gives none so.

    What outlives a step and lies in pages of its own does not split the room that the blocks of steps share.
    """
    if count < 1 or not sys.platform.startswith("linux"):
        return None
    try:
        return mmap.mmap(-1, count, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError:
        return None
