"""When snapshots are taken, by whom they are written, and which of them a run begins with."""

from __future__ import annotations

import os
import re
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any

from neocog.core import check_int
from neocog.exceptions import ArgumentError, ArgumentTypeError, FileFormatError, StorageError, message
from neocog.files import (
    check_storable,
    read_snapshot,
    remove_unfinished,
    snapshots_in,
    steps_of_snapshot,
    write_snapshot,
)
from neocog.training._graphs import is_known
from neocog.training._sharded import Sharded
from neocog.training._sharded_files import check_shares, remove_shares, write_shares
from neocog.training._snapshot import Position, Scene, capture, capture_passing
from neocog.training._world import ALONE, World, any_of, same_everywhere

KEPT = 2  # snapshots that stay: the newest, and the one before in case that is damaged
AGREED = 10  # quick steps after which several processes agree on whether to take one
_SLOW = 0.02  # seconds a step from which they agree after each: a hundredth of that, at most
_MOST_SHARE = 0.01  # of the time that snapshots by the clock may take away from training
_SECONDS = {"s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600}
_EVERY = re.compile(r"\s*(\d+(?:\.\d+)?)?\s*([a-z]+?)s?\s*")


@dataclass(frozen=True, kw_only=True)
class Every:
    """How often: by the clock, by steps, or by epochs; one of the three."""

    seconds: float | None = None
    steps: int | None = None
    epochs: int | None = None


def parse_every(every: Any) -> Every:
    """Return how often `"5min"`, `"30s"`, `"2 hours"`, `100`, `"100 steps"`, `"epoch"`, `"3 epochs"` mean.

    Raises:
        ArgumentError: anything else.
    """
    if isinstance(every, Integral) and not isinstance(every, bool):
        return Every(steps=check_int("fit(snapshots=…)", "every", every, minimum=1))
    found = _EVERY.fullmatch(every.lower()) if isinstance(every, str) else None
    number, unit = (float(found[1] or 1), found[2]) if found else (0.0, "")
    if unit in _SECONDS and number > 0:
        return Every(seconds=number * _SECONDS[unit])
    if unit in ("step", "batch", "epoch") and number >= 1 and number == int(number):
        return Every(epochs=int(number)) if unit == "epoch" else Every(steps=int(number))
    expected = 'every as a time ("5min", "30s"), steps (100, "100 steps") or epochs ("epoch", "2 epochs")'
    raise ArgumentError(message("fit(snapshots=…)", expected=expected, got=repr(every)))


class Snapshots:
    """Takes the snapshots of one run: copies the state between two steps, and writes it beside the training.

    A disk that is full or cannot be written to costs no run: one warning, the last good snapshot stays.

    Args:
        folder: where they lie; of one run alone.
        every: see `parse_every`; an `Every` with nothing in it takes snapshots at signals alone.
        keeps_end: take one of the end of the run too, by which a later call knows that nothing is left to do.
        tell: called with a line for the user when a run goes on or a snapshot is passed over.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        every: Any = "5min",
        *,
        keeps_end: bool = True,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        if not isinstance(folder, (str, os.PathLike)):
            expected = "the path of a folder to keep them in"
            raise ArgumentTypeError(message("fit(snapshots=…)", expected=expected, got=repr(folder)))
        if not os.fspath(folder):
            raise ArgumentError(message("fit(snapshots=…)", expected="a folder", got="an empty name"))
        self.folder = Path(folder).expanduser()
        self.every = every if isinstance(every, Every) else parse_every(every)
        self.keeps_end = keeps_end
        self.tell = tell or _nobody
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="neocog-snapshot")
        self._writing: Future[None] | None = None
        self._last = time.monotonic()
        self._cost = 0.0  # seconds that the last snapshot kept the training waiting
        self._since = 0  # steps since the last one
        self._warned = False
        self._passing: dict[str, Any] | None = None  # what a validation under way changes, as it was before
        self._whole: dict[str, Any] | None = None  # everything, where callbacks change more than it does
        self._damaged: list[Path] = []  # newer than the one that the run began with
        self._turns = 0  # at which the processes could have agreed; the next one at which they do
        self._next = 1
        self._agreed = time.monotonic(), 0  # when they last did, and at which turn

    def newest(self, world: World = ALONE) -> Mapping[str, Any] | None:
        """Return the newest state that can be read, or None where there is no snapshot.

        Of several processes the first one reads, and all get what it found.

        Raises:
            FileFormatError: there are snapshots, and not one of them can be read.
        """
        state, fault = self._read() if world.leads else (None, None)
        state, fault = same_everywhere((state, fault), world)
        if fault is not None:
            got = f"damaged ones only ({fault})"
            do = "Choose another folder, or remove the files, to train anew."
            raise FileFormatError(message(str(self.folder), expected="a snapshot", got=got, do=do))
        found: Mapping[str, Any] | None = state
        return found

    def _read(self) -> tuple[Mapping[str, Any] | None, str | None]:
        """Return the newest state that can be read, or what is wrong with all that are there."""
        faults: list[str] = []
        for path in snapshots_in(self.folder):
            try:
                state: Mapping[str, Any] = read_snapshot(path)
                if "shares" in state:
                    check_shares(self.folder, state["shares"])
            except (FileFormatError, OSError) as error:
                faults.append(str(error))
                self._damaged.append(path)
                continue
            for fault in faults:
                self.tell(f"a damaged snapshot was passed over: {fault}")
            return state, None
        return None, faults[0] if faults else None

    def tell_place(self, position: Position, epochs: int) -> None:
        """Tell the user where the run goes on."""
        if position.finished:
            self.tell(f"{self.folder}: this training is complete, nothing is left to do.")
        else:
            at = f", step {position.step + 1}" if position.step else ""
            self.tell(f"{self.folder}: goes on at epoch {position.epoch + 1}/{epochs}{at}.")

    # --- in the loop ----------------------------------------------------------------------------------------

    def begin(self, scene: Scene) -> None:
        """Take the first snapshot of a new run, so that it repeats even if it is stopped before the next."""
        self._last = time.monotonic()
        if scene.world.leads:
            remove_unfinished(self.folder)
        if scene.position.steps == 0 and self.every != Every():
            self.take(scene)

    def after_step(self, scene: Scene, asked: bool, *, told: bool = True) -> bool:
        """Take a snapshot where one is due, or where `asked` says that the run is to end.

        Returns whether it is to end. Several processes agree on that, and on the clock, every few steps.
        A step of which callbacks have yet to be `told`, with those that follow, waits for them.
        """
        self._since += 1
        if not told:
            return False
        due = self._due()
        if not scene.world.alone:
            agreed, asked = self._agree(due, asked, scene.world)
            due = agreed if self.every.seconds is not None else due
        if due or asked:
            self.take(scene, wait=asked)
        return asked

    def after_batch(self, scene: Scene, asked: bool) -> bool:
        """Take a last snapshot within a validation where the run is to end; return whether it is."""
        if not scene.world.alone:
            _, asked = self._agree(False, asked, scene.world)
        if asked:
            self.take(scene, wait=True)
        return asked

    def _agree(self, due: bool, asked: bool, world: World) -> tuple[bool, bool]:
        """Return what any process wishes, where they ask each other: after slow steps, a few quick ones."""
        self._turns += 1
        if self._turns < self._next:
            return False, False
        since, turn = self._agreed
        slow = time.monotonic() - since > _SLOW * (self._turns - turn)
        due, asked, slow = any_of((due, asked, slow), world)
        self._next = self._turns + (1 if slow else AGREED)
        self._agreed = time.monotonic(), self._turns
        return due, asked

    def after_epoch(self, scene: Scene, asked: bool) -> bool:
        """Take a snapshot where one is due between two epochs; return whether the run is to end."""
        due, asked = any_of((bool(self._since) and self._due(), asked), scene.world)
        count = self.every.epochs
        if due or asked or (count and scene.position.epoch % count == 0):
            self.take(scene, wait=asked)
        return asked

    def before_validation(self, scene: Scene) -> None:
        """Keep what the validation will change, for a snapshot that is asked for while it runs."""
        if any(map(_may_move_weights, _listeners_of_tests(scene.hooks))):
            self._whole = capture(scene)
        else:
            self._passing = capture_passing(scene)

    def after_validation(self) -> None:
        """Forget what `before_validation` kept."""
        self._passing = self._whole = None

    def take(self, scene: Scene, *, wait: bool = False) -> None:
        """Copy the state now and write it in the background; with `wait`, return when it is on the disk."""
        began = time.monotonic()
        self._settle()
        state = self._whole or capture(scene, self._passing)
        if scene.position.steps == 0:
            check_storable(state, "snapshot")  # before anything is trained that could be lost
        sharded = scene.model.training_state.sharded
        if sharded is not None and not self._keep_shares(scene, state, sharded):
            return
        if scene.world.leads:
            self._writing = self._writer.submit(self._write, scene.position.steps, state)
        if wait:
            self._settle()
        self._since = 0
        self._last = time.monotonic()
        self._cost = self._last - began

    def _keep_shares(self, scene: Scene, state: dict[str, Any], sharded: Sharded) -> bool:
        """Write the shares of all processes, before the snapshot that counts on them."""
        try:
            state["shares"] = write_shares(self.folder, scene.position.steps, sharded, scene.world)
        except StorageError as error:
            self._warn(error)
            return False
        return True

    def end(self, scene: Scene) -> None:
        """Keep the end of the run, as it is before callbacks and averages change the weights."""
        if not scene.position.finished and self.keeps_end:
            scene.position.finished = True
            self.take(scene)

    def close(self) -> None:
        """Wait until everything is written."""
        self._settle()
        self._writer.shutdown(wait=True)

    def _due(self) -> bool:
        if self.every.steps is not None:
            return self._since >= self.every.steps
        if self.every.seconds is None:
            return False
        if self._writing is not None and not self._writing.done():
            return False
        return time.monotonic() - self._last >= max(self.every.seconds, self._cost / _MOST_SHARE)

    # --- in the background ----------------------------------------------------------------------------------

    def _write(self, steps: int, state: Any) -> None:
        write_snapshot(self.folder, steps, state)
        while self._damaged:  # a good one takes their place
            self._damaged.pop().unlink(missing_ok=True)
        for old in snapshots_in(self.folder)[KEPT:]:
            old.unlink(missing_ok=True)
        if "shares" in state:
            remove_shares(self.folder, {steps_of_snapshot(path) for path in snapshots_in(self.folder)})

    def _settle(self) -> None:
        """Wait for the snapshot that is being written; a disk that fails is told once.

        So is something that no snapshot can hold, put into the state since the first one was taken.
        """
        writing, self._writing = self._writing, None
        if writing is None:
            return
        try:
            writing.result()
            self._warned = False
        except (StorageError, OSError, ArgumentTypeError) as error:
            self._warn(error)

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            text = f"no snapshot could be written, training goes on without: {error}"
            warnings.warn(text, UserWarning, stacklevel=3)


def _listeners_of_tests(hooks: Any) -> list[Any]:
    """Return whose verbs are called around a validation and its batches."""
    verbs = [f"on_test{part}_{when}" for part in ("", "_batch") for when in ("begin", "end")]
    return [getattr(call, "__self__", call) for verb in verbs for call in hooks.calls(verb)]


def _may_move_weights(listener: Any) -> bool:
    """Whether a callback could change the model around a validation: one of the user's, or one that does."""
    return bool(getattr(listener, "moves_weights", False)) or not is_known(listener)


def _nobody(text: str) -> None:
    """Tell nobody."""
