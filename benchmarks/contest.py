"""Competitors in turns: each a process of its own that is stopped while another one runs.

A stopped process (SIGSTOP) cannot spin, prefetch or clean up at another's expense. Each competitor takes
about the same time in a round; rounds alternate, and a ratio is of two runs of the same round.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cases import Case
from competitors import Competitor
from environments import Absent

PATIENCE = 300.0  # seconds for a start with all that it compiles
# Who is slower than this times the best of the same kind runs in no further round: by the first trial, and by
# the best of its rounds. Forms of tuned PyTorch in one precision are of a kind, and so are Keras's backends.
# One trial says little: machines are twice as fast at one time as at another.
BEHIND_AT_FIRST = {"tuned": 0.45, "keras": 0.4}
BEHIND = {"tuned": 0.7, "keras": 0.6}


class Worker:
    """A competitor's process, stopped whenever nothing is asked of it."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("w") as errors:
            try:
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=environment,
                    start_new_session=True,
                )
            except OSError as error:
                raise Absent(f"it could not be started ({error})") from error
        self._rest = b""

    def ask(self, message: dict[str, Any], patience: float = PATIENCE) -> dict[str, Any]:
        """Let it run until it has answered.

        Raises:
            Absent: where it ends, fails or takes too long; it is ended then.
        """
        self._signal(signal.SIGCONT)
        try:
            with suppress(BrokenPipeError):
                self.process.stdin.write(json.dumps(message).encode() + b"\n")  # type: ignore[union-attr]
                self.process.stdin.flush()  # type: ignore[union-attr]
            found: dict[str, Any] = json.loads(self._line(patience))
        except BaseException:
            self.close()
            raise
        if "error" in found:
            self.close()
            raise Absent(found["error"])
        self._signal(signal.SIGSTOP)
        return found

    def close(self) -> None:
        """End it and all that it started."""
        self._signal(signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def _line(self, patience: float) -> bytes:
        end = time.monotonic() + patience
        pipe = self.process.stdout.fileno()  # type: ignore[union-attr]
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                left = end - time.monotonic()
                if left <= 0 or not selector.select(left):
                    raise Absent(f"no answer within {patience:.0f} s")
                part = os.read(pipe, 1 << 16)
                if not part:
                    raise Absent(f"it ended ({self._last_words()})")
                self._rest += part
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _last_words(self) -> str:
        code = self.process.wait()
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f"{how}: {lines[-1][:160]}" if lines else how


@dataclass
class Entry:
    """What is known of a competitor after a contest: samples a second by round, and the rest."""

    competitor: Competitor
    worker: Worker | None = None
    absent: str | None = None
    steps: int = 0
    speeds: list[float] = field(default_factory=list)
    first_guess: float = 0.0
    dropped: bool = False
    compile_seconds: float = 0.0
    peaks: list[int] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def runs(self) -> bool:
        """Whether it takes part in the next round."""
        return self.worker is not None and not self.dropped

    @property
    def peak(self) -> int:
        """Bytes, the median of its processes."""
        return int(statistics.median(self.peaks)) if self.peaks else 0

    def median(self) -> float:
        """Samples a second."""
        return statistics.median(self.speeds)


def contest(
    case: Case,
    who: list[Competitor],
    data: Path,
    scratch: Path,
    seconds: float,
    rounds: int,
    patience: float,
    starts: int = 1,
) -> list[Entry]:
    """Start everyone, let them take turns, ask for their memory, end them; all that `starts` times.

    The rounds are shared out among the starts: where the system puts a process's memory can make it faster
    or slower than its twin as long as it lives.
    """
    entries = [Entry(competitor) for competitor in who]
    for start in range(starts):
        going = [entry for entry in entries if entry.absent is None and not entry.dropped]
        try:
            for entry in going:
                _start(entry, case, data, scratch, seconds, patience)
            if start == 0:
                _drop_the_slow(entries, [entry.first_guess for entry in entries], BEHIND_AT_FIRST)
            for number in range(rounds * start // starts, rounds * (start + 1) // starts):
                turn = number % len(entries)
                for entry in entries[turn:] + entries[:turn]:
                    if entry.runs:
                        _turn(entry, seconds, patience)
                _drop_the_slow(entries, [max(entry.speeds, default=0.0) for entry in entries], BEHIND)
            for entry in going:
                _memory(entry)
        finally:
            for entry in going:
                if entry.worker is not None:
                    entry.worker.close()
                    entry.worker = None
    return entries


def _start(entry: Entry, case: Case, data: Path, scratch: Path, seconds: float, patience: float) -> None:
    competitor = entry.competitor
    request = {"case": case.as_dict(), "data": str(data), **competitor.request}
    request["warm"] = 1 if len(case.shape) == 3 and case.shape[0] > 100 else 3
    try:
        log = scratch / f"{case.name}-{competitor.name}.log"
        worker = Worker(competitor.command(), competitor.environment(scratch), log)
        ready = worker.ask(request, patience)
        entry.worker = worker
        entry.compile_seconds, entry.facts = ready["compile seconds"], ready["facts"]
        _find_steps(entry, ready["step seconds"], seconds, patience)
        say(f"{case.name}: {competitor.name} is ready, about {entry.first_guess:,.0f} samples/s")
    except Absent as error:
        entry.worker, entry.absent = None, str(error)
        say(f"{case.name}: {competitor.name} is absent: {error}")


def _find_steps(entry: Entry, guess: float, seconds: float, patience: float) -> None:
    """Find how many steps take about `seconds`; the last trial warms up what the rounds run."""
    steps = max(1, min(1000, int(seconds / 2 / max(guess, 1e-6))))
    while True:
        found = entry.worker.ask({"op": "run", "steps": steps}, patience)  # type: ignore[union-attr]
        if found["seconds"] >= seconds / 4 or steps > 1 << 20:
            break
        steps *= 2
    entry.first_guess = found["samples"] / found["seconds"]
    entry.steps = max(1, int(steps * seconds / found["seconds"]))


def _turn(entry: Entry, seconds: float, patience: float) -> None:
    try:
        found = entry.worker.ask(  # type: ignore[union-attr]
            {"op": "run", "steps": entry.steps}, max(patience, 10 * seconds)
        )
        entry.speeds.append(found["samples"] / found["seconds"])
    except Absent as error:
        entry.worker, entry.absent = None, str(error)


def _drop_the_slow(entries: list[Entry], speeds: list[float], behind: dict[str, float]) -> None:
    """Drop those who cannot become the best of their kind; what they ran stays."""
    kinds: dict[tuple[str, str], list[tuple[Entry, float]]] = {}
    for entry, speed in zip(entries, speeds, strict=True):
        family = entry.competitor.family
        if entry.runs and family in behind:
            kinds.setdefault((family, entry.competitor.precision), []).append((entry, speed))
    for (family, _), pairs in kinds.items():
        best = max(speed for _, speed in pairs)
        for entry, speed in pairs:
            if speed < behind[family] * best:
                entry.dropped = True
                entry.speeds = entry.speeds or [speed]


def _memory(entry: Entry) -> None:
    if entry.worker is None:
        return
    try:
        found = entry.worker.ask({"op": "memory"})
        entry.facts = found["facts"]
        entry.peaks.append(found["peak"])
    except Absent as error:
        entry.worker, entry.absent = None, str(error)


def ratio(ours: Entry, theirs: Entry) -> dict[str, float]:
    """Return how many times faster, round by round: median, min and max.

    One that was dropped is compared with by the median of the rounds that it ran.
    """
    if len(ours.speeds) == len(theirs.speeds):
        found = [a / b for a, b in zip(ours.speeds, theirs.speeds, strict=True)]
    else:
        found = [a / theirs.median() for a in ours.speeds]
    return {"median": statistics.median(found), "min": min(found), "max": max(found)}


def say(text: str) -> None:
    """Tell how far the suite is, beside its results."""
    print(text, file=sys.stderr, flush=True)
