"""What a workflow tells while it runs: plain values, so that a terminal and a web page can both show them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of everything that a workflow tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Event):
    """Images are being read, or go through a base (`what`): `done` of `total`."""

    done: int
    total: int
    what: str = "reading images"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataReady(Event):
    """The data are read and split.

    Attributes:
        name: as in titles.
        class_names: in the order of the labels.
        counts: images a part.
        image_shape: height, width, channels.
        broken: (file, reason) of the images that are left out.
        task: one of `neocog.data.TASKS`.
    """

    name: str
    class_names: tuple[str, ...]
    counts: Mapping[str, int]
    image_shape: tuple[int, int, int]
    broken: tuple[tuple[str, str], ...] = ()
    task: str = "single-label"


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned(Event):
    """Something that the user should know and that stops nothing."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingStarted(Event):
    """The model is ready and the first epoch begins.

    Attributes:
        model: its name in the table of models.
        parameters: number of weights.
        epochs: most epochs; training may stop earlier.
        steps: batches an epoch.
        plan: how it runs, in one line.
        folder: of the run.
    """

    model: str
    parameters: int
    epochs: int
    steps: int
    plan: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsDone(Event):
    """`step` of `steps` batches of an epoch are done; told a few times a second.

    Attributes:
        epoch: from 1.
        values: loss and metrics of the epoch so far.
        seconds_left: until all epochs are done; None before the first batch.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    values: Mapping[str, float] = field(default_factory=dict)
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochDone(Event):
    """An epoch and its validation are done.

    Attributes:
        epoch: from 1.
        values: loss and metrics, those of the validation with `val_`.
        seconds: that the epoch took.
        best: whether its validation loss is the lowest so far.
    """

    epoch: int
    epochs: int
    values: Mapping[str, float]
    seconds: float
    best: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Featured(Event):
    """The features of the training and validation images are there.

    Attributes:
        images: their number.
        seconds: that the base took.
        base: its name.
        cached: whether an earlier run had computed them.
        advice: how much of the base to train, in words.
    """

    images: int
    seconds: float
    base: str
    cached: bool
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseDone(Event):
    """A phase of a training on a pretrained base is done and measured.

    Attributes:
        title: what it was.
        headline: name of the metric.
        validation, test: its values; None where there is none.
        epochs: that were trained.
        seconds: that they took.
    """

    title: str
    headline: str
    validation: float | None
    test: float | None
    epochs: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted(Event):
    """Ctrl-C stopped the training; what is there is evaluated and kept.

    Attributes:
        epoch: number of whole epochs.
    """

    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(Event):
    """A training goes on from a snapshot.

    Attributes:
        phase: `"head"` or `"top"` on a pretrained base, else empty.
        finished: whether this phase was complete, so that nothing of it is repeated.
        epoch, epochs, step: where it goes on, each from 1.
    """

    phase: str
    finished: bool
    epoch: int
    epochs: int
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished(Event):
    """The process leaves a run that `resume` can finish."""

    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete(Event):
    """There is nothing to resume: the run is complete."""

    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluating(Event):
    """`count` images of the part `part` are being classified."""

    part: str
    count: int


Reporter = Callable[[Event], None]


def silent(event: Event) -> None:
    """Tell nobody."""
