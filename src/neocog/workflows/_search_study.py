"""The trials of a study in its folder: claimed once, counted once, run again when their worker dies.

Optuna keeps them in an SQLite file: a writer that is killed leaves it whole (its journal of JSON lines would
be damaged by half a line), several processes may write, and nothing in it is pickled. Which trial runs next
is decided here, under one lock: every trial has a place (`slot`), which is taken, open or done.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neocog.core import file_lock, optional_import
from neocog.exceptions import FileFormatError, message
from neocog.workflows._search_alive import Presence
from neocog.workflows._search_plan import FULL, Done, given_params, is_default, is_left, level_of
from neocog.workflows._search_space import Space, Value

DATABASE, LOCK = "study.db", "study.lock"
NAME = "neocog"
ATTEMPTS = 3  # times that a trial may take its worker with it
STARTUP = 8  # trials that are drawn before Optuna learns from them
COMPLETE, PRUNED, DIVERGED, NO_MEMORY, KILLED = (
    "complete", "pruned", "diverged", "out of memory", "ended its worker"
)  # fmt: skip
RETURNED = "returned"
_SLOT, _LEVEL, _WORKER, _OUTCOME, _FACTS = "slot", "level", "worker", "outcome", "facts"


class TakenAwayError(Exception):
    """Another worker has taken this trial over; what comes of it here does not count."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A trial that counts.

    Attributes:
        number: from 1, in the order of the plan.
        level: its budget, 0 to 2.
        state: `"complete"`, `"pruned"`, `"diverged"`, `"out of memory"` or `"ended its worker"`.
        score: on the validation images; None where there is none.
        params: its settings.
        epochs: that were trained.
        seconds: that it took.
        loss: on the validation images.
        parameters: of the network.
        attempts: times that it was begun.
        is_default: whether its settings are the recipe's.
        scores: by epoch.
    """

    number: int
    level: int
    state: str
    score: float | None
    params: Mapping[str, Value]
    epochs: int
    seconds: float
    loss: float | None
    parameters: int
    attempts: int
    is_default: bool
    scores: Mapping[int, float]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**vars(self), "params": dict(self.params), "scores": dict(self.scores)}

    @property
    def done(self) -> Done:
        """What planning needs; a trial that was left early has no score to be ranked by."""
        score = self.score if self.state == COMPLETE else None
        loss = float("inf") if self.loss is None else self.loss
        return Done(slot=self.number - 1, level=self.level, params=self.params, score=score, loss=loss)


def _look_into(path: Path) -> None:
    """Raise sqlite3.DatabaseError for a file that is no database: SQLAlchemy would not close it again."""
    with closing(sqlite3.connect(path, timeout=60)) as connection:
        connection.execute("PRAGMA schema_version")


class Study:
    """The study of a folder, made where there is none.

    Args:
        folder: of the study; exists.
        space: what is searched.
        planned: trials that the levels were laid out for.
        seed: of what is drawn.

    Raises:
        MissingExtraError: Optuna is not installed.
        FileFormatError: the file of the trials is damaged.
    """

    def __init__(self, folder: Path, space: Space, planned: int, seed: int) -> None:
        self.optuna = optional_import("optuna", extra="search", what="neocog search")
        self.sqlalchemy = optional_import("sqlalchemy", extra="search", what="neocog search")
        self.optuna.logging.set_verbosity(self.optuna.logging.ERROR)
        self.folder, self.space, self.planned, self.seed = folder, space, planned, seed
        with file_lock(folder / LOCK):
            self.study: Any = self._guarded(self._open)

    def _open(self) -> Any:
        path = self.folder / DATABASE
        _look_into(path)
        # No pool: what is kept open is closed by nobody, and opening a file takes a tenth of a millisecond.
        settings = {"connect_args": {"timeout": 60}, "poolclass": self.sqlalchemy.pool.NullPool}
        storage = self.optuna.storages.RDBStorage(f"sqlite:///{path.as_posix()}", engine_kwargs=settings)
        return self.optuna.create_study(
            storage=storage,
            study_name=NAME,
            direction="maximize",
            load_if_exists=True,
            pruner=_pruner(self.optuna),
        )

    def _guarded(self, work: Callable[[], Any]) -> Any:
        storage_error = self.optuna.exceptions.StorageInternalError
        errors = (sqlite3.DatabaseError, self.sqlalchemy.exc.DatabaseError, storage_error)
        try:
            return work()
        except errors as error:
            text = str(getattr(error, "orig", None) or error).splitlines()[0]
            if "full" in text or "readonly" in text or "locked" in text:
                raise OSError(0, text, str(self.folder / DATABASE)) from error
            do = "Move the folder away and search again."
            where = str(self.folder / DATABASE)
            raise FileFormatError(
                message(where, expected="the trials of a study", got=text, do=do)
            ) from error

    def claim(self, trials: int, presence: Presence) -> Any:
        """Return the next trial to run, or None where none is open; those of dead workers are open again."""
        with file_lock(self.folder / LOCK):
            return self._guarded(lambda: self._claimed(trials, presence))

    def _claimed(self, trials: int, presence: Presence) -> Any:
        found = self._trials()
        if self._take_back(found, presence):
            found = self._trials()
        if not any(trial.state.name == "WAITING" for trial in found):
            slot = self._open_slot(found, trials)
            if slot is None:
                return None
            self._enqueue(found, slot)
        self.study.sampler = self._sampler(found)
        trial = self.study.ask()
        trial.set_user_attr(_WORKER, presence.name)
        for axis in self.space:
            axis.suggest(trial)
        return trial

    def _take_back(self, found: Sequence[Any], presence: Presence) -> bool:
        """End the trials whose worker is dead, so that their places are open; whoever comes first does it."""
        changed = False
        for trial in found:
            if trial.state.name != "RUNNING" or presence.is_alive(trial.user_attrs.get(_WORKER, "")):
                continue
            earlier = [t for t in found if _slot(t) == _slot(trial) and _was_killed(t)]
            state = self.optuna.trial.TrialState.FAIL
            with suppress(self.optuna.exceptions.UpdateFinishedTrialError, ValueError):
                if len(earlier) + 1 >= ATTEMPTS:
                    state = self.optuna.trial.TrialState.PRUNED
                self.study.tell(trial.number, state=state)
                changed = True
        return changed

    def _open_slot(self, found: Sequence[Any], trials: int) -> int | None:
        taken = {_slot(trial) for trial in found if trial.state.name != "FAIL"}
        return next((slot for slot in range(trials) if slot not in taken), None)

    def _enqueue(self, found: Sequence[Any], slot: int) -> None:
        lost = [trial for trial in found if _slot(trial) == slot]
        level = level_of(slot, self.planned) if slot < self.planned else FULL
        if lost:  # the same settings again, as far as they were known
            params = {**lost[-1].system_attrs.get("fixed_params", {}), **lost[-1].params}
        else:
            done = [row.done for row in self._rows(found)]
            begun = [t.params for t in found if t.state.name != "FAIL" and t.user_attrs[_LEVEL] == level]
            params = given_params(self.space, slot, self.planned, self.seed, done, begun)
        self.study.enqueue_trial(params, user_attrs={_SLOT: slot, _LEVEL: level})

    def _sampler(self, found: Sequence[Any]) -> Any:
        """Return Optuna's sampler, seeded for each trial, so that a study that goes on draws the same."""
        count = len({_slot(trial) for trial in found if trial.state.name != "FAIL"})
        digest = hashlib.sha256(f"{self.seed} {count}".encode()).digest()
        seed = int.from_bytes(digest[:4], "big")
        return self.optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP)

    def report(self, trial: Any, score: float, epoch: int) -> bool:
        """Note the score of an epoch; return whether the trial should be left."""
        with self._still_ours():
            trial.report(score, epoch)
            is_worse = bool(trial.should_prune())
        return is_worse and not self.is_kept(trial)

    def note_epochs(self, trial: Any, epochs: int) -> None:
        """Note how many epochs a trial will have at most: rungs are shares of that."""
        with self._still_ours():
            trial.set_user_attr("epochs", epochs)

    def is_kept(self, trial: Any) -> bool:
        """Whether a trial is trained to its end whatever its score: the recipe's settings, the base line."""
        slot = int(trial.user_attrs[_SLOT])
        return slot < self.planned and is_default(slot, self.planned)

    def finish(self, trial: Any, outcome: str, score: float | None, facts: Mapping[str, Any]) -> None:
        """Count a trial.

        Raises:
            TakenAwayError: another worker took it over meanwhile; it counts there.
        """
        state = self.optuna.trial.TrialState
        with self._still_ours():
            trial.set_user_attr(_FACTS, {**facts, "score": score})
            trial.set_user_attr(_OUTCOME, outcome)
            if outcome == COMPLETE and score is not None:
                self.study.tell(trial, score)
            else:
                self.study.tell(trial, state=state.PRUNED)

    def give_back(self, trial: Any) -> None:
        """Return a trial to the queue."""
        with suppress(TakenAwayError), self._still_ours():
            trial.set_user_attr(_OUTCOME, RETURNED)
            self.study.tell(trial, state=self.optuna.trial.TrialState.FAIL)

    def _still_ours(self) -> Any:
        return _Ours(self.optuna)

    def rows(self) -> list[Row]:
        """Return the trials that count, by number."""
        rows: list[Row] = self._guarded(lambda: self._rows(self._trials()))
        return rows

    def running(self, trials: int) -> int:
        """Return how many of the first so many trials are under way."""
        return sum(trial.state.name == "RUNNING" and _slot(trial) < trials for trial in self._trials())

    def _trials(self) -> list[Any]:
        return list(self.study.get_trials(deepcopy=False))

    def _rows(self, found: Sequence[Any]) -> list[Row]:
        attempts: dict[int, int] = {}
        for trial in found:
            attempts[_slot(trial)] = attempts.get(_slot(trial), 0) + 1
        rows = [
            self._row(trial, attempts[_slot(trial)])
            for trial in found
            if trial.state.name in ("COMPLETE", "PRUNED")
        ]
        return sorted(rows, key=lambda row: row.number)

    def _row(self, trial: Any, attempts: int) -> Row:
        slot = _slot(trial)
        facts = trial.user_attrs.get(_FACTS, {})
        return Row(
            number=slot + 1,
            level=int(trial.user_attrs.get(_LEVEL, 0)),
            state=str(trial.user_attrs.get(_OUTCOME, KILLED)),
            score=facts.get("score"),
            params={a.name: trial.params[a.name] for a in self.space if a.name in trial.params},
            epochs=int(facts.get("epochs", len(trial.intermediate_values))),
            seconds=float(facts.get("seconds", 0.0)),
            loss=facts.get("loss"),
            parameters=int(facts.get("parameters", 0)),
            attempts=attempts,
            is_default=slot < self.planned and is_default(slot, self.planned),
            scores=dict(trial.intermediate_values),
        )


