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
    done, out = _run(folder, processes, cases, kills, restarts=len(kills.split(",")) if kills else 0)
    assert done.returncode == 0, done.stderr[-3000:]
    return {
        case: [json.loads(Path(f"{out}.{case}.{rank}.json").read_text()) for rank in range(processes)]
        for case in cases
    }


def break_off(folder: Path, processes: int, case: str, kills: str) -> str:
    """Run a case that ends where a process is killed, as nothing starts it again; return what it told."""
    done, _ = _run(folder, processes, [case], kills, restarts=0)
    assert done.returncode != 0
    text: str = done.stderr
    return text


def _run(
    folder: Path, processes: int, cases: list[str], kills: str | None, restarts: int
) -> tuple[Any, Path]:
    options = ["--nproc-per-node", str(processes), "--max-restarts", str(restarts)]
    launch = ["-m", "torch.distributed.run", *options] if processes > 1 else []
    out = folder / f"of-{processes}"
    environment = {**os.environ, **ENVIRONMENT, **({} if kills is None else {"KILLS": kills})}
    command = [sys.executable, *launch, str(SCRIPT), str(out), *cases]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400)
    return done, out


def result(folder: Path, name: str, processes: int, case: str, kills: str | None = None) -> list[Any]:
    """Return what each process ends one case with, in a folder of its own."""
    (folder / name).mkdir()
    return results(folder / name, processes, [case], kills)[case]


def endings(found: list[Any]) -> list[Any]:
    """Return weights and history of every process."""
    return [(one["weights"], one["history"]) for one in found]
