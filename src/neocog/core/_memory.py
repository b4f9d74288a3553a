"""How the process keeps memory between training steps."""

from __future__ import annotations

import ctypes
import sys
from functools import lru_cache

# From glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_KEPT_BYTES = 2**31 - 1  # the largest number that mallopt takes
_LARGEST_FROM_HEAP = 1 << 30


@lru_cache
def keep_freed_memory() -> bool:
    """Tell glibc to keep freed blocks for the next step rather than to hand them back to the system.

    A training step frees and takes the same blocks again and again. Handed back each time, every page of them
    is faulted in anew, which was half the time of a network on 180×180 pictures. The process's peak memory is
    the same; it just stays at it. Does nothing where the C library is another one.

    To be called after the first step, again and again for nothing: what that makes and leaves (moments,
    oneDNN's programs) would else lie between the blocks, and the next step's would not fit there again, which
    was a third of VGG-16's memory in `predict`.

    Returns:
        Whether the setting took effect.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    kept = mallopt(_M_MMAP_THRESHOLD, _LARGEST_FROM_HEAP)
    return bool(kept) and bool(mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES))
