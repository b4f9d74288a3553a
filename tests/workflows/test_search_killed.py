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

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for the workers in /proc"),
]

TRIALS = 3
COMMAND = (
    "search", "digits", "--model", "mlp", "--epochs", "2", "--trials", str(TRIALS), "--fix", "batch_size=64",
    "--fix", "augment_strength=0",
)  # fmt: skip
PATIENCE = 500  # seconds: a machine may be busy


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
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


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
        time.sleep(0.1)


def is_running(folder: Path) -> bool:
    return any(state == "RUNNING" and worker for _, state, worker in attempts(folder))


def check_whole(folder: Path) -> list[int]:
    """Check that every trial counts once; return how often each was begun."""
    found = attempts(folder)
    counted = sorted(slot for slot, state, _ in found if state in ("COMPLETE", "PRUNED"))
    assert counted == list(range(TRIALS))
    assert all(state != "RUNNING" and state != "WAITING" for _, state, _ in found)
    with open(folder / "trials.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["trial"]) for row in rows] == list(range(1, TRIALS + 1))
    begun = [sum(slot == place for slot, _, _ in found) for place in range(TRIALS)]
    assert [int(row["attempts"]) for row in rows] == begun
    assert (folder / "best" / "report.html").is_file()
    assert json.loads((folder / "study.json").read_text())["results"]["done"] == TRIALS
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
    assert sum(begun) in (TRIALS, TRIALS + 1)  # no more than the one trial that it had
    assert output.count("winner: trial") == 1


def test_one_of_two_commands_is_killed(tmp_path: Path, started: Callable[..., subprocess.Popen[str]]) -> None:
    folder = tmp_path / "study"
    both = [started(), started()]
    wait_for(lambda: is_running(folder))
    both[0].kill()
    output, _ = both[1].communicate(timeout=PATIENCE)
    assert both[1].returncode == 0, output
    assert sum(check_whole(folder)) in (TRIALS, TRIALS + 1)
    assert "best validation accuracy" in output
    assert not (folder / "earlier").exists()  # the winner was trained once


def test_workers_end_with_their_command_and_give_their_trials_back(
    tmp_path: Path, started: Callable[..., subprocess.Popen[str]]
) -> None:
    folder = tmp_path / "study"
    command = started("--workers", "2")
    wait_for(lambda: is_running(folder))
    workers = children(command.pid)
    assert len(workers) == 2
    command.kill()
    command.wait()
    wait_for(lambda: not any(Path(f"/proc/{pid}").is_dir() for pid in workers))
    assert not is_running(folder)
