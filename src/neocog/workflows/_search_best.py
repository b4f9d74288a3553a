"""The end of a search: the winner trained in full, the table of the trials, `study.json`, the page."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from neocog.core import write_text
from neocog.exceptions import NeocogError, TrainingError, message
from neocog.workflows._config import TrainConfig
from neocog.workflows._csv_cells import guarded
from neocog.workflows._events import Reporter
from neocog.workflows._resume import asked_of, is_complete, resume
from neocog.workflows._run import read_config
from neocog.workflows._run_folder import CONFIG, METRICS, REPORT
from neocog.workflows._search_config import Settings, write_settings
from neocog.workflows._search_events import WinnerStarted
from neocog.workflows._search_page import PAGE, search_page
from neocog.workflows._search_plan import LEVELS, winner
from neocog.workflows._search_study import Row
from neocog.workflows._search_trial import config_of
from neocog.workflows._train import train

BEST, TABLE, EARLIER = "best", "trials.csv", "earlier"


def winning(rows: Sequence[Row]) -> Row | None:
    """Return the best trial of the highest budget, or None where no trial has a score."""
    found = winner([row.done for row in rows])
    return None if found is None else next(row for row in rows if row.number == found.slot + 1)


def train_winner(folder: Path, settings: Settings, row: Row, report: Reporter) -> Any:
    """Train with the winner's settings in full into `best/`, unless that run is there; return its metrics.

    The same seed and settings: a winner that was tried at the full budget gives the same numbers again, now
    with a model, a report and the test part, which no trial has seen. An earlier winner's run is kept, one
    that was stopped goes on.

    Raises:
        KeyboardInterrupt: Ctrl-C; the run stays, and goes on with the next call.
    """
    path = folder / BEST
    config = replace(config_of(settings.train_config, row.params), out=str(path))
    state = _state(path, config)
    if state is None:
        _make_room(folder, path)
    if state != "complete":
        report(WinnerStarted(number=row.number, folder=str(path), params=row.params))
        result = train(config, report) if state is None else resume(path, report)
        if result is not None and result.interrupted:
            raise KeyboardInterrupt
    return json.loads((path / METRICS).read_text(encoding="utf-8"))


def is_trained(folder: Path, settings: Settings, row: Row) -> bool:
    """Whether the run of a winner is there, complete."""
    config = replace(config_of(settings.train_config, row.params), out=str(folder / BEST))
    return _state(folder / BEST, config) == "complete"


def _state(path: Path, config: TrainConfig) -> str | None:
    """Return how far a folder's run of a configuration is: "complete", "begun", None for no such run."""
    if not (path / CONFIG).is_file():
        return None
    try:
        found = read_config(path)
        if replace(asked_of(found, path), out=config.out, every=config.every) != config:
            return None
    except NeocogError:
        return None
    return "complete" if is_complete(path, found) else "begun"


def _make_room(folder: Path, path: Path) -> None:
    """Move an earlier winner's run away; what is left of a training that did not end is worth nothing."""
    if not path.exists():
        return
    if (path / REPORT).is_file():
        (folder / EARLIER).mkdir(exist_ok=True)
        number = 1
        while (target := folder / EARLIER / f"best-{number}").exists():
            number += 1
        os.replace(path, target)
    else:
        shutil.rmtree(path)


def write_outputs(
    folder: Path, settings: Settings, rows: Sequence[Row], metrics: Any, importance: dict[str, float]
) -> None:
    """Write `trials.csv`, `study.json` and `search.html`: all that is known so far."""
    best = winning(rows)
    names = [axis.name for axis in settings.space]
    write_text(folder / TABLE, _table(rows, names, best))
    states = sorted({row.state for row in rows})
    results = {
        "done": len(rows),
        "states": {state: sum(row.state == state for row in rows) for state in states},
        "best": None if best is None else {"trial": best.number, "score": best.score, "params": best.params},
        "default": _default_score(rows),
        "importance": importance,
        "test": None if metrics is None else metrics.get("test"),
    }
    write_settings(folder, settings, results)
    write_text(folder / PAGE, search_page(folder.name, settings, rows, best, metrics, importance))


def _default_score(rows: Sequence[Row]) -> float | None:
    found = [row for row in rows if row.is_default and row.level == len(LEVELS) - 1]
    return found[0].score if found else None


def _table(rows: Sequence[Row], names: Sequence[str], best: Row | None) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    facts = ("trial", "level", "state", "score", "loss", "epochs", "seconds", "parameters", "attempts")
    writer.writerow((*facts, *names, "best"))
    for row in rows:
        cells = [
            row.number, LEVELS[row.level].name, row.state, _cell(row.score), _cell(row.loss), row.epochs,
            row.seconds, row.parameters, row.attempts,
        ]  # fmt: skip
        settings = [_cell(row.params.get(name)) for name in names]
        writer.writerow([*cells, *settings, "yes" if best is not None and row.number == best.number else ""])
    return text.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return guarded(value) if isinstance(value, str) else value


def no_winner(folder: Path, rows: Sequence[Row]) -> TrainingError:
    """Return the error for a study in which not one trial has a score."""
    states = ", ".join(sorted({row.state for row in rows})) or "none"
    do = "Search lower learning rates or smaller batches, in another --out."
    expected = "a trial that came to its end"
    return TrainingError(message(str(folder), expected=expected, got=f"{len(rows)} trials: {states}", do=do))
