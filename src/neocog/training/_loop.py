"""`fit`: epochs over a source, validation between them, hooks around everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from neocog.core import (
    bounded,
    check_int,
    keep_freed_memory,
    max_epochs,
    max_steps_per_epoch,
    subnormals_flushed,
)
from neocog.data import Batch, Source
from neocog.exceptions import DataError
from neocog.training._evaluate import evaluate_source
from neocog.training._executions import grouped
from neocog.training._finders_batch import with_auto_batch_size
from neocog.training._fit_data import placed_validation, sources_of
from neocog.training._history import History
from neocog.training._hook import HookList
from neocog.training._interrupts import Interrupts
from neocog.training._memory import Steps, log_line
from neocog.training._own_attributes import OwnAttributes
from neocog.training._own_steps import check_built, logs_of_all, plain
from neocog.training._prepare import device_of, packed, prepare_fit
from neocog.training._replay import batches_from, endless_from, resume
from neocog.training._run_hooks import checked_verbose, make_hooks, steps_of
from neocog.training._sharded import sharded_model, whole_weights
from neocog.training._shares import shared_out
from neocog.training._snapshot import Position, Scene
from neocog.training._snapshots import Snapshots
from neocog.training._step import LazyLogs, results_of
from neocog.training._together import Together, is_to_end
from neocog.training._trainable import Trainable, forget_gradients, runs_own
from neocog.training._world import World, join, mean_statistics


@dataclass(frozen=True, kw_only=True)
class FitRequest:
    """The arguments of `Model.fit`, by the same names; `dealt_out`: steps alone say how large batches are."""

    x: Any
    y: Any
    sample_weight: Any
    class_weight: Any
    batch_size: Any
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
    snapshots: Any = None
    every: Any = "5min"
    dealt_out: bool = True


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
    _ = model.compile_settings  # an error of its own, where `compile` was not called
    check_int("fit", "epochs", request.epochs, minimum=0)
    world = join()
    verbose = checked_verbose(request.verbose) if world.leads else 0
    snapshots = _snapshots(request, verbose)
    request = with_auto_batch_size(model, request, world, verbose)
    source, validation = sources_of(request)
    request = _within_bounds(request)
    source = prepare_fit(model, source, validation)
    check_built(model, world)
    validation = placed_validation(model, request, validation)
    source, validation = shared_out(model, world, source, validation)
    model.training_state.together = None if world.alone else Together(model, world)
    model.training_state.sharded = sharded_model(model, world)
    model.stop_training = False
    model.history = history = History()
    model.training_state.snapshots = snapshots
    scene = Scene(
        model=model,
        hooks=_hooks(model, request, source, validation, verbose, world),
        source=source,
        validation=validation,
        position=Position(),
        world=world,
        folder=Path() if snapshots is None else snapshots.folder,
    )
    run = _Run(request, scene, snapshots)
    run.tell = partial(print, flush=True) if verbose else log_line
    if verbose:
        print(model.training_state.plan, flush=True)
    try:
        with model.training_state.running(), nullcontext() if snapshots is None else run.interrupts:
            run.epochs()
    finally:
        model.training_state.use(None)  # what follows is float32, unless asked otherwise
        if snapshots is not None:
            snapshots.close()
    return history


def _hooks(
    model: Trainable,
    request: FitRequest,
    source: Source,
    validation: Source | None,
    verbose: Any,
    world: World,
) -> HookList:
    """Return what watches the run, told what is known of it."""
    held_out = None if validation is None else steps_of(validation, request.validation_steps)
    return make_hooks(
        model,
        request.callbacks,
        verbose=verbose,
        history=model.history,
        leads=world.leads,
        params={
            "epochs": request.epochs,
            "steps": steps_of(source, request.steps_per_epoch),
            "validation_steps": held_out,
            "do_validation": validation is not None,
            "metrics": [metric.name for metric in model.compile_settings.all_metrics()],
        },
    )


def _snapshots(request: FitRequest, verbose: Any) -> Snapshots | None:
    """Return what takes the run's snapshots, where they are asked for; checked before any data are read."""
    found: Snapshots | None = None
    if request.snapshots is not None:
        found = Snapshots(request.snapshots, request.every)
    else:
        callbacks = request.callbacks if isinstance(request.callbacks, (list, tuple)) else [request.callbacks]
        makers = [hook.new_snapshots for hook in callbacks if hasattr(hook, "new_snapshots")]
        found = makers[0]() if makers else None
    if found is not None and verbose:
        found.tell = partial(print, flush=True)
    return found


