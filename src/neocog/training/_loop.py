"""`fit`: epochs over a source, validation between them, hooks around everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch

from neocog.core import bounded, check_int, max_epochs, max_steps_per_epoch, subnormals_flushed
from neocog.data import Batch, Source, as_source, split_validation
from neocog.exceptions import ArgumentError, DataError, message
from neocog.training._evaluate import evaluate_source
from neocog.training._history import History
from neocog.training._hook import HookList
from neocog.training._prepare import device_of, packed, prepare_fit
from neocog.training._run_hooks import checked_verbose, make_hooks, steps_of
from neocog.training._step import LazyLogs, results_of
from neocog.training._trainable import Trainable


@dataclass(frozen=True, kw_only=True)
class FitRequest:
    """The arguments of `Model.fit`, by the same names."""

    x: Any
    y: Any
    sample_weight: Any
    class_weight: Any
    batch_size: int | None
    epochs: int
    verbose: int | str
    callbacks: Any
    validation_split: float
    validation_data: Any
    shuffle: bool
    initial_epoch: int
    steps_per_epoch: int | None
    validation_steps: int | None
    validation_batch_size: int | None
    validation_freq: Any


def _within_bounds(request: FitRequest) -> FitRequest:
    """Return the request within what `config.set_max_epochs` and `set_max_steps_per_epoch` allow."""
    steps = max_steps_per_epoch()
    return replace(
        request,
        epochs=bounded(request.epochs, max_epochs()) or 0,
        steps_per_epoch=bounded(request.steps_per_epoch, steps),
        validation_steps=bounded(request.validation_steps, steps),
    )


def fit(model: Trainable, request: FitRequest) -> History:
    """Train a model and return the history; see `Model.fit` for the arguments."""
    settings = model.compile_settings
    check_int("fit", "epochs", request.epochs, minimum=0)
    request = _within_bounds(request)
    verbose = checked_verbose(request.verbose)
    source, validation = _sources(request)
    if isinstance(request.steps_per_epoch, int):
        check_int("fit", "steps_per_epoch", request.steps_per_epoch, minimum=1)
    source = prepare_fit(model, source)
    if validation is not None:
        validation = validation.to(device_of(model))
    history = History()
    hooks = make_hooks(
        model,
        request.callbacks,
        verbose=verbose,
        history=history,
        params={
            "epochs": request.epochs,
            "steps": steps_of(source, request.steps_per_epoch),
            "validation_steps": None
            if validation is None
            else steps_of(validation, request.validation_steps),
            "do_validation": validation is not None,
            "metrics": [metric.name for metric in settings.all_metrics()],
        },
    )
    model.stop_training = False
    model.history = history
    run = _Run(model, request, source, validation, hooks)
    if verbose:
        print(model.training_state.plan, flush=True)
    try:
        run.epochs()
    finally:
        model.training_state.use(None)  # what follows is float32, unless asked otherwise
    return history


class _Run:
    """One call of `fit`."""

    def __init__(
        self,
        model: Trainable,
        request: FitRequest,
        source: Source,
        validation: Source | None,
        hooks: HookList,
    ) -> None:
        self.model = model
        self.request = request
        self.source = source
        self.validation = validation
        self.hooks = hooks
        self.device = device_of(model)
        self._endless: Iterator[Batch] | None = None

    def epochs(self) -> None:
        """Run the epochs; the model is in inference mode afterwards, whatever happened."""
        hooks, model = self.hooks, self.model
        logs: dict[str, Any] = {}
        state = model.training_state
        state.first_epoch, state.finished = None, False
        try:
            hooks.on_train_begin()
            first = self.request.initial_epoch if state.first_epoch is None else state.first_epoch
            for epoch in range(first, self.request.epochs):
                logs = self.epoch(epoch)
                if model.stop_training:
                    break
            if self.request.epochs:
                _take_averages(model)
            state.finished = True
        finally:
            model.train(False)
            hooks.on_train_end(logs)

    def epoch(self, epoch: int) -> dict[str, Any]:
        """Run one epoch and return its logs, sorted by name as in Keras."""
        model, hooks = self.model, self.hooks
        model.reset_metrics()
        hooks.on_epoch_begin(epoch)
        step_logs = self.train_batches(epoch)
        logs = _epoch_logs(model, step_logs)
        if self.validates_after(epoch):
            validation = evaluate_source(model, self.validation, hooks, self.request.validation_steps)
            logs.update({f"val_{name}": value for name, value in sorted(validation.items())})
        hooks.on_epoch_end(epoch, logs)
        model.training_state.epochs_seen += 1
        return logs

    def train_batches(self, epoch: int) -> Any:
        """Train on the batches of one epoch; nothing in here waits for the device."""
        model, device = self.model, self.device
        begin = self.hooks.calls("on_train_batch_begin")
        end = self.hooks.calls("on_train_batch_end")
        limit = self.request.steps_per_epoch
        logs: Any = None
        step = -1
        model.train(True)
        with subnormals_flushed():
            for step, batch in enumerate(self.batches(epoch, limit)):
                for call in begin:
                    call(step, {})
                logs = model.train_step(packed(batch, device))
                for call in end:
                    call(step, logs)
                if model.stop_training or step + 1 == limit:
                    break
        model.train(False)
        if step < 0:
            raise DataError(f"fit: epoch {epoch + 1} has no data: the generator or iterator is exhausted.")
        return logs

    def batches(self, epoch: int, limit: int | None) -> Iterator[Batch]:
        """The batches of an epoch; with `steps_per_epoch` they go on where the last epoch stopped."""
        if limit is None or self.source.num_batches == limit:
            return self.source.batches(self.model.training_state.epochs_seen)
        if self._endless is None:
            self._endless = _forever(self.source)
        return self._endless

    def validates_after(self, epoch: int) -> bool:
        """Whether a validation follows this epoch."""
        if self.validation is None:
            return False
        frequency = self.request.validation_freq
        if isinstance(frequency, (list, tuple, set)):
            return epoch + 1 in frequency
        return (epoch + 1) % check_int("fit", "validation_freq", frequency, minimum=1) == 0


def _take_averages(model: Any) -> None:
    """Put the moving averages of the weights in their place, where the optimizer keeps them."""
    if hasattr(model.optimizer, "finalize_variable_values"):
        model.optimizer.finalize_variable_values(model.trainable_weights)


def _forever(source: Source) -> Iterator[Batch]:
    epoch = 0
    while True:
        found = False
        for batch in source.batches(epoch):
            found = True
            yield batch
        if not found:
            return
        epoch += 1


def _epoch_logs(model: Trainable, step_logs: Any) -> dict[str, Any]:
    """The values of an epoch: what the last step returned, else the metrics."""
    if isinstance(step_logs, LazyLogs):
        found = step_logs.copy()
    elif isinstance(step_logs, dict):
        found = {key: _number(value) for key, value in step_logs.items()}
    else:
        found = results_of(model.metrics) if step_logs is None else {"loss": _number(step_logs)}
    return dict(sorted(found.items()))


def _number(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.item() if value.dim() == 0 else value.detach().cpu().numpy()
    return value


def _sources(request: FitRequest) -> tuple[Source, Source | None]:
    x, y, weight = request.x, request.y, request.sample_weight
    validation = None
    if request.validation_data is not None:
        validation = validation_source(
            request.validation_data, request.validation_batch_size or request.batch_size
        )
    elif request.validation_split:
        (x, y, weight), held_out = split_validation(x, y, weight, request.validation_split)
        validation = as_source(
            *held_out, batch_size=request.validation_batch_size or request.batch_size, shuffle=False
        )
    source = as_source(
        x,
        y,
        weight,
        batch_size=request.batch_size,
        shuffle=bool(request.shuffle),
        class_weight=request.class_weight,
    )
    return source, validation


def validation_source(data: Any, batch_size: int | None) -> Source:
    """Return `validation_data` as a source: a tuple of arrays, or anything that gives batches."""
    if isinstance(data, (tuple, list)):
        if not 2 <= len(data) <= 3:
            raise ArgumentError(
                message(
                    "fit",
                    expected="validation_data as (x, y) or (x, y, sample_weight)",
                    got=f"{len(data)} parts",
                )
            )
        return as_source(*data, batch_size=batch_size, shuffle=False)
    return as_source(data, shuffle=False)
