"""What a search tells while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from neocog.workflows._events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchStarted(Event):
    """The study is open and the first trial begins.

    Attributes:
        folder: of the study.
        trials: asked for in all.
        done: of them, that were there already.
        metric: that is compared, on the validation images.
        space: (setting, its values in words).
        workers: process numbers of the workers; empty where this process works alone.
    """

    folder: str
    trials: int
    done: int
    metric: str
    space: tuple[tuple[str, str], ...]
    workers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialEpoch(Event):
    """An epoch of a trial of this process is done.

    Attributes:
        number: of the trial, from 1.
        epoch, epochs: done, and at most.
        score: after it.
    """

    number: int
    epoch: int
    epochs: int
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialDone(Event):
    """A trial counts.

    Attributes:
        number: of the trial, from 1.
        trials, done: asked for, and done with this one.
        level: its budget in words.
        state: see `TrialRow`.
        score: on the validation images; None where there is none.
        params: its settings.
        seconds: that it took.
        best: best score so far at the budget that the trial had; None where there is none.
        seconds_left: until all are done; None where nothing is known.
    """

    number: int
    trials: int
    done: int
    level: str
    state: str
    score: float | None
    params: Mapping[str, float | int | str]
    seconds: float
    best: float | None
    seconds_left: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WinnerStarted(Event):
    """The winner is trained in full, with the settings of the trial `number`, into `folder`."""

    number: int
    folder: str
    params: Mapping[str, float | int | str]
