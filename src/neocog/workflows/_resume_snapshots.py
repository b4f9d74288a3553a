"""The snapshots of a run, phase by phase, and who takes a signal when."""

from __future__ import annotations

import shutil
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from neocog.core import check_int
from neocog.exceptions import ArgumentError, message
from neocog.files import snapshots_in
from neocog.training import Every, Hook, Interrupts, Snapshots
from neocog.training._snapshot import Position
from neocog.training._snapshots import parse_every
from neocog.workflows._events import Reporter, Resumed, Warned

SNAPSHOTS = "snapshots"


def check_every(every: str) -> Every:
    """Return how often `--every` means.

    Raises:
        ArgumentError: it is no time, no steps and no epochs.
    """
    if isinstance(every, str) and every.strip().isdigit():
        return Every(steps=check_int("--every", "every", int(every), minimum=1))
    try:
        return parse_every(every)
    except ArgumentError as error:
        expected = "a time (5min, 30s), steps (100steps) or epochs (1epochs)"
        raise ArgumentError(message("--every", expected=expected, got=repr(every))) from error


class PhaseSnapshots(Snapshots):
    """The snapshots of one phase; what they have to say goes to the run's reporter."""

    def __init__(self, folder: Path, every: str, report: Reporter, phase: str) -> None:
        super().__init__(folder, check_every(every), tell=lambda text: report(Warned(text=text)))
        self._report, self._phase = report, phase

    def tell_place(self, position: Position, epochs: int) -> None:
        """Tell where the phase goes on."""
        place = {"epoch": position.epoch + 1, "epochs": epochs, "step": position.step + 1}
        self._report(Resumed(phase=self._phase, finished=position.finished, **place))

    def _settle(self) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            super()._settle()
        for warning in caught:
            self._report(Warned(text=str(warning.message)))


class KeepSnapshots(Hook):
    """Gives `fit` the snapshots of a phase.

    Args:
        folder: of the run.
        every: how often, as in `check_every`.
        report: told where a phase goes on, and what went wrong.
        phase: its name, and that of its folder; empty for the only one.
    """

    state_is_needed = False

    def __init__(self, folder: Path, every: str, report: Reporter, phase: str = "") -> None:
        self.folder = folder / SNAPSHOTS / phase
        self._every, self._report, self._phase = every, report, phase

    def new_snapshots(self) -> Snapshots:
        """Return what takes the snapshots; `fit` asks for it."""
        return PhaseSnapshots(self.folder, self._every, self._report, self._phase)


def has_snapshots(folder: Path) -> bool:
    """Whether a run has any snapshot, of any phase."""
    below = folder / SNAPSHOTS
    if not below.is_dir():
        return False
    phases = [entry for entry in below.iterdir() if entry.is_dir()]
    return any(snapshots_in(place) for place in (below, *phases))


def remove_snapshots(folder: Path) -> None:
    """Take the snapshots of a run away."""
    shutil.rmtree(folder / SNAPSHOTS, ignore_errors=True)


# --- signals ------------------------------------------------------------------------------------------------


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signal.SIGTERM)


@contextmanager
def leaving_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end the process with code 143 inside the block, cleaning up on the way."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    if before is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        if before is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def fit_takes_signals() -> Iterator[None]:
    """Put the handlers of a run aside inside the block: `fit` has its own, which take a snapshot first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    aside: dict[int, Any] = {}
    defaults: tuple[tuple[int, Any], ...] = (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGTERM, signal.SIG_DFL),
    )
    for number, default in defaults:
        handler = signal.getsignal(number)
        if handler is _leave or isinstance(getattr(handler, "__self__", None), Interrupts):
            aside[number] = handler
            signal.signal(number, default)
    try:
        yield
    finally:
        for number, handler in aside.items():
            with suppress(ValueError, OSError):
                signal.signal(number, handler)
