"""Runs `_cases_of_processes.py` in one process or several and reads what each ended with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("_cases_of_processes.py")
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}


def results(folder: Path, processes: int, cases: list[str], kills: str | None = None) -> dict[str, list[Any]]:
    """Return what each process ends each case with, all run by one start."""
    launch = [
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        str(processes),
        "--max-restarts",
        str(len((kills or "").split(",")) if kills else 0),
    ]
    out = folder / f"of-{processes}"
    command = [sys.executable, *(launch if processes > 1 else []), str(SCRIPT), str(out), *cases]
    environment = {**os.environ, **ENVIRONMENT, **({} if kills is None else {"KILLS": kills})}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr[-3000:]
    return {
        case: [json.loads(Path(f"{out}.{case}.{rank}.json").read_text()) for rank in range(processes)]
        for case in cases
    }


def result(folder: Path, name: str, processes: int, case: str, kills: str | None = None) -> list[Any]:
    """Return what each process ends one case with, in a folder of its own."""
    (folder / name).mkdir()
    return results(folder / name, processes, [case], kills)[case]


def endings(found: list[Any]) -> list[Any]:
    """Return weights and history of every process."""
    return [(one["weights"], one["history"]) for one in found]
