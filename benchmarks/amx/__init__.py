"""AMX for every competitor alike, where a virtual machine announces it but hides its tile sizes.

There oneDNN would die of its first bfloat16 product, so that nobody could use what the processor has. Where a
C compiler is at hand and Linux lets CPUID be answered, `tiles.c` is built once and preloaded into each
process; where not, everyone is kept from AMX.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from neocog.core import limit_broken_amx, neocog_home

SOURCE = Path(__file__).with_name("tiles.c")
LIMIT = "ONEDNN_MAX_CPU_ISA"
_WITH, _WITHOUT = "AVX512_CORE_AMX", "AVX512_CORE_FP16"
_TRIAL = "import torch; a = torch.ones(64, 64).bfloat16(); assert float((a @ a)[0, 0]) == 64"


def variables() -> dict[str, str]:
    """Return what every competitor's environment gets: nothing where AMX works or is not there.

    `BENCH_AMX=off` leaves the machine as it comes.
    """
    if not limit_broken_amx():
        return {}
    library = None if os.environ.get("BENCH_AMX") == "off" else _library()
    return {LIMIT: _WITHOUT} if library is None else {LIMIT: _WITH, "LD_PRELOAD": str(library)}


def said() -> str | None:
    """Return how a result says what was done, or None."""
    found = variables()
    if not found:
        return None
    done = "repaired for all" if "LD_PRELOAD" in found else "used by nobody"
    return f"{done}, as this virtual machine hides its tile sizes"


@lru_cache
def _library() -> Path | None:
    """Build what answers for the processor; None where it cannot be built, or does not help."""
    compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
    if compiler is None or sys.platform != "linux":
        return None
    mark = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]
    place = neocog_home() / "bench" / f"tiles-{mark}.so"
    try:
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            new = place.with_suffix(f".{os.getpid()}.new")
            command = [compiler, "-O2", "-shared", "-fPIC", str(SOURCE), "-o", str(new), "-ldl"]
            subprocess.run(command, check=True, capture_output=True)
            os.replace(new, place)
        environment = {**os.environ, LIMIT: _WITH, "LD_PRELOAD": str(place)}
        subprocess.run([sys.executable, "-c", _TRIAL], check=True, capture_output=True, env=environment)
    except (OSError, subprocess.CalledProcessError):
        return None
    return place
