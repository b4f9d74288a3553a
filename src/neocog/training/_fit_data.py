"""The data that `fit` is given, as sources: to train on, and held out."""

from __future__ import annotations

from typing import Any

from neocog.core import check_int
from neocog.data import Source, as_source, split_validation
from neocog.exceptions import ArgumentError, message
from neocog.training._batch_size import in_larger_batches, measures_samples
from neocog.training._prepare import device_of
from neocog.training._trainable import Trainable


def placed_validation(model: Trainable, request: Any, validation: Source | None) -> Source | None:
    """Return the validation's data on the model's device, in batches of a size that suits it."""
    if validation is None:
        return None
    validation = validation.to(device_of(model))
    if not request.validation_batch_size and not request.validation_steps and measures_samples(model):
        return in_larger_batches(model, validation)
    return validation


def sources_of(request: Any) -> tuple[Source, Source | None]:
    """Return the training and the validation data of a `FitRequest`."""
    if isinstance(request.steps_per_epoch, int):
        check_int("fit", "steps_per_epoch", request.steps_per_epoch, minimum=1)
    x, y, weight = request.x, request.y, request.sample_weight
    validation = None
    if request.validation_data is not None:
        validation = validation_source(
            request.validation_data,
            request.validation_batch_size or request.batch_size,
            request.validation_steps,
        )
    elif request.validation_split:
        (x, y, weight), held_out = split_validation(x, y, weight, request.validation_split)
        validation = as_source(
            *held_out,
            batch_size=request.validation_batch_size or request.batch_size,
            steps=request.validation_steps,
            shuffle=False,
        )
    source = as_source(
        x,
        y,
        weight,
        batch_size=request.batch_size,
        steps=request.steps_per_epoch if request.dealt_out else None,
        shuffle=bool(request.shuffle),
        class_weight=request.class_weight,
    )
    return source, validation


def validation_source(data: Any, batch_size: int | None, steps: Any = None) -> Source:
    """Return `validation_data` as a source: a tuple of arrays, or anything that gives batches."""
    if isinstance(data, (tuple, list)):
        if not 1 <= len(data) <= 3:
            raise ArgumentError(
                message(
                    "fit",
                    expected="validation_data as (x,), (x, y) or (x, y, sample_weight)",
                    got=f"{len(data)} parts",
                )
            )
        return as_source(*data, batch_size=batch_size, steps=steps, shuffle=False)
    return as_source(data, shuffle=False)
