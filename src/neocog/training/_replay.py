"""The data of a run that goes on: the same batches from the same place."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from neocog.data import Batch, Source
from neocog.exceptions import message
from neocog.training._evaluate import settle_on
from neocog.training._prepare import device_of
from neocog.training._same_run import words_for
from neocog.training._snapshot import Scene, random_state, restore, set_random_state


def resume(scene: Scene, state: Mapping[str, Any], epochs: int, validation_steps: int | None = None) -> None:
    """Put a snapshot back and begin the epoch that was under way, as the callbacks saw it begin.

    Args:
        scene: the run; `on_train_begin` has been called.
        state: what `capture` returned.
        epochs: number of the last epoch; more than those of a finished run let it go on.
        validation_steps: batches of a validation, where they are limited.
    """
    place = state["position"]
    if place["step"] and place["epoch"] < epochs:
        scene.hooks.on_epoch_begin(place["epoch"])
    _settle(scene, state)
    restore(scene, state)
    scene.position.finished = scene.position.finished and scene.position.epoch >= epochs
    if scene.position.steps and not (scene.source.rewindable or scene.source.repeatable):
        _warn_of(scene.source, "data")
    if scene.validation is not None and scene.validation.read_once and scene.position.validations:
        _warn_of(scene.validation, "validation data")
        _read_up_to(scene.validation, scene.position.validations * (validation_steps or 0))


def _warn_of(source: Source, what: str) -> None:
    kind = words_for(source)
    do = (
        "What its hooks change must be in its attributes: numbers, texts, arrays, generators."
        if kind == "a PyDataset"
        else "Use arrays, an image folder, a Dataset or a PyDataset where the rest must be the same; in a "
        "Dataset, call cache() before functions that draw random numbers."
    )
    warnings.warn(
        message(
            "fit(snapshots=…)",
            expected=f"{what} that can be rewound, to go on exactly",
            got=f"{kind}, read again from its start up to the place",
            do=do,
        ),
        UserWarning,
        stacklevel=3,
    )


def _read_up_to(source: Source, count: int) -> None:
    """Leave out the first batches of data that can be read once; the random numbers stay as they are."""
    _leave_out(source.batches(0), count, random_state())


def _settle(scene: Scene, state: Mapping[str, Any]) -> None:
    """Give the outputs their metrics, as they had when the snapshot was taken.

    Where a step of the user's measures, they find their outputs with its first batch.
    """
    model = scene.model
    settings, names = model.compile_settings, [entry[0] for entry in state["processes"][0]["metrics"]]
    if settings.settled or not model.has_call or [metric.name for metric in model.metrics] == names:
        return
    batch = scene.source.peek()
    if batch is not None:
        settle_on(model, batch, device_of(model), "fit")


def batches_from(scene: Scene) -> Iterator[Batch]:
    """Give the batches of the epoch under way, from where it is."""
    position, source = scene.position, scene.source
    if source.rewindable and not source.draws:
        return source.batches(position.epochs_seen, position.step)
    return _read_again(scene)


def endless_from(scene: Scene) -> Iterator[Batch]:
    """Give batches from where the run is on, pass after pass, for epochs of a given number of steps."""
    source, steps = scene.source, scene.position.steps
    if source.rewindable and not source.draws and (source.num_batches or source.endless):
        passes, start = divmod(steps, source.num_batches) if source.num_batches else (0, steps)
        return _passes(source, passes, start)
    return _passes_again(scene)


def _passes(source: Source, first: int, start: int) -> Iterator[Batch]:
    for number in itertools.count(first):
        found = False
        for batch in source.batches(number, start):
            found = True
            yield batch
        if not found and not start:
            return
        start = 0


def _passes_again(scene: Scene) -> Iterator[Batch]:
    """Give pass after pass of data that cannot be rewound; a new process reads again the one under way."""
    number = 0
    if scene.resumed and scene.position.steps:
        begun = scene.at_epoch or {}
        number = begun.get("pass", 0)
        yield from _rest_of_pass(scene, number, scene.position.steps - begun.get("steps", 0))
        number += 1
    scene.resumed = False
    while True:
        scene.at_epoch = {**_beginning(scene), "pass": number, "steps": scene.position.steps}
        found = False
        for batch in scene.source.batches(number):
            found = True
            yield batch
        if not found:
            return
        number += 1


def _read_again(scene: Scene) -> Iterator[Batch]:
    """Read data that cannot be rewound from their start, with the random numbers that began the epoch.

    What is read once (a generator) goes on over the epochs: a new process reads it up to the place.
    """
    position, source = scene.position, scene.source
    skipped = position.steps if source.read_once and scene.resumed else position.step
    scene.resumed = False
    if not skipped:
        scene.at_epoch = _beginning(scene)
        yield from source.batches(position.epochs_seen)
    else:
        yield from _rest_of_pass(scene, position.epochs_seen, skipped)


def _beginning(scene: Scene) -> dict[str, Any]:
    """Return what a pass over the data begins with."""
    return {"random": random_state(), "source": scene.source.state_dict()}


def _rest_of_pass(scene: Scene, number: int, skipped: int) -> Iterator[Batch]:
    """Read a pass again up to the place where the run is, and give what follows."""
    now, source = random_state(), scene.source
    if scene.at_epoch is not None:
        set_random_state(scene.at_epoch["random"])
        source.load_state_dict(scene.at_epoch["source"])
    batches = source.batches(number)
    _leave_out(batches, skipped, now)
    yield from batches


def _leave_out(batches: Iterator[Batch], count: int, now: Mapping[str, Any]) -> None:
    """Read some batches for nothing; the random numbers are `now` afterwards."""
    for _ in itertools.islice(batches, count):
        pass
    set_random_state(now)
