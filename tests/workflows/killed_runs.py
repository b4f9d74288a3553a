"""A process that trains and is killed with SIGKILL at chosen moments: `python killed_runs.py CASES.json`.

All modules are loaded once; each case is a process of its own, forked before torch computes anything.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from blank import DRAWING, draw_blank
from safetensors import torch as safetensors_torch

from neocog.training import Hook
from neocog.workflows import Event, TrainConfig, _train_job, train
from neocog.workflows._run_folder import RunFolder


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class At(Hook):
    """Kills at the n-th call of a verb."""

    def __init__(self, verb: str, number: int) -> None:
        self.left = number
        setattr(self, verb, self._called)

    def listens(self, verb: str) -> bool:
        return verb in vars(self)

    def _called(self, *details: Any) -> None:
        self.left -= 1
        if self.left == 0:
            die()


def at_event(kind: str, number: int) -> Callable[[Event], None]:
    """Return a reporter that kills at the n-th event of a class."""
    left = [number]

    def report(event: Event) -> None:
        if type(event).__name__ == kind:
            left[0] -= 1
            if left[0] == 0:
                die()

    return report


def before_file(name: str) -> None:
    """Kill when a file of the run is about to be written."""
    write = RunFolder.write_text

    def killing(self: RunFolder, file: str, text: str) -> None:
        if file == name:
            die()
        write(self, file, text)

    RunFolder.write_text = killing  # type: ignore[method-assign]


def in_snapshot(number: int) -> None:
    """Kill in the middle of writing the n-th snapshot."""
    write, left = safetensors_torch.save_file, [number]

    def killing(tensors: Any, path: Any, metadata: Any = None) -> None:
        write(tensors, path, metadata=metadata)
        left[0] -= 1
        if left[0] == 0:
            os.truncate(path, os.path.getsize(path) // 2)
            die()

    safetensors_torch.save_file = killing


def run(case: dict[str, Any]) -> None:
    """Train as a case says and be killed on the way."""
    kind, name, number = case["moment"]
    options = {**case["config"]}
    if isinstance(options.get("image_size"), list):
        options["image_size"] = tuple(options["image_size"])
    hooks: tuple[Hook, ...] = ()
    report: Callable[[Event], None] = lambda event: None  # noqa: E731
    if kind == "verb":
        hooks = (At(name, number),)
    elif kind == "event":
        report = at_event(name, number)
    elif kind == "file":
        before_file(name)
    else:
        in_snapshot(number)
    train(TrainConfig(**options), report, hooks)


def main(path: str) -> None:
    """Run all cases and write how each process ended."""
    with open(path, encoding="utf-8") as file:
        cases = json.load(file)
    for name in DRAWING:
        setattr(_train_job, name, draw_blank)
    ended = []
    for case in cases:
        process = os.fork()
        if process == 0:
            try:
                run(case)
            finally:
                os._exit(7)
        ended.append(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
    with open(f"{path}.ended", "w", encoding="utf-8") as file:
        json.dump(ended, file)


if __name__ == "__main__":
    main(sys.argv[1])
