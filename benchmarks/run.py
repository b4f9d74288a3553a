"""Runs a benchmark suite and writes its dated result: `python benchmarks/run.py fit`."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import accuracy
import augment
import depth
import fit
import resume
import startup
import torch

import data
import transfer

SUITES = {
    "accuracy": accuracy.run,
    "augment": augment.run,
    "data": data.run,
    "depth": depth.run,
    "fit": fit.run,
    "resume": resume.run,
    "startup": startup.run,
    "transfer": transfer.run,
}
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Parse the command line, run, print the table, write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", choices=sorted(SUITES))
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=5, help="how often the competitors alternate")
    parser.add_argument("--only", help="one row of the suite `accuracy`")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    arguments = {"only": options.only} if options.suite == "accuracy" else {}
    rows = SUITES[options.suite](seconds=options.seconds, rounds=options.rounds, **arguments)
    table = as_table(rows)
    print(table)
    if options.no_write:
        return
    machine = machine_facts()
    suite = options.suite + (f"-{options.only}" if options.only else "")
    stem = f"{datetime.date.today():%Y-%m-%d}-{suite}-{machine['slug']}"
    RESULTS.mkdir(exist_ok=True)
    document = {"suite": options.suite, "options": vars(options), "machine": machine, "rows": rows}
    (RESULTS / f"{stem}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    facts = ", ".join(f"{key} {value}" for key, value in machine.items() if key != "slug")
    (RESULTS / f"{stem}.md").write_text(f"# {options.suite}, {facts}\n\n{table}\n", encoding="utf-8")
    print(f"\nwritten to benchmarks/results/{stem}.md")


def as_table(rows: list[dict[str, Any]]) -> str:
    """Return rows as a Markdown table."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    for row in rows:
        lines.append("| " + " | ".join(_cell(row.get(column, "")) for column in columns) + " |")
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:.3f}"
    return str(value)


def machine_facts() -> dict[str, Any]:
    """Return what a result must say of where it was taken."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no accelerator"
    cores = os.cpu_count()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
        cwd=RESULTS.parent,
    ).stdout.strip()
    return {
        "slug": f"{cores}cores"
        + ("" if device == "no accelerator" else "-" + device.replace(" ", "-").lower()),
        "cpu": cpu,
        "cores": cores,
        "device": device,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "commit": commit,
    }


if __name__ == "__main__":
    main()
