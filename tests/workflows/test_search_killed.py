"""Real processes and SIGKILL: workers and commands that die, and a study that ends as it should."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for the workers in /proc")

COMMAND = (
    "search", "digits", "--model", "mlp", "--epochs", "4", "--trials", "6", "--fix", "batch_size=64",
    "--fix", "augment_strength=0",
)  # fmt: skip
PATIENCE = 240  # seconds: a machine may be busy


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start commands on one study; what is left of them is killed at the end."""
    processes: list[subprocess.Popen[str]] = []

    def start(*more: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", "from neocog.cli import main; main()", *COMMAND, *more]
        process = subprocess.Popen(
            [*command, "--out", str(tmp_path / "study")],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        for pid in children(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.kill()
        process.communicate()


def children(pid: int) -> list[int]:
    """Return the process numbers of the workers of a command."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(number) for number in text.split()]


def attempts(folder: Path) -> list[tuple[int, str, str]]:
    """Return (place, state, worker) of every attempt, read past Optuna."""
    path = folder / "study.db"
    if not path.is_file():
        return []
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as database:
            states = dict(database.execute("select trial_id, state from trials"))
            found: dict[int, dict[str, str]] = {}
            for trial, key, value in database.execute(
                "select trial_id, key, value_json from trial_user_attributes"
            ):
                found.setdefault(trial, {})[key] = json.loads(value)
    except sqlite3.OperationalError:  # the tables are being made
        return []
    return [
        (int(found.get(trial, {}).get("slot", -1)), state, found.get(trial, {}).get("worker", ""))
        for trial, state in states.items()
    ]


def wait_for(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def is_running(folder: Path) -> bool:
    return any(state == "RUNNING" and worker for _, state, worker in attempts(folder))


def check_whole(folder: Path) -> list[int]:
    """Check that every trial counts once; return how often each was begun."""
    found = attempts(folder)
    counted = sorted(slot for slot, state, _ in found if state in ("COMPLETE", "PRUNED"))
    assert counted == [0, 1, 2, 3, 4, 5]
    assert all(state != "RUNNING" and state != "WAITING" for _, state, _ in found)
    with open(folder / "trials.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["trial"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    begun = [sum(slot == place for slot, _, _ in found) for place in range(6)]
    assert [int(row["attempts"]) for row in rows] == begun
    assert (folder / "best" / "report.html").is_file()
    assert json.loads((folder / "study.json").read_text())["results"]["done"] == 6
    return begun


def test_one_of_two_workers_is_killed(tmp_path: Path, started: Callable[..., subprocess.Popen[str]]) -> None:
    folder = tmp_path / "study"
    command = started("--workers", "2")
    wait_for(lambda: is_running(folder))
    os.kill(children(command.pid)[0], signal.SIGKILL)
    output, _ = command.communicate(timeout=PATIENCE)
    assert command.returncode == 0, output
    assert "was killed (signal 9): another one takes over" in output
    begun = check_whole(folder)
    assert sum(begun) in (6, 7)  # 6: it fell before that worker had a trial, or after it had ended


def test_the_command_is_killed_and_two_others_end_the_study(
    tmp_path: Path, started: Callable[..., subprocess.Popen[str]]
) -> None:
    folder = tmp_path / "study"
    command = started("--workers", "2")
    wait_for(lambda: any(state == "COMPLETE" for _, state, _ in attempts(folder)))
    workers = children(command.pid)
    command.kill()
    command.communicate()
    wait_for(lambda: not any(Path(f"/proc/{pid}").is_dir() for pid in workers))  # none works on by itself
    both = [started(), started("--resume")]
    outputs = [process.communicate(timeout=PATIENCE)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    begun = check_whole(folder)
    assert sum(begun) <= 6 + 2
    assert all("best validation accuracy" in output for output in outputs)
    assert not (folder / "earlier").exists()  # the winner was trained once
