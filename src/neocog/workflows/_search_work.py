"""A worker: takes one trial after another until all count; and the process that is nothing but a worker."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neocog.exceptions import TrainingError
from neocog.training import Interrupts
from neocog.workflows._events import Reporter, silent
from neocog.workflows._search_alive import Presence
from neocog.workflows._search_config import read_settings
from neocog.workflows._search_events import TrialEpoch
from neocog.workflows._search_study import (
    COMPLETE,
    DIVERGED,
    NO_MEMORY,
    PRUNED,
    Study,
    TakenAwayError,
)
from neocog.workflows._search_trial import Images, LeftError, Score, StoppedError, run_trial

_POLL = 0.2  # seconds between two looks where others still work
_AGAIN = 3  # exit code of a worker that was asked to stop


@dataclass(frozen=True, kw_only=True)
class Worker:
    """What takes trials.

    Attributes:
        study: where they are.
        images: the data.
        presence: its sign of life.
        trials: that are to count in the end.
        stopped: whether to give the trial back and end.
        report: told every epoch.
        counted: called when a trial counts, and a few times a second while others work.
    """

    study: Study
    images: Images
    presence: Presence
    trials: int
    stopped: Callable[[], bool]
    report: Reporter = silent
    counted: Callable[[], None] = lambda: None

    def work(self) -> bool:
        """Run trials until none is open and none is under way; return whether it came to that."""
        while not self.stopped():
            trial = self.study.claim(self.trials, self.presence)
            if trial is not None:
                self._run(trial)
            elif self.study.running(self.trials) == 0:
                self.counted()
                return True
            else:
                time.sleep(_POLL)
            self.counted()
        return False

    def _run(self, trial: Any) -> None:
        """Run a trial and count it; a fault that is not the settings' gives it back."""
        try:
            self._counted(trial)
        except TakenAwayError:
            pass
        except StoppedError:
            self.study.give_back(trial)
        except BaseException:
            self.study.give_back(trial)
            raise

    def _counted(self, trial: Any) -> None:
        began, scores = time.perf_counter(), _Scores()
        try:
            found = self._trained(trial, scores)
        except LeftError:
            outcome, found = PRUNED, None
        except TrainingError:
            outcome, found = DIVERGED, None
        except (MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            outcome, found = NO_MEMORY, None
        else:
            outcome = COMPLETE
        facts: dict[str, Any] = {
            "epochs": scores.epoch if found is None else found.epochs,
            "seconds": round(time.perf_counter() - began, 3),
            "loss": None if found is None else found.loss,
            "parameters": scores.parameters,
        }
        score = scores.best if found is None else found.score
        self.study.finish(trial, outcome, score, facts)

    def _trained(self, trial: Any, scores: _Scores) -> Score:
        number = int(trial.user_attrs["slot"]) + 1

        def begun(epochs: int, parameters: int) -> None:
            scores.epochs, scores.parameters = epochs, parameters
            self.study.note_epochs(trial, epochs)

        def told(score: float, epoch: int) -> bool:
            scores.epoch = epoch
            scores.best = score if scores.best is None else max(score, scores.best)
            self.report(TrialEpoch(number=number, epoch=epoch, epochs=scores.epochs, score=score))
            return self.study.report(trial, score, epoch)

        level = int(trial.user_attrs["level"])
        return run_trial(self.images, trial.params, level, told, self.stopped, begun)


@dataclass
class _Scores:
    """What is known of a trial while it runs."""

    best: float | None = None
    epoch: int = 0
    epochs: int = 1
    parameters: int = 0


def _is_out_of_memory(error: BaseException) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text


class _Parent:
    """Knows whether the process that started this one still wants it: it holds the other end of stdin."""

    def __init__(self) -> None:
        self.is_gone = False
        threading.Thread(target=self._watch, name="neocog-parent", daemon=True).start()

    def _watch(self) -> None:
        while os.read(0, 64):
            pass
        self.is_gone = True


def main(arguments: list[str]) -> int:
    """Work on the study of a folder: FOLDER TRIALS SECONDS_LEFT (0 is without end)."""
    folder, trials, seconds = Path(arguments[0]), int(arguments[1]), float(arguments[2])
    parent = _Parent()
    end = time.monotonic() + seconds if seconds else float("inf")
    settings = read_settings(folder)
    if settings is None:
        return 2
    config = settings.train_config
    with Presence(folder) as presence, Interrupts() as interrupts:
        study = Study(folder, settings.space, settings.planned, config.seed)
        images = Images(config)
        worker = Worker(
            study=study,
            images=images,
            presence=presence,
            trials=trials,
            stopped=lambda: parent.is_gone or interrupts.is_asked or time.monotonic() > end,
        )
        return 0 if worker.work() else _AGAIN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
