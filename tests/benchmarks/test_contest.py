"""Competitors are processes that take turns: their answers, their failures, what is made of their speeds."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cases import CASES
from competitors import Competitor
from contest import Entry, Worker, contest, ratio
from environments import Absent
from fit import as_row, render

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
_COMPETITOR = f"""
import os, sys, time
sys.path.insert(0, {str(BENCHMARKS / "peers")!r})
from protocol import serve

class Runner:
    def __init__(self, request):
        self.request = request
        self.facts = {{"flops": 1e6, "versions": {{"toy": "1"}}}}
        if request.get("fails") == "start":
            raise ValueError("no such network")

    def run(self, steps):
        print("noise on the output")
        if self.request.get("fails") == "later" and steps > 3:
            os._exit(7)
        time.sleep(steps * self.request.get("step", 0.001))
        return steps * 32

serve(Runner)
"""


@dataclass(frozen=True, kw_only=True)
class Toy(Competitor):
    """A competitor that sleeps."""

    path: str = ""

    def command(self) -> list[str]:
        return [sys.executable, self.path]


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    path = tmp_path / "toy.py"
    path.write_text(_COMPETITOR)
    return Toy(name="neocog", family="neocog", precision="float32", script="", path=str(path))


def _state(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def _until(condition: Any) -> bool:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if condition():
            return True
        os.sched_yield()
    return False


def _worker(toy: Toy, tmp_path: Path) -> Worker:
    return Worker(toy.command(), dict(os.environ), tmp_path / "log")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_worker_answers_and_stands_still_between(toy: Toy, tmp_path: Path) -> None:
    worker = _worker(toy, tmp_path)
    try:
        ready = worker.ask({"step": 0.001})
        assert ready["ready"]
        assert ready["facts"]["versions"] == {"toy": "1"}
        assert _until(lambda: _state(worker.process.pid) == "T")
        found = worker.ask({"op": "run", "steps": 20})
        assert found["samples"] == 640
        assert found["seconds"] >= 0.02
        assert worker.ask({"op": "memory"})["peak"] > 1 << 20
        assert "noise on the output" in (tmp_path / "log").read_text()
    finally:
        worker.close()
    assert worker.process.returncode == -9


def test_an_error_names_its_reason(toy: Toy, tmp_path: Path) -> None:
    with pytest.raises(Absent, match="ValueError: no such network"):
        _worker(toy, tmp_path).ask({"fails": "start"})


def test_a_process_that_ends_is_absent(toy: Toy, tmp_path: Path) -> None:
    worker = _worker(toy, tmp_path)
    worker.ask({"fails": "later"})
    with pytest.raises(Absent, match="exit code 7"):
        worker.ask({"op": "run", "steps": 9})


def test_patience_ends(toy: Toy, tmp_path: Path) -> None:
    worker = _worker(toy, tmp_path)
    worker.ask({"step": 0.0})
    with pytest.raises(Absent, match="no answer within 0 s"):
        worker.ask({"op": "run", "steps": 9}, patience=0.0)
    assert worker.process.returncode == -9


def test_a_program_that_is_not_there_is_absent(tmp_path: Path) -> None:
    with pytest.raises(Absent, match="could not be started"):
        Worker([str(tmp_path / "python")], {}, tmp_path / "log")


def test_a_contest_and_its_row(toy: Toy, tmp_path: Path) -> None:
    slow = {"step": 0.01}
    who = [
        replace(toy, request={"step": 0.002}),
        replace(toy, name="tuned-f32", family="tuned", request={"step": 0.003}),
        replace(toy, name="tuned-f32-compile", family="tuned", request=slow),
        replace(toy, name="keras-jax-f32", family="keras", request={"step": 0.006}),
        replace(toy, name="keras-torch-f32", family="keras", request={"fails": "start"}),
    ]
    entries = contest(CASES["mlp-32"], who, tmp_path, tmp_path, 0.05, 2, 60.0)
    assert [entry.dropped for entry in entries] == [False, False, True, False, False]
    row = as_row(CASES["mlp-32"], entries, {"float32 FLOP/s": 1e12, "bfloat16 FLOP/s": 0.0, "copy B/s": 1e9})
    assert row["against tuned PyTorch"]["who"] == "tuned-f32"
    assert row["against tuned PyTorch"]["median"] > 1.0
    assert row["against Keras at its fastest"]["median"] > row["against tuned PyTorch"]["median"]
    assert "no such network" in row["absent"]["keras-torch-f32"]
    assert 0 < row["share of the float32 peak"] < 1
    assert "share of the bfloat16 peak" not in row
    page = render([row])
    assert "MLP 784-512-10" in page
    assert "no such network" in page
    assert f"{row['against tuned PyTorch']['median']:.2f}" in page


def test_ratios_are_of_the_same_round() -> None:
    toy = Competitor(name="a", family="neocog", precision="float32", script="")
    ours, theirs = Entry(toy, speeds=[10.0, 20.0, 40.0]), Entry(toy, speeds=[5.0, 20.0, 10.0])
    assert ratio(ours, theirs) == {"median": 2.0, "min": 1.0, "max": 4.0}
    assert ratio(ours, Entry(toy, speeds=[10.0])) == {"median": 2.0, "min": 1.0, "max": 4.0}


def test_a_lucky_trial_of_one_that_was_dropped_is_not_the_best(toy: Toy) -> None:
    def entry(name: str, speeds: list[float], dropped: bool = False) -> Entry:
        who = replace(toy, name=name, family="tuned" if name.startswith("tuned") else "neocog")
        return Entry(who, speeds=speeds, dropped=dropped)

    ran = [
        entry("neocog", [10.0, 10.0]),
        entry("tuned-f32", [8.0, 8.0]),
        entry("tuned-f32-compile", [30.0], dropped=True),
    ]
    row = as_row(CASES["mlp-32"], ran, {"float32 FLOP/s": 0.0, "bfloat16 FLOP/s": 0.0, "copy B/s": 1e9})
    assert row["against tuned PyTorch"]["who"] == "tuned-f32"
    assert row["samples a second"]["tuned-f32-compile"]["median"] == 30.0
