"""Suite `time-to-accuracy`: seconds to 99 % on MNIST and to 91 % on Fashion-MNIST.

The same network, initial weights' distribution, batches, schedule and evaluation for all
(`peers/learning.py`); several seeds, in turns. The clock starts with `fit` and stops with the evaluation that
reaches the target: what a library traces and compiles counts, and a second column has the time with a first
epoch like the others.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cases import Case
from competitors import Competitor, chosen
from contest import PATIENCE, Worker, say
from environments import Absent
from fit import picked
from tables import as_table

import neocog as keras

SEEDS = 3
LONGEST = 3600.0  # seconds for one training


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What is to be reached, and how.

    Attributes:
        case: network, batch and data.
        target: test accuracy.
        epochs: length of the schedule.
        rate: its highest learning rate.
    """

    case: Case
    target: float
    epochs: int
    rate: float


def _goal(name: str, title: str, target: float, epochs: int, rate: float) -> Goal:
    network = f"quick-{name}"
    shape = (28, 28, 1)
    case = Case(name=name, title=title, network=network, batch=128, data=name, shape=shape, samples=60_000)
    return Goal(case=case, target=target, epochs=epochs, rate=rate)


GOALS = {
    "mnist": _goal("mnist", "MNIST, 99 %", 0.99, 4, 4e-3),
    "fashion": _goal("fashion", "Fashion-MNIST, 91 %", 0.91, 5, 3e-3),
}


def run(
    rounds: int = SEEDS,
    only: str | None = None,
    competitors: str | None = None,
    patience: float = PATIENCE,
    done: Callable[[dict[str, Any]], None] | None = None,
) -> list[dict[str, Any]]:
    """Run the suite.

    Args:
        rounds: seeds.
        only: "mnist" or "fashion".
        competitors: those who take part, by commas; all but compiled and eager PyTorch where None.
        patience: seconds after which a competitor that has not started is left out.
        done: called with each row when it stands.

    Returns:
        One row for each set.
    """
    rows = []
    for name in picked(only, list(GOALS)):
        with tempfile.TemporaryDirectory(prefix="neocog-bench-", ignore_cleanup_errors=True) as folder:
            rows.append(_row(GOALS[name], competitors, Path(folder), rounds, patience))
        if done:
            done(rows[-1])
    return rows


def _row(goal: Goal, names: str | None, scratch: Path, seeds: int, patience: float) -> dict[str, Any]:
    _write(goal, scratch)
    who = chosen(goal.case, names or "neocog,tuned-f32,tuned-bf16,keras")
    courses: dict[str, list[dict[str, Any]]] = {competitor.name: [] for competitor in who}
    absent: dict[str, str] = {}
    for seed in range(1, seeds + 1):
        for competitor in who:
            if competitor.name in absent:
                continue
            try:
                course = _course(competitor, goal, scratch, seed, patience)
            except Absent as error:
                absent[competitor.name] = str(error)
                continue
            courses[competitor.name].append(course)
            say(f"{goal.case.name}, seed {seed}, {competitor.name}: {course['seconds']:.1f} s, {course}")
    found = {name: values for name, values in courses.items() if values and name not in absent}
    return {
        "case": goal.case.name,
        "title": goal.case.title,
        "settings": f"batch {goal.case.batch}, {goal.epochs} epochs, Adam, rate up to {goal.rate}",
        "courses": found,
        "absent": absent,
    }


def _course(competitor: Competitor, goal: Goal, scratch: Path, seed: int, patience: float) -> dict[str, Any]:
    """One training, in a process of its own."""
    request = {"case": goal.case.as_dict(), "data": str(scratch), "warm": 0, **competitor.request}
    worker = Worker(competitor.command(), competitor.environment(scratch), scratch / "log")
    try:
        worker.ask(request, patience)
        message = {"op": "learn", "target": goal.target, "epochs": goal.epochs, "rate": goal.rate}
        return worker.ask({**message, "seed": seed}, LONGEST)
    finally:
        worker.close()


def _write(goal: Goal, folder: Path) -> None:
    """Write the real set; there is no accuracy on any other."""
    loader = keras.datasets.mnist if goal.case.data == "mnist" else keras.datasets.fashion_mnist
    (x, y), (x_test, y_test) = loader.load_data()
    for name, images, labels in (("", x, y), ("_test", x_test, y_test)):
        np.save(folder / f"x{name}.npy", images[..., None].astype("float32") / 255)
        np.save(folder / f"y{name}.npy", labels.astype("int64"))


def render(rows: list[dict[str, Any]]) -> str:
    """Return the times as Markdown: medians over the seeds."""
    parts = []
    for row in rows:
        lines = [_line(name, courses) for name, courses in row["courses"].items()]
        parts.append(f"## {row['title']} ({row['settings']})\n\n{as_table(lines)}")
        parts += [f"- absent, {name}: {why}" for name, why in row["absent"].items()]
    return "\n\n".join(parts)


def _an_epoch(course: dict[str, Any]) -> float:
    return float(course["seconds, first epoch as the others"]) / int(course["epochs"])


def _line(name: str, courses: list[dict[str, Any]]) -> dict[str, Any]:
    def middle(key: str) -> float:
        return statistics.median(float(course[key]) for course in courses)

    return {
        "who": name,
        "seconds (median)": f"{middle('seconds'):.1f}",
        "min": f"{min(course['seconds'] for course in courses):.1f}",
        "max": f"{max(course['seconds'] for course in courses):.1f}",
        "with a first epoch like the others": f"{middle('seconds, first epoch as the others'):.1f}",
        "seconds an epoch": f"{statistics.median(_an_epoch(course) for course in courses):.2f}",
        "epochs": ", ".join(str(course["epochs"]) for course in courses),
        "test accuracy": ", ".join(f"{course['accuracies'][-1]:.4f}" for course in courses),
        "reached": f"{sum(course['reached'] for course in courses)} of {len(courses)}",
    }
