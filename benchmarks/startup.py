"""Suite `startup`: seconds to import and to answer `--help`, each in a fresh process, alternating."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

COMMANDS = {
    "import torch": [sys.executable, "-c", "import torch"],
    "import neocog": [sys.executable, "-c", "import neocog"],
    "import neocog, all that a model needs": [
        sys.executable,
        "-c",
        "import neocog; neocog.Sequential, neocog.callbacks, neocog.utils, neocog.datasets",
    ],
    "neocog --help": [str(Path(sys.executable).with_name("neocog")), "--help"],
}


def run(seconds: float = 2.0, rounds: int = 5) -> list[dict[str, Any]]:
    """Run the suite; `seconds` is not used: a start takes as long as it takes."""
    for command in COMMANDS.values():  # warm-up: files in the page cache, bytecode written
        subprocess.run(command, check=True, capture_output=True)
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times[name].append(time.perf_counter() - start)
    base = statistics.median(times["import torch"])
    return [
        {
            "command": name,
            "seconds (median)": statistics.median(values),
            "min": min(values),
            "max": max(values),
            "against import torch": statistics.median(values) / base,
        }
        for name, values in times.items()
    ]
