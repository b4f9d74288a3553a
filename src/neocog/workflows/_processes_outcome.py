"""What the processes of one training tell the one that started them: files in a folder of their own."""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LOOK = 0.25  # seconds between two looks
_GRACE = 10.0  # seconds that a process has for ending by itself once another has told the outcome


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How it ended: an exit code, and a line for the user where something was wrong."""

    code: int
    text: str = ""


class Board:
    """The folder by which the processes and the one that started them know of one another.

    Args:
        folder: where; new for every start.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def tell(self, outcome: Outcome) -> None:
        """Tell how it ended; whoever comes first is heard."""
        temporary = self.folder / f"outcome-{os.getpid()}"
        temporary.write_text(json.dumps({"code": outcome.code, "text": outcome.text}), encoding="utf-8")
        with suppress(OSError):
            os.link(temporary, self.folder / "outcome")
        temporary.unlink(missing_ok=True)

    def outcome(self) -> Outcome | None:
        """Return how it ended; None while it has not."""
        try:
            found = json.loads((self.folder / "outcome").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return Outcome(code=int(found["code"]), text=str(found["text"]))

    def complain(self, text: str, rank: int) -> None:
        """Note a fault that may be over when all start again."""
        with open(self.folder / "faults", "a", encoding="utf-8") as file:
            file.write(json.dumps([rank, text]) + "\n")

    def faults(self) -> list[str]:
        """Return what the processes complained of, the first first."""
        try:
            lines = (self.folder / "faults").read_text(encoding="utf-8").splitlines()
            return [str(json.loads(line)[1]) for line in lines]
        except (OSError, ValueError):
            return []

    def ask_to_end(self) -> None:
        """Note that SIGTERM is on its way: processes that it ends are not to start again."""
        (self.folder / "asked").touch()

    @property
    def asked_to_end(self) -> bool:
        """Whether SIGTERM was sent to all."""
        return (self.folder / "asked").exists()

    def enter(self) -> None:
        """Note this process's number, for signals that are passed on."""
        (self.folder / f"process-{os.getpid()}").touch()

    def inside(self) -> list[int]:
        """Return the numbers of all processes that ever entered."""
        return [int(path.name.partition("-")[2]) for path in self.folder.glob("process-*")]

    def watch(self, parent: int) -> None:
        """End this process when the one that started it is gone, or soon after another told the outcome."""
        threading.Thread(target=self._watch, args=(parent,), daemon=True, name="neocog-watch").start()

    def _watch(self, parent: int) -> None:
        since: float | None = None
        while True:
            time.sleep(_LOOK)
            if os.getppid() != parent:
                os._exit(1)  # nobody is left to look after this process; the last snapshot is there
            if since is None and self.outcome() is not None:
                since = time.monotonic()
            if since is not None and time.monotonic() - since > _GRACE:
                os._exit(0)
