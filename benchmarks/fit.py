"""Suite `fit`: samples a second of `fit`, against bare PyTorch and Keras on its three backends.

`peers/cases.py` has the cases, `competitors.py` who takes part, `contest.py` how they take turns. neocog and
Keras run the same code (`peers/worker.py`); tuned PyTorch (`peers/bare.py`) counts by its best form.
"""

from __future__ import annotations

import datetime
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cases import FIT, Case
from competitors import chosen
from contest import PATIENCE, Entry, contest, ratio, say
from inputs import prepared
from overhead_case import overhead_rows
from peak import measured_apart

Rows = list[dict[str, Any]]


def run(
    seconds: float = 2.0,
    rounds: int = 5,
    only: str | None = None,
    competitors: str | None = None,
    patience: float = PATIENCE,
    samples: int | None = None,
    starts: int = 1,
    done: Callable[[dict[str, Any]], None] | None = None,
) -> Rows:
    """Run the suite.

    Args:
        seconds: about how long each competitor runs in each round.
        rounds: how often the competitors alternate.
        only: names of cases, by commas: "mlp-32,cats"; "overhead" is what `fit` adds to a step.
        competitors: those who take part, by commas; everyone where None.
        patience: seconds after which a competitor that has not started is left out.
        samples: of each case at most so many, to try the suite out.
        starts: how many processes each competitor has, one after another; they share the rounds.
        done: called with each row when it stands.

    Returns:
        One row for each case.
    """
    names = [case.name for case in FIT] + ["overhead"]
    wanted = picked(only, names)
    cases = shortened([case for case in FIT if case.name in wanted], samples)
    rows = run_cases(cases, seconds, rounds, competitors, patience, starts, done)
    if "overhead" in wanted:
        for row in overhead_rows(seconds, rounds):
            rows.append(row)
            if done:
                done(row)
    return rows


def picked(only: str | None, names: list[str]) -> list[str]:
    """Return the names of the cases that `--only` asks for.

    Raises:
        SystemExit: where one is unknown.
    """
    if not only:
        return names
    found = only.split(",")
    unknown = [name for name in found if name not in names]
    if unknown:
        raise SystemExit(f"--only: expected some of {', '.join(names)}, got {', '.join(unknown)!r}")
    return found


def shortened(cases: list[Case], samples: int | None) -> list[Case]:
    """Return the cases with at most so many samples."""
    if samples is None:
        return cases
    return [replace(case, samples=min(case.samples, samples)) for case in cases]


def run_cases(
    cases: list[Case],
    seconds: float,
    rounds: int,
    competitors: str | None,
    patience: float,
    starts: int,
    done: Callable[[dict[str, Any]], None] | None,
) -> Rows:
    """Run cases one after another and return a row for each."""
    if not cases:
        return []
    peaks = measured_apart(min(0.5, seconds / 4))
    rows: Rows = []
    with tempfile.TemporaryDirectory(prefix="neocog-bench-", ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        for case in cases:
            data, origin = prepared(case, scratch)
            who = chosen(case, competitors)
            entries = contest(case, who, data, scratch, seconds, rounds, patience, starts)
            row = {**as_row(case, entries, peaks), "data": origin}
            row["taken"] = f"{datetime.datetime.now():%Y-%m-%d %H:%M}"
            rows.append(row)
            say(_sentence(row))
            if done:
                done(row)
    return rows


def as_row(case: Case, entries: list[Entry], peaks: dict[str, float]) -> dict[str, Any]:
    """Return everything that was measured of a case."""
    ran = [entry for entry in entries if entry.speeds and entry.absent is None]
    named = {entry.competitor.name: entry for entry in ran}
    row: dict[str, Any] = {"case": case.name, "title": case.title, "batch": case.batch or "as it comes"}
    row["samples a second"] = {name: _spread(entry.speeds) for name, entry in named.items()}
    ours = named.get("neocog")
    if ours is not None:
        row.update(_against(ours, ran))
        row.update(_share(ours, ran, peaks))
    if "neocog-bf16" in named:
        row["neocog-bf16"] = _against(named["neocog-bf16"], ran)
    row["peak MB"] = {name: round(entry.peak / 1e6) for name, entry in named.items()}
    row["compile s"] = {name: round(entry.compile_seconds, 2) for name, entry in named.items()}
    row["dropped after the first rounds"] = [entry.competitor.name for entry in ran if entry.dropped]
    row["absent"] = {entry.competitor.name: entry.absent for entry in entries if entry.absent}
    row["peak"] = peaks
    row["plan"] = ours.facts.get("plan", "") if ours else ""
    row["versions"] = _versions(ran)
    return row


def _against(ours: Entry, ran: list[Entry]) -> dict[str, Any]:
    """Return the ratios to the best tuned loop, to eager, to the fastest Keras in float32 and in any form."""

    def best(family: str, precisions: tuple[str, ...]) -> Entry | None:
        fitting = [
            entry
            for entry in ran
            if entry.competitor.family == family and entry.competitor.precision in precisions
        ]
        return max(fitting, key=lambda entry: (not entry.dropped, entry.median()), default=None)

    both = ("float32", "bfloat16")
    found: dict[str, Any] = {}
    for title, family, precisions in (
        ("against tuned PyTorch", "tuned", both),
        ("against tuned PyTorch in float32", "tuned", ("float32",)),
        ("against eager PyTorch", "eager", both),
        ("against Keras in float32", "keras", ("float32",)),
        ("against Keras at its fastest", "keras", both),
    ):
        theirs = best(family, precisions)
        if theirs is not None:
            found[title] = {"who": theirs.competitor.name, **ratio(ours, theirs)}
            if family == "tuned" and precisions == both and theirs.peak:
                found["memory against tuned PyTorch"] = ours.peak / theirs.peak
    return found


def _share(ours: Entry, ran: list[Entry], peaks: dict[str, float]) -> dict[str, Any]:
    """Return the operations of a sample and how much of the machine's peak is reached."""
    flops = next((entry.facts["flops"] for entry in ran if "flops" in entry.facts), None)
    if not flops:
        return {}
    rate = flops * ours.median()
    found = {"MFLOP a sample": flops / 1e6, "GFLOP/s": rate / 1e9}
    for name in ("float32", "bfloat16"):
        if peaks[f"{name} FLOP/s"]:
            found[f"share of the {name} peak"] = rate / peaks[f"{name} FLOP/s"]
    return found


def _versions(ran: list[Entry]) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in ran:
        found.update(entry.facts.get("versions", {}))
    return found


def _spread(values: list[float]) -> dict[str, Any]:
    rounded = [float(f"{value:.5g}") for value in values]
    middle = float(f"{statistics.median(values):.5g}")
    return {"median": middle, "min": min(rounded), "max": max(rounded), "rounds": rounded}


def _sentence(row: dict[str, Any]) -> str:
    parts = [
        f"{key.removeprefix('against ')} ({value['who']}) {value['median']:.2f}"
        for key, value in row.items()
        if key.startswith("against")
    ]
    return f"{row['case']}: times " + ", ".join(parts) if parts else f"{row['case']}: measured"


def render(rows: Rows) -> str:
    """Return the results as Markdown tables."""
    from tables import contest_tables

    return contest_tables(rows)
