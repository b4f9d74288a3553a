"""What the machine can do at most: matrix products in float32 and bfloat16, and copying memory.

`python benchmarks/peak.py` prints one JSON object. The suites run it as a process of its own, on all threads.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

SIZES = (512, 1024, 2048, 3072)
COPY_BYTES = 256 << 20  # far more than any cache


def measure(
    seconds: float = 0.5, sizes: tuple[int, ...] = SIZES, copied: int = COPY_BYTES
) -> dict[str, float]:
    """Return the best of several sizes.

    Args:
        seconds: how long each size runs.
        sizes: edges of the square matrices.
        copied: bytes of the array that is copied.

    Returns:
        Operations a second by precision, and bytes read and written a second.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    found: dict[str, float] = {}
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        try:
            found[f"{name} FLOP/s"] = max(_product(size, dtype, device, seconds) for size in sizes)
        except RuntimeError:  # a processor without it
            found[f"{name} FLOP/s"] = 0.0
    source = torch.ones(copied // 4, device=device)
    target = torch.empty_like(source)
    found["copy B/s"] = 2 * copied / _best(lambda: target.copy_(source), seconds)
    return found


def _product(size: int, dtype: torch.dtype, device: torch.device, seconds: float) -> float:
    a, b = (torch.rand(size, size, device=device).to(dtype) for _ in range(2))
    out = torch.empty(size, size, dtype=dtype, device=device)
    return 2 * size**3 / _best(lambda: torch.mm(a, b, out=out), seconds)


def _best(work: Callable[[], Any], seconds: float) -> float:
    work()
    best, end = float("inf"), time.perf_counter() + seconds
    while True:
        begin = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        now = time.perf_counter()
        best = min(best, now - begin)
        if now >= end:
            return best


def measured_apart(seconds: float = 0.5) -> dict[str, float]:
    """Measure in a process of its own, so that this one stays small and no thread of it lingers."""
    import amx

    command = [sys.executable, __file__, str(seconds)]
    environment = {**os.environ, **amx.variables()}
    result = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    found: dict[str, float] = json.loads(result.stdout)
    return found


if __name__ == "__main__":
    print(json.dumps(measure(float(sys.argv[1]) if len(sys.argv) > 1 else 0.5)))
