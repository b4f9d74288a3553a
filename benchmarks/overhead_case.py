"""What `fit` adds to a step, on the smallest network of the suite and on one that is next to nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from cases import CASES, Case
from competitors import chosen
from contest import Worker
from inputs import prepared

TINY = Case(name="tiny", title="16-10", network="tiny", batch=32, data="random", shape=(16,), samples=32_768)


def overhead_rows(seconds: float, rounds: int) -> list[dict[str, Any]]:
    """Return a row for each network."""
    return [_row(case, seconds, rounds) for case in (CASES["mlp-32"], TINY)]


def _row(case: Case, seconds: float, rounds: int) -> dict[str, Any]:
    competitor = chosen(case, "neocog")[0]
    with tempfile.TemporaryDirectory(prefix="neocog-bench-", ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        data, _ = prepared(case, scratch)
        worker = Worker(competitor.command(), competitor.environment(scratch), scratch / "log")
        try:
            worker.ask({"case": case.as_dict(), "data": str(data), **competitor.request})
            steps = max(64, min(1000, int(seconds * 500)))  # within an epoch
            found = worker.ask({"op": "overhead", "steps": steps, "rounds": rounds})
        finally:
            worker.close()
    return {"case": f"overhead-{case.name}", "title": f"what fit adds to a step, {case.title}", **found}
