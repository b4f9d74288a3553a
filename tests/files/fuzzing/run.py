"""Run workers over a range of numbers; a worker that dies or hangs is a finding, and another one goes on."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

HANG = 30.0  # seconds without a sign of life; the worker's own limit for one file is shorter


@dataclass
class Report:
    """What came of the files: outcomes with their number, findings with the file's number and the reason."""

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[int, str]] = field(default_factory=list)
    slowest: float = 0.0
    slowest_number: int = -1


def fuzz(kind: str, count: int, first: int = 0) -> Report:
    """Open mutated files `first` to `first + count` of a format in child processes."""
    report = Report()
    number = first
    while number < first + count:
        number = _one_worker(kind, number, first + count, report)
    return report


def _one_worker(kind: str, start: int, stop: int, report: Report) -> int:
    """Return the number to go on with."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": _path()}
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        command = [sys.executable, "-m", "fuzzing.worker", kind, str(start), str(stop), folder]
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=folder)
        try:
            return _follow(worker, start, stop, report)
        finally:
            worker.kill()
            worker.communicate()


def _follow(worker: subprocess.Popen[bytes], start: int, stop: int, report: Report) -> int:
    current, finished, rest, ready_to_open = start, start - 1, b"", False
    heard = time.monotonic()
    assert worker.stdout is not None
    while True:
        ready, _, _ = select.select([worker.stdout], [], [], 1.0)
        if not ready:
            if time.monotonic() - heard > HANG * (4 if finished < start else 1):
                report.findings.append((current, "HANG"))
                return current + 1
            continue
        data = os.read(worker.stdout.fileno(), 2**16)
        heard = time.monotonic()
        if not data:
            break
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            said = json.loads(line)
            current = said.get("start", current)
            ready_to_open = ready_to_open or "ready" in said
            if "end" in said:
                finished = said["end"]
                _note(report, said)
    if finished >= stop - 1:
        return stop
    if not ready_to_open:
        raise RuntimeError("the worker could not start")
    report.findings.append((current, f"CRASH with status {worker.wait()}"))
    return current + 1


def _note(report: Report, said: dict[str, object]) -> None:
    outcome, seconds, number = str(said["outcome"]), float(str(said["s"])), int(str(said["end"]))
    report.outcomes[outcome.split(" ")[0]] += 1
    if outcome.startswith("FAULT"):
        report.findings.append((number, outcome))
    if seconds > report.slowest:
        report.slowest, report.slowest_number = seconds, number


def _path() -> str:
    """Return PYTHONPATH with the folder of these tests in front."""
    given = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(Path(__file__).parents[1]), *([given] if given else [])])
