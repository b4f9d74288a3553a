"""How a competitor talks with the suite: one JSON object a line, on the pipes it was started with.

The suite sends {"op": "run", "steps": 40} and gets {"seconds": …, "samples": …}. Everything else that a
library prints goes to the error stream, so that it cannot be taken for an answer. Standard library only: this
runs in every peer's environment.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

_DIE_WITH_PARENT = 1  # prctl's PR_SET_PDEATHSIG


class Runner(Protocol):
    """What a competitor is, once it stands."""

    facts: dict[str, Any]

    def run(self, steps: int) -> int:
        """Run about so many steps and return how many samples went through."""


def serve(make: Callable[[dict[str, Any]], Runner]) -> None:
    """Read the request, make the runner, warm it up, and answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    die_with_parent()

    def answer(found: dict[str, Any]) -> None:
        answers.write(json.dumps(found) + "\n")
        answers.flush()

    try:
        request = json.loads(sys.stdin.readline())
        answer(_made(make, request))
        for line in sys.stdin:
            answer(_answer(_RUNNERS[0], json.loads(line)))
    except BaseException as error:
        traceback.print_exc()
        text = (str(error).strip().splitlines() or [""])[0]
        answer({"error": f"{type(error).__name__}: {text}"[:300]})
        raise SystemExit(1) from None


_RUNNERS: list[Any] = []


def die_with_parent(worker: int = 0) -> None:
    """End with the process that started this one: a stopped one would outlive a suite that was killed."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


def _made(make: Callable[[dict[str, Any]], Runner], request: dict[str, Any]) -> dict[str, Any]:
    begin = time.perf_counter()
    runner = make(request)
    _RUNNERS.append(runner)
    made, resting = time.perf_counter(), peak_memory()
    warm = int(request.get("warm", 3))
    if warm:
        runner.run(warm)  # traces and compiles
    first = time.perf_counter()
    if warm:
        runner.run(warm)
    second = time.perf_counter()
    return {
        "ready": True,
        "start seconds": made - begin,
        "compile seconds": max(0.0, (first - made) - (second - first)),
        "step seconds": (second - first) / max(1, warm),
        "memory": resting,
        "facts": getattr(runner, "facts", {}),
    }


def _answer(runner: Any, message: dict[str, Any]) -> dict[str, Any]:
    op = message.pop("op")
    if op == "run":
        begin = time.perf_counter()
        samples = runner.run(int(message["steps"]))
        return {"seconds": time.perf_counter() - begin, "samples": samples}
    if op == "memory":
        return {"peak": peak_memory(), "facts": getattr(runner, "facts", {})}
    found: dict[str, Any] = getattr(runner, op)(**message)
    return found


def peak_memory() -> int:
    """Return the peak resident memory of this process in bytes, with what its children have of their own."""
    if not sys.platform.startswith("linux"):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    own = _kilobytes(Path("/proc/self/status"), "VmHWM:")
    return 1024 * (own + sum(_children(os.getpid())))


def _children(parent: int) -> list[int]:
    """Proportional memory of all processes below: pages shared with the parent count there in part only."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found += [_kilobytes(entry / "smaps_rollup", "Pss_Anon:"), *_children(int(entry.name))]
        except (OSError, IndexError, ValueError):
            continue  # it has ended
    return found


def _kilobytes(path: Path, key: str) -> int:
    for line in path.read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1])
    return 0
