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
from neocog.training._snapshot import Scene, random_state, restore, set_random_state


def resume(scene: Scene, state: Mapping[str, Any], epochs: int) -> None:
    """Put a snapshot back and begin the epoch that was under way, as the callbacks saw it begin.

    Args:
        scene: the run; `on_train_begin` has been called.
        state: what `capture` returned.
        epochs: number of the last epoch; more than those of a finished run let it go on.
    """
    place = state["position"]
    if place["step"] and place["epoch"] < epochs:
        scene.hooks.on_epoch_begin(place["epoch"])
    _settle(scene, state)
    restore(scene, state)
    scene.position.finished = scene.position.finished and scene.position.epoch >= epochs
    if scene.position.steps and not (scene.source.rewindable or scene.source.repeatable):
        warnings.warn(
            message(
                "fit(snapshots=…)",
                expected="data that can be rewound, to go on exactly",
                got=f"a {type(scene.source).__name__}, which is read again from its start up to the place",
                do="Use arrays, an image folder, a Dataset or a PyDataset where the rest must be the same.",
            ),
            UserWarning,
            stacklevel=2,
        )


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
    if source.rewindable:
        return source.batches(position.epochs_seen, position.step)
    return _read_again(scene)


def endless_from(scene: Scene) -> Iterator[Batch]:
    """Give batches from where the run is on, pass after pass, for epochs of a given number of steps."""
    source, steps = scene.source, scene.position.steps
    if source.rewindable and source.num_batches:
        passes, start = divmod(steps, source.num_batches)
        return _passes(source, passes, start)
    return itertools.islice(_passes(source, 0, 0), steps, None)


def _passes(source: Source, first: int, start: int) -> Iterator[Batch]:
    for number in itertools.count(first):
        found = False
        for batch in source.batches(number, start):
            found = True
            yield batch
        if not found and not start:
            return
        start = 0


def _read_again(scene: Scene) -> Iterator[Batch]:
    """Read data that cannot be rewound from their start, with the random numbers that began the epoch.

    What is read once (a generator) goes on over the epochs: a new process reads it up to the place.
    """
    position, source = scene.position, scene.source
    skipped = position.steps if source.read_once and scene.resumed else position.step
    scene.resumed = False
    if not skipped:
        scene.at_epoch = {"random": random_state(), "source": source.state_dict()}
        yield from source.batches(position.epochs_seen)
        return
    now = random_state()
    if scene.at_epoch is not None:
        set_random_state(scene.at_epoch["random"])
        source.load_state_dict(scene.at_epoch["source"])
    batches = source.batches(position.epochs_seen)
    for _ in itertools.islice(batches, skipped):
        pass
    set_random_state(now)
    yield from batches
