"""Runs a benchmark suite and writes its dated result: `python benchmarks/run.py fit`."""

from __future__ import annotations

import argparse
import datetime
import importlib
import inspect
import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

HERE = Path(__file__).parent
sys.path.insert(1, str(HERE / "peers"))  # cases and networks, which the peers read too

from tables import as_table  # noqa: E402

from neocog.core import processor_vendor  # noqa: E402

SUITES = {
    "accuracy": "accuracy",
    "augment": "augment",
    "data": "data",
    "depth": "depth",
    "fit": "fit",
    "gpu": "gpu",
    "memory": "memory",
    "peak": "peak_suite",
    "predict": "predict",
    "resume": "resume",
    "scaling": "scaling",
    "startup": "startup",
    "time-to-accuracy": "time_to_accuracy",
    "transfer": "transfer",
}
RESULTS = HERE / "results"
# Those whose processes get an answer about AMX where a virtual machine hides it; see `amx/`.
WITH_AMX = ("fit", "memory", "peak", "predict", "time-to-accuracy")


def main() -> None:
    """Parse the command line, run, print the table, write the files."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # competitors are ended on the way out
    if options.suite == "readme":
        print(importlib.import_module("readme_rows").readme_rows())
        return
    os.environ["BENCH_AMX"] = options.amx
    if options.peers:
        os.environ["BENCH_PEERS"] = str(Path(options.peers).expanduser().resolve())
    suite = importlib.import_module(SUITES[options.suite])
    arguments = {"seconds": options.seconds, "rounds": options.rounds}
    arguments |= {"only": options.only, "competitors": options.competitors, "patience": options.patience}
    arguments |= {"samples": options.samples, "starts": options.starts}
    taken = inspect.signature(suite.run).parameters
    arguments = {key: value for key, value in arguments.items() if key in taken and value is not None}
    for key in ("only", "competitors"):
        if getattr(options, key) and key not in taken:
            raise SystemExit(f"--{key}: the suite {options.suite} has no such choice.")
    if options.starts < 1:
        raise SystemExit(f"--starts: expected 1 or more, got {options.starts}.")
    result = _Result(options, suite)
    prints_only = bool(options.no_write or options.competitors or options.samples)
    if "done" in taken and not prints_only:
        arguments["done"] = result.add  # what is finished stays, whatever happens to the rest
    rows = suite.run(**arguments)
    print(result.render(rows))
    if prints_only:
        return
    if "done" not in taken:
        result.rows = rows
        result.write()
    print(f"\nwritten to benchmarks/results/{result.stem}.md")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", choices=sorted([*SUITES, "readme"]))
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=5, help="how often the competitors alternate")
    parser.add_argument(
        "--starts", type=int, default=1, help="processes of each competitor; they share the rounds"
    )
    parser.add_argument("--only", help="some cases or rows of the suite, by commas")
    parser.add_argument("--competitors", help="some competitors, by commas; prints only")
    parser.add_argument("--patience", type=float, help="seconds that a competitor may take to start")
    parser.add_argument(
        "--samples", type=int, help="at most so many of each case, to try it out; prints only"
    )
    parser.add_argument("--peers", help="folder of the competitors' environments (else $BENCH_PEERS)")
    parser.add_argument(
        "--amx",
        choices=("auto", "off"),
        default="auto",
        help="off: leave AMX as a virtual machine that hides half of it has it",
    )
    parser.add_argument("--no-write", action="store_true", help="print only")
    return parser.parse_args()


class _Result:
    """The dated files of a suite, written again with each row that is added."""

    def __init__(self, options: argparse.Namespace, suite: Any) -> None:
        self.options = vars(options)
        self.machine = machine_facts(amx=options.suite in WITH_AMX)
        self.render = getattr(suite, "render", as_table)
        by_case = "done" in inspect.signature(suite.run).parameters
        only = f"-{options.only}" if options.only and not by_case else ""
        self.stem = f"{datetime.date.today():%Y-%m-%d}-{options.suite}{only}-{self.machine['slug']}"
        self.rows: list[dict[str, Any]] = []
        if by_case and options.only:
            self.rows = self._earlier()

    def _earlier(self) -> list[dict[str, Any]]:
        """The rows of the same day: a case that is measured again replaces its row."""
        path = RESULTS / f"{self.stem}.json"
        rows = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else []
        return [row for row in rows if "case" in row]

    def add(self, row: dict[str, Any]) -> None:
        row["commit"] = self.machine["commit"]
        for number, earlier in enumerate(self.rows):
            if earlier["case"] == row["case"]:
                self.rows[number] = row
                break
        else:
            self.rows.append(row)
        self.write()

    def write(self) -> None:
        RESULTS.mkdir(exist_ok=True)
        document = {
            "suite": self.options["suite"],
            "options": self.options,
            "machine": self.machine,
            "rows": self.rows,
        }
        facts = ", ".join(f"{key} {value}" for key, value in self.machine.items() if key != "slug")
        page = f"# {self.options['suite']}, {facts}\n\n{self.render(self.rows)}\n"
        for ending, text in ((".json", json.dumps(document, indent=1) + "\n"), (".md", page)):
            new = RESULTS / f".{self.stem}{ending}.new"
            new.write_text(text, encoding="utf-8")
            os.replace(new, RESULTS / f"{self.stem}{ending}")


def machine_facts(*, amx: bool = False) -> dict[str, Any]:
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
    cores, done = os.cpu_count(), _amx() if amx else {}
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
        cwd=HERE,
    ).stdout.strip()
    return {
        "slug": f"{cores}cores"
        + ("" if device == "no accelerator" else "-" + device.replace(" ", "-").lower())
        + ("-amx" if "repaired" in done.get("AMX", "") else "")
        + ("-amd" if processor_vendor() == "AuthenticAMD" else ""),
        "cpu": cpu,
        "cores": cores,
        "device": device,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "commit": commit,
        **done,
    }


def _amx() -> dict[str, str]:
    """What was done about AMX for everyone, where a virtual machine hides half of it."""
    import amx

    found = amx.said()
    return {"AMX": found} if found else {}


if __name__ == "__main__":
    main()