class _Ours:
    """Turns the errors of a trial that is no longer ours into `TakenAwayError`."""

    def __init__(self, optuna: Any) -> None:
        self._errors = (optuna.exceptions.UpdateFinishedTrialError, ValueError)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, self._errors):
            raise TakenAwayError from error


def _slot(trial: Any) -> int:
    return int(trial.user_attrs.get(_SLOT, -1))


def _was_killed(trial: Any) -> bool:
    return bool(trial.state.name == "FAIL" and trial.user_attrs.get(_OUTCOME) != RETURNED)


def _pruner(optuna: Any) -> Any:
    """Return a pruner for Optuna: successive halving among the trials of one budget."""

    class Halving(optuna.pruners.BasePruner):  # type: ignore[misc]
        def prune(self, study: Any, trial: Any) -> bool:
            level = trial.user_attrs.get(_LEVEL)
            most = int(trial.user_attrs.get("epochs", 0))
            rivals = [
                (other.intermediate_values, int(other.user_attrs["epochs"]))
                for other in study.get_trials(deepcopy=False)
                if other.number != trial.number
                and other.user_attrs.get(_LEVEL) == level
                and other.state.name in ("COMPLETE", "PRUNED", "RUNNING")
                and other.intermediate_values
                and "epochs" in other.user_attrs
            ]
            return is_left(dict(trial.intermediate_values), most, rivals)

    return Halving()
