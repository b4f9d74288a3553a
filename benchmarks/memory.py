"""Suite `memory`: the peak resident memory of a training process, neocog's against bare PyTorch's.

Each competitor is a process of its own that holds the case's data and takes a few steps. What it held before
the first step (interpreter, libraries, data) is given apart.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cases import FIT, Case
from competitors import Competitor, chosen
from contest import PATIENCE, Worker, say
from environments import Absent
from fit import picked, shortened
from inputs import prepared
from tables import as_table

STEPS = 12


def run(
    only: str | None = None,
    competitors: str | None = None,
    patience: float = PATIENCE,
    samples: int | None = None,
    done: Callable[[dict[str, Any]], None] | None = None,
) -> list[dict[str, Any]]:
    """Run the suite; the arguments are those of `fit.run`."""
    rows = []
    names = [case.name for case in FIT]
    wanted = picked(only, names)
    with tempfile.TemporaryDirectory(prefix="neocog-bench-", ignore_cleanup_errors=True) as name:
        for case in shortened([case for case in FIT if case.name in wanted], samples):
            rows.append(_row(case, competitors, Path(name), patience))
            if done:
                done(rows[-1])
    return rows


def _row(case: Case, names: str | None, scratch: Path, patience: float) -> dict[str, Any]:
    data, origin = prepared(case, scratch)
    who = chosen(case, names) if names else [c for c in chosen(case, None) if _takes_part(c)]
    found: dict[str, dict[str, float]] = {}
    absent: dict[str, str] = {}
    for competitor in who:
        try:
            found[competitor.name] = _peak(competitor, case, data, scratch, patience)
            say(f"{case.name}: {competitor.name} {found[competitor.name]}")
        except Absent as error:
            absent[competitor.name] = str(error)
    row = {"case": case.name, "title": case.title, "batch": case.batch, "data": origin}
    tuned = [value["peak MB"] for name, value in found.items() if name.startswith("tuned")]
    if "neocog" in found and tuned:
        row["against the leanest tuned PyTorch"] = found["neocog"]["peak MB"] / min(tuned)
        row["against the largest"] = found["neocog"]["peak MB"] / max(tuned)
    return {**row, "memory": found, "absent": absent}


def _takes_part(competitor: Competitor) -> bool:
    """Keras's processes and compiled ones hold a compiler too: they are asked for by name."""
    return competitor.family != "keras" and not competitor.compiles


def _peak(competitor: Competitor, case: Case, data: Path, scratch: Path, patience: float) -> dict[str, float]:
    worker = Worker(competitor.command(), competitor.environment(scratch), scratch / "log")
    try:
        ready = worker.ask(
            {"case": case.as_dict(), "data": str(data), "warm": 0, **competitor.request}, patience
        )
        worker.ask({"op": "run", "steps": STEPS}, patience)
        peak = worker.ask({"op": "memory"})["peak"]
    finally:
        worker.close()
    return {"peak MB": round(peak / 1e6), "before the first step MB": round(ready["memory"] / 1e6)}


def render(rows: list[dict[str, Any]]) -> str:
    """Return the peaks as Markdown."""
    lines = []
    for row in rows:
        line = {"case": row["title"], "batch": row["batch"]}
        for name, value in row["memory"].items():
            line[f"{name}, MB"] = f"{value['peak MB']} ({value['before the first step MB']} before)"
        for key in ("against the leanest tuned PyTorch", "against the largest"):
            line[key] = f"{row[key]:.2f}" if key in row else ""
        lines.append(line)
    return as_table(lines)
