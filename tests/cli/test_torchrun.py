"""`torchrun -m neocog train`: torch's own launcher starts the command, and starts it again after a death."""

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

from neocog.utils import clear_session
from neocog.workflows import TrainConfig, train

EPOCHS = 8


@pytest.mark.skipif(os.name == "nt" or not torch.distributed.is_available(), reason="signals, processes")
@pytest.mark.parametrize("killed", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_torchrun_trains_as_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    monkeypatch.setenv("NEOCOG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    options = ["--model", "mlp", "--augment", "none", "--batch-size", "256", "--epochs", str(EPOCHS)]
    launch = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--max-restarts", "1"]
    command = [*launch, "-m", "neocog", "train", "digits", *options, "--every", "2steps", "--out", "run"]
    process = subprocess.Popen(
        [sys.executable, *command], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    history = tmp_path / "run" / "history.csv"
    if killed:
        while process.poll() is None and not (
            history.is_file() and len(history.read_text().splitlines()) > 2
        ):
            time.sleep(0.005)
        os.kill(max(children(process.pid)), signal.SIGKILL)
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert ("resumed: goes on at epoch" in out) is killed
    assert out.count("test accuracy") == 1  # process 0 alone speaks
    clear_session()
    alone = TrainConfig(
        data="digits", model="mlp", augment="none", batch_size=256, epochs=EPOCHS, out=str(tmp_path / "alone")
    )
    train(alone)
    ours, theirs = rows(history), rows(tmp_path / "alone" / "history.csv")
    assert len(ours) == len(theirs) == EPOCHS
    for one, other in zip(ours[:4], theirs[:4], strict=True):  # then last digits grow, as in any training
        assert one == pytest.approx(other, rel=1e-3)


def rows(path: Path) -> list[dict[str, float]]:
    return [
        {key: float(value) for key, value in row.items()}
        for row in csv.DictReader(path.read_text().splitlines())
    ]


def children(parent: int) -> list[int]:
    """Return the processes that a process has started."""
    path = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(number) for number in path.read_text().split()] if path.exists() else []
