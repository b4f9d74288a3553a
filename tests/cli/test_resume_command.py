"""`neocog train` and `neocog resume` as processes: SIGKILL, a lock, several processes, errors told once."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from neocog.cli import app
from neocog.utils import clear_session

DIGITS = ["train", "digits", "--model", "mlp", "--augment", "none", "--batch-size", "256"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEOCOG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def here(*arguments: str) -> tuple[int, str, str]:
    """Run a command in this process: the code and texts are those of one of its own."""
    clear_session()
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.stdout, done.stderr


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-m", "neocog", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, stdout=pipe, stderr=pipe, text=True)


def ended(folder: Path, *arguments: str) -> tuple[int, str, str]:
    process = started(folder, *arguments)
    out, errors = process.communicate(timeout=300)
    return process.returncode, out, errors


def wait_for_epoch(run: Path, number: int, process: subprocess.Popen[str]) -> None:
    """Wait until an epoch stands in the history of a run that a process works on."""
    history = run / "history.csv"
    while process.poll() is None and not (
        history.is_file() and len(history.read_text().splitlines()) > number
    ):
        time.sleep(0.01)


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_killed_and_resumed(home: Path) -> None:
    long = [*DIGITS, "--epochs", "60", "--every", "3steps", "--out", "run"]
    process = started(home, *long)
    wait_for_epoch(home / "run", 3, process)
    process.send_signal(signal.SIGSTOP)  # it holds the run, however slow this machine is
    code, _, errors = here("resume", "run")
    assert (code, "no other process works on" in errors) == (2, True)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    code, _, errors = here(*long[:-4], "--resume", "--out", "run", "--seed", "1")
    assert (code, "--seed 1 (the run: 0)" in errors) == (2, True)
    code, out, errors = ended(home, *long, "--resume")
    assert code == 0, errors
    assert "resumed: goes on at epoch" in out
    assert "test accuracy" in out
    code, out, _ = here("resume", "run")
    assert (code, "this run is complete; nothing was changed" in out) == (0, True)


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_several_processes_survive_the_death_of_one(home: Path) -> None:
    options = ["--epochs", "40", "--every", "4steps", "--out", "run", "--processes", "2"]
    process = started(home, *DIGITS, *options)
    wait_for_epoch(home / "run", 3, process)
    workers = worker_ids(process.pid)
    assert len(workers) == 2
    os.kill(workers[-1], signal.SIGKILL)
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert "resumed: goes on at epoch" in out
    assert "2 processes" in out
    code, _, errors = here(*DIGITS, "--epochs", "40", "--out", "alone")
    assert code == 0, errors
    pairs = zip(losses(home / "alone")[:10], losses(home / "run")[:10], strict=True)
    assert all(abs(one - two) <= 1e-3 * one for one, two in pairs)


def losses(run: Path) -> list[float]:
    rows = csv.DictReader((run / "history.csv").read_text().splitlines())
    return [float(row["val_loss"]) for row in rows]


@pytest.mark.skipif(os.name == "nt" or not torch.distributed.is_available(), reason="processes")
def test_several_processes_take_the_steps_of_one(home: Path) -> None:
    """With BatchNormalization and dropout: the small network with its own settings."""
    network = ["--model", "small-cnn", "--width", "0.25", "--batch-size", "32", "--precision", "float32"]
    command = ["train", "digits", *network, "--augment", "none", "--epochs", "1", "--seed", "3", "--out"]
    code, out, errors = ended(home, *command, "two", "--processes", "2")
    assert (code, "2 processes" in out) == (0, True), errors
    assert here(*command, "one")[0] == 0
    assert losses(home / "two") == pytest.approx(losses(home / "one"), rel=5e-4)


def worker_ids(parent: int) -> list[int]:
    """Return the processes that a process has started."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(entry.parent.name))
    return sorted(found)


def test_an_error_in_all_processes_is_told_once(home: Path) -> None:
    (home / "photos" / "one class").mkdir(parents=True)
    code, _, errors = ended(home, "train", "photos", "--processes", "2", "--out", "run")
    assert code == 2, errors
    lines = [line for line in errors.splitlines() if line.startswith("error:")]
    assert len(lines) == 1, errors
    assert "Traceback" not in errors
    assert not (home / "run").exists()
