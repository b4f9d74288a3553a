"""Several workers on this machine: started, watched, started again when one dies, and stopped."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from neocog.exceptions import TrainingError, message
from neocog.workflows._events import Reporter, Warned

_POLL = 0.2
_GRACE = 20.0  # seconds that a worker has to give its trial back
_DEATHS = 5  # in a row, without a trial that counts between them


class Pool:
    """Worker processes of a study.

    Args:
        folder: of the study.
        trials: that are to count in the end.
        seconds: left to the search; 0 is without end.
        workers: number of processes.
        report: told when one dies.
    """

    def __init__(self, folder: Path, trials: int, seconds: float, workers: int, report: Reporter) -> None:
        self.folder, self.trials, self.report = folder, trials, report
        self.end = time.monotonic() + seconds if seconds else None
        self.threads = max((os.cpu_count() or 1) // workers, 1)
        self.complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the pool)
        self.processes: list[subprocess.Popen[bytes]] = []
        self.workers = workers

    @property
    def pids(self) -> tuple[int, ...]:
        """The process numbers."""
        return tuple(process.pid for process in self.processes)

    def start(self) -> None:
        """Start the workers."""
        for _ in range(self.workers):
            self.processes.append(self._started())

    def watch(self, stopped: Callable[[], bool], look: Callable[[], int]) -> bool:
        """Wait until all workers have ended by themselves; return whether they came to the end of the trials.

        Args:
            stopped: whether to stop them.
            look: tells the trials that count since the last look, and returns how many do.

        Raises:
            TrainingError: workers die one after the other and nothing counts.
        """
        deaths, counted = 0, look()
        finished = True
        try:
            while self.processes and not stopped():
                for process in list(self.processes):
                    code = process.poll()
                    if code is None:
                        continue
                    self.processes.remove(process)
                    finished = finished and code == 0
                    if code in (0, 3):
                        continue
                    deaths += 1
                    if deaths >= _DEATHS:
                        raise self._dead(code)
                    self.report(Warned(text=f"worker {process.pid} {_ended(code)}: another one takes over"))
                    self.processes.append(self._started())
                    finished = True
                now = look()
                if now > counted:
                    deaths, counted = 0, now
                time.sleep(_POLL)
        finally:
            self.stop()
        look()
        return finished and not stopped()

    def stop(self) -> None:
        """Ask the workers to give their trials back, and wait for them."""
        for process in self.processes:
            if process.stdin is not None:
                with suppress(OSError):
                    process.stdin.close()
        end = time.monotonic() + _GRACE
        try:
            for process in self.processes:
                process.wait(timeout=max(end - time.monotonic(), 0.1))
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            for process in self.processes:
                process.kill()
                process.wait()
        self.processes.clear()

    def _started(self) -> subprocess.Popen[bytes]:
        seconds = 0.0 if self.end is None else max(self.end - time.monotonic(), 0.1)
        arguments = [str(self.folder), str(self.trials), f"{seconds:.1f}"]
        # They share the processors; Ctrl-C reaches this process alone, which asks them to stop.
        environment: dict[str, Any] = {"OMP_NUM_THREADS": str(self.threads), **os.environ}
        return subprocess.Popen(
            [sys.executable, "-m", "neocog.workflows._search_work", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self.complaints,
            env=environment,
            start_new_session=True,
        )

    def _dead(self, code: int) -> TrainingError:
        self.complaints.seek(0)
        lines = [
            line for line in self.complaints.read().decode(errors="replace").splitlines() if line.strip()
        ]
        last = lines[-1] if lines else _ended(code)
        expected = "workers that can run a trial"
        do = "Try --workers 1, which shows the fault; what counts is kept."
        return TrainingError(message("search", expected=expected, got=last, do=do))


def _ended(code: int) -> str:
    return f"was killed (signal {-code})" if code < 0 else f"ended with code {code}"