class _Run:
    """One call of `fit`."""

    def __init__(self, request: FitRequest, scene: Scene, snapshots: Snapshots | None) -> None:
        self.model: Trainable = scene.model
        self.request = request
        self.hooks = scene.hooks
        self.device = device_of(scene.model)
        self.snapshots = snapshots
        self.interrupts = Interrupts()
        self.tell: Callable[[str], None] = log_line
        self.scene = scene
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
            self.scene.position.epoch, self.scene.position.epochs_seen = first, state.epochs_seen
            self.go_on()
            for epoch in range(self.scene.position.epoch, self.request.epochs):
                if is_to_end(model):
                    break
                logs = self.epoch(epoch)
            self.end()
            state.finished = True
        finally:
            model.train(False)
            hooks.on_train_end(logs)

    def go_on(self) -> None:
        """Begin where the newest snapshot was taken, or take the first one."""
        if self.snapshots is None:
            return
        self.scene.own = OwnAttributes(self.model)
        saved = self.snapshots.newest(self.scene.world)
        if saved is not None:
            self.snapshots.tell_place(Position(**saved["position"]), self.request.epochs)
            resume(self.scene, saved, self.request.epochs, self.request.validation_steps)
            self.model.training_state.epochs_seen = self.scene.position.epochs_seen
        self.snapshots.begin(self.scene)

    def end(self) -> None:
        """Keep the end of the run, then let averages take the weights' place."""
        if self.snapshots is not None:
            self.snapshots.end(self.scene)
        sharded, self.model.training_state.sharded = self.model.training_state.sharded, None
        if sharded is not None:
            sharded.end()
        if self.request.epochs:
            _take_averages(self.model)

    def epoch(self, epoch: int) -> dict[str, Any]:
        """Run one epoch, or the rest of it, and return its logs, sorted by name as in Keras."""
        model, hooks, position = self.model, self.hooks, self.scene.position
        if not position.step:
            model.reset_metrics()
            hooks.on_epoch_begin(epoch)
        step_logs = self.train_batches(epoch)
        mean_statistics(model, self.scene.world)
        validates = self.validates_after(epoch)
        if validates and self.snapshots is not None:
            self.snapshots.before_validation(self.scene)  # while each process has metrics of its own rows
        share, own = self.scene.share, not runs_own(model, "train_step")
        logs = _epoch_logs(model, logs_of_all(model, step_logs, share, self.scene.world, own_step=own))
        if validates:
            validation = self.validate()
            logs.update({f"val_{name}": value for name, value in validation.items()})
            logs = dict(sorted(logs.items()))
        with whole_weights(model, hooks):
            hooks.on_epoch_end(epoch, logs)
        is_to_end(model)  # a snapshot keeps what all have agreed on
        model.training_state.epochs_seen += 1
        position.epoch, position.step = epoch + 1, 0
        position.epochs_seen = model.training_state.epochs_seen
        if self.snapshots is not None and self.snapshots.after_epoch(self.scene, self.interrupts.is_asked):
            self.interrupts.leave()
        return logs

    def validate(self) -> dict[str, Any]:
        """Evaluate on the validation data; whoever asks the run to stop need not wait for the end of it."""
        scene, steps = self.scene, self.request.validation_steps
        leaves = self.snapshots is not None and self.model.training_state.sharded is None
        after = self.leave_if_asked if leaves else None
        found = evaluate_source(
            self.model, scene.validation, self.hooks, steps, after_batch=after, world=scene.world
        )
        scene.position.validations += 1
        if self.snapshots is not None:
            self.snapshots.after_validation()
        return found

    def leave_if_asked(self) -> None:
        """Take a last snapshot and end the run where a signal asked for it during a validation."""
        if self.snapshots is not None and self.snapshots.after_batch(self.scene, self.interrupts.is_asked):
            self.interrupts.leave()

    def train_batches(self, epoch: int) -> Any:
        """Train on the batches of one epoch; nothing in here waits for the device."""
        model, device, position = self.model, self.device, self.scene.position
        begin = self.hooks.calls("on_train_batch_begin")
        end = self.hooks.calls("on_train_batch_end")
        watched = model.training_state.watch([*begin, *end])
        group = model.compile_settings.steps_per_execution
        begin, end, rest = grouped(begin, end, group)
        limit = self.request.steps_per_epoch
        logs: Any = self.scene.logs if position.step else None
        together, steps = model.training_state.together, Steps(model, world=self.scene.world, tell=self.tell)
        if together is not None:
            together.begin_epoch(model, self.hooks)
        step = position.step - 1
        model.train(True)
        with subnormals_flushed():
            for step, batch in enumerate(self.batches(limit), position.step):
                for call in begin:
                    call(step, {})
                model.training_state.share = batch.share
                data = packed(batch, device)
                run = None if together is None else together.step_on(model, batch, data)
                logs = steps(data, run)
                keep_freed_memory()
                self.scene.logs, self.scene.share = logs, batch.share
                if together is not None:
                    together.end_step(model, batch)
                for call in end:
                    call(step, logs)
                if watched:
                    forget_gradients(model)
                position.advance()
                if self.snapshots is not None:
                    self.keep_step(self.snapshots, told=(step + 1) % group == 0)
                stops = model.stop_training if together is None else together.ends(model)
                if stops or step + 1 == limit:
                    break
            rest()
        model.train(False)
        if step < 0:
            raise DataError(f"fit: epoch {epoch + 1} has no data: the generator or iterator is exhausted.")
        return logs

    def keep_step(self, snapshots: Snapshots, *, told: bool) -> None:
        """Take a snapshot after a step where one is due, and end the run where a signal asked for it."""
        if snapshots.after_step(self.scene, self.interrupts.is_asked, told=told):
            self.interrupts.leave()

    def batches(self, limit: int | None) -> Iterator[Batch]:
        """The batches of an epoch, or the rest of them; with `steps_per_epoch` they go on over the epochs."""
        position = self.scene.position
        if limit is not None and position.step >= limit:
            return iter(())
        if limit is None or self.scene.source.num_batches == limit:
            return batches_from(self.scene)
        if self._endless is None:
            self._endless = endless_from(self.scene)
        return self._endless

    def validates_after(self, epoch: int) -> bool:
        """Whether a validation follows this epoch."""
        if self.scene.validation is None:
            return False
        frequency = self.request.validation_freq
        if isinstance(frequency, (list, tuple, set)):
            return epoch + 1 in frequency
        return (epoch + 1) % check_int("fit", "validation_freq", frequency, minimum=1) == 0


def _take_averages(model: Any) -> None:
    """Put the moving averages of the weights in their place, where the optimizer keeps them."""
    if hasattr(model.optimizer, "finalize_variable_values"):
        model.optimizer.finalize_variable_values(model.trainable_weights)


def _epoch_logs(model: Trainable, step_logs: Any) -> dict[str, Any]:
    """The values of an epoch: what the last step returned, else the metrics."""
    if isinstance(step_logs, LazyLogs):
        found = step_logs.copy()
    elif isinstance(step_logs, dict):
        found = {key: plain(value) for key, value in step_logs.items()}
    else:
        found = results_of(model.metrics) if step_logs is None else {"loss": plain(step_logs)}
    return dict(sorted(found.items()))
