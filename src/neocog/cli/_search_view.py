"""How a search looks: a line a trial with the time left, and the table at the end."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from neocog.cli._console import TrainingView, clock, printable
from neocog.cli._output import print_table

if TYPE_CHECKING:
    from neocog import workflows

_MOST_ROWS = 12
_SHORT = {
    "learning_rate": "lr", "batch_size": "batch", "weight_decay": "decay", "augment_strength": "strength",
    "finetune": "blocks", "head_rate": "head lr",
}  # fmt: skip


class SearchView(TrainingView):
    """Shows what `search` tells; of the winner's training what `train` tells."""

    def _SearchStarted(self, event: workflows.SearchStarted) -> None:
        self._close()
        self._line(f"study: {event.folder}")
        if event.done:
            self._line(f"       goes on: {min(event.done, event.trials)} of {event.trials} trials are there")
        for name, values in event.space:
            self._line(f"       {name} {values}")
        if event.workers:
            self._line(f"workers: {', '.join(f'process {pid}' for pid in event.workers)}")
        self._metric = event.metric.replace("_", " ")
        self._move("searching", event.done, event.trials, "")

    def _TrialEpoch(self, event: workflows.TrialEpoch) -> None:
        text = f"trial {event.number}"
        self._move(text, event.epoch, event.epochs, f"{event.score:.4f}")

    def _TrialDone(self, event: workflows.TrialDone) -> None:
        self._close()
        score = "–" if event.score is None else f"{event.score:.4f}"
        state = "" if event.state == "complete" else f"  {event.state}"
        best = "" if event.best is None else f"  best {event.level} {event.best:.4f}"
        left = "" if not event.seconds_left else f"  about {clock(event.seconds_left)} left"
        self._line(
            f"trial {event.number} ({event.done}/{event.trials})  {event.level:<6}  {self._metric} {score}"
            f"{state}  {_settings(event.params)}  {event.seconds:.1f} s{best}{left}"
        )
        if event.done < event.trials:
            self._move("searching", event.done, event.trials, left.strip())

    def _WinnerStarted(self, event: workflows.WinnerStarted) -> None:
        self._close()
        self._line(f"winner: trial {event.number}, trained in full: {_settings(event.params)}")

    _metric = "score"


def _settings(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{_SHORT.get(name, name)} {_value(value)}" for name, value in params.items())


def _value(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def print_search(result: workflows.SearchResult, *, quiet: bool) -> None:
    """Print the best trials, what the winner is worth and where it lies; or how to go on."""
    if not quiet and result.trials:
        _print_table(result)
    if result.interrupted:
        count = len(result.trials)
        text = f"interrupted: {count} trials are kept. Go on with the same command, or: neocog search "
        print(printable(text + str(result.folder)), file=sys.stderr)
        return
    metric = result.metric.replace("_", " ")
    best = result.best
    if best is not None:
        default = "" if result.default is None else f" (the recipe: {result.default:.4f})"
        print(printable(f"best validation {metric} {best.score:.4f}{default}: {_settings(best.params)}"))
    if result.test is not None and result.test.get(result.metric) is not None:
        print(printable(f"test {metric} {result.test[result.metric]:.4f}"))
    if result.run is not None:
        print(printable(f"run    {result.run}"))
    print(printable(f"page   {result.page}"))


def _rank(row: workflows.TrialRow) -> tuple[int, bool, float]:
    """Return what sorts trials: the highest budget first, those left early after the others."""
    return -row.level, row.state != "complete", float("inf") if row.score is None else -row.score


def _print_table(result: workflows.SearchResult) -> None:
    names = sorted({name for row in result.trials for name in row.params}, key=list(_SHORT).__contains__)
    order = sorted(
        result.trials,
        key=lambda r: (-r.level, r.state != "complete", -(r.score if r.score is not None else -9e9)),
    )
    header = (
        "trial",
        "budget",
        "state",
        result.metric,
        "epochs",
        *(_SHORT.get(name, name) for name in names),
    )
    rows = [
        (
            str(row.number),
            ("small", "middle", "full")[row.level],
            row.state,
            "–" if row.score is None else f"{row.score:.4f}",
            str(row.epochs),
            *(_value(row.params.get(name, "–")) for name in names),
        )
        for row in order[:_MOST_ROWS]
    ]
    print()
    print_table(header, rows, numbers=(0, *range(3, len(header))))
    if len(order) > _MOST_ROWS:
        print(printable(f"… and {len(order) - _MOST_ROWS} more in {result.table}"))
    print()
