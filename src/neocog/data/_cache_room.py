"""How much of the disk the decode cache may take, and which of its files go first."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from neocog.data._cache_segment import SUFFIX
from neocog.exceptions import ArgumentError, message

# The cache takes at most this part of what the disk has left for it,
SHARE = 0.25
# never more than this,
MOST = 32 * 2**30
# and leaves so much free for everything else.
SPARE = 2**30
LIMIT_VARIABLE = "NEOCOG_CACHE_GB"
# Files of one look at most: each takes one of the files that a process may have open, half of those at most.
MOST_FILES = 512


def chosen_limit() -> int | None:
    """Return the limit in bytes that the environment names; None where it names none.

    Raises:
        ArgumentError: a value that is no number of gigabytes.
    """
    text = os.environ.get(LIMIT_VARIABLE, "").strip()
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < math.inf:
        expected = "a number of gigabytes, 0 for no cache on disk"
        raise ArgumentError(message(LIMIT_VARIABLE, expected=expected, got=repr(text)))
    return int(number * 10**9)


def make_room(root: Path, wanted: int, keep: Collection[Path]) -> bool:
    """Delete what was used longest ago until `wanted` bytes fit; False where they don't.

    Args:
        root: the cache's folder, which has a folder for each look.
        wanted: bytes to come.
        keep: files in use, which stay.
    """
    files = []
    for path in root.glob(f"*/*{SUFFIX}"):
        with suppress(OSError):
            status = path.stat()
            # Of a sparse file only what is written counts.
            size = getattr(status, "st_blocks", 0) * 512 or status.st_size
            files.append((status.st_mtime, size, path))
    taken = sum(size for _, size, _ in files)
    free = shutil.disk_usage(root).free
    chosen = chosen_limit()
    limit = min(SHARE * (free + taken), MOST) if chosen is None else chosen
    limit = min(limit, free + taken - SPARE)
    if wanted > limit:
        return False
    for _, size, path in sorted(files):
        if taken + wanted <= limit:
            break
        if path in keep:
            continue
        with suppress(OSError):  # Windows keeps what another process reads
            path.unlink()
            taken -= size
    return taken + wanted <= limit


def newest_files(folder: Path, opened: Collection[Path]) -> list[Path]:
    """Return the files of a look that are not open yet, by name, as many as a process can have open.

    Those beyond, which were used longest ago, are deleted: runs that each bring a few new images, or a cache
    that was damaged, would leave more and more of them.
    """
    found = []
    with suppress(OSError):
        for path in folder.glob(f"*{SUFFIX}"):
            if path not in opened:
                with suppress(OSError):
                    found.append((path.stat().st_mtime, path))
    found.sort(reverse=True)
    room = max(_most_files() - len(opened), 0)
    for _, path in found[room:]:
        with suppress(OSError):
            path.unlink()
    return sorted(path for _, path in found[:room])


def _most_files() -> int:
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return MOST_FILES
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST_FILES if allowed == resource.RLIM_INFINITY else min(MOST_FILES, allowed // 2)
