"""Training a model of a run: hooks that tell and record, and Ctrl-C between two batches."""

from __future__ import annotations

import contextlib
import math
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from neocog.callbacks import EarlyStopping
from neocog.exceptions import TrainingError, message
from neocog.optimizers import AdamW
from neocog.optimizers.schedules import CosineDecay
from neocog.training import Hook, Interrupts
from neocog.workflows._data import Part
from neocog.workflows._events import EpochDone, Reporter, StepsDone, TrainingStarted
from neocog.workflows._mixing import MixedSource, mixes, one_hot
from neocog.workflows._recipe import Recipe
from neocog.workflows._resume_snapshots import KeepSnapshots, fit_takes_signals
from neocog.workflows._run_folder import HISTORY, RunFolder
from neocog.workflows._task import Task

_TELL_EVERY = 0.25  # seconds


@dataclass(kw_only=True)
class FitRecord:
    """What became of a training.

    Attributes:
        epochs: the values of each whole epoch.
        best_epoch: the one whose weights are kept, from 1; 0 when no epoch ended.
        interrupted: whether Ctrl-C ended it.
        seconds: that it took.
        plan: how it ran, in one line.
        earlier: seconds that the processes took before this one, where a run was resumed.
        began: when this process began, by `time.perf_counter`.
    """

    epochs: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    interrupted: bool = False
    seconds: float = 0.0
    plan: str = ""
    earlier: float = 0.0
    began: float = field(default_factory=time.perf_counter)

    def spent(self) -> float:
        """Return the seconds so far, in all processes that worked on it one after the other."""
        return self.earlier + time.perf_counter() - self.began

    @property
    def best(self) -> dict[str, float]:
        """The values of the best epoch; empty when no epoch ended."""
        return self.epochs[self.best_epoch - 1] if self.best_epoch else {}


def compile_model(model: Any, recipe: Recipe, samples: int, precision: str, task: Task) -> None:
    """Compile with the task's loss and metrics: AdamW, a warm-up and a fall of the rate along a cosine."""
    steps = -(-samples // recipe.batch_size)
    warmup = max(int(recipe.warmup_epochs * steps), 1)
    schedule = CosineDecay(
        recipe.learning_rate / 10,
        max(recipe.epochs * steps - warmup, 1),
        warmup_target=recipe.learning_rate,
        warmup_steps=warmup,
    )
    model.compile(
        optimizer=AdamW(schedule, weight_decay=recipe.weight_decay),
        loss="categorical_crossentropy" if mixes(recipe.augment) else task.loss(),
        metrics=task.metrics(),
        precision=precision,
        synchronized=True,  # so that several processes take the steps of one
    )


def run_fit(
    model: Any,
    train: Part,
    validation: Part,
    recipe: Recipe,
    folder: RunFolder,
    report: Reporter,
    *,
    model_name: str,
    task: Task,
    extra_hooks: tuple[Hook, ...] = (),
    snapshots: KeepSnapshots | None = None,
) -> FitRecord:
    """Train; the model has the best epoch's weights afterwards, also after Ctrl-C.

    With `snapshots` it goes on from the newest, and a signal leaves one: SIGTERM ends the process then.

    Raises:
        TrainingError: the loss became NaN or infinite.
    """
    record = FitRecord()
    seen, checked = train.source, validation.source
    if mixes(recipe.augment):
        classes, seed = len(task.names), int(seen.state_dict().get("seed", 0))
        seen, checked = MixedSource(seen, recipe.augment, classes, seed), one_hot(checked, classes)
    stopping = EarlyStopping(monitor="val_loss", patience=recipe.patience, restore_best_weights=True)
    watch = Watch(record, recipe, folder, report, model_name, task)
    with contextlib.ExitStack() as stack:
        if snapshots is None:
            stop: Hook = stack.enter_context(StopBetweenBatches())
        else:
            stop = snapshots
            stack.enter_context(fit_takes_signals())
        try:
            model.fit(
                seen,
                epochs=recipe.epochs,
                validation_data=checked,
                callbacks=[stopping, watch, stop, *extra_hooks],
                verbose=0,
            )
        except KeyboardInterrupt:
            record.interrupted = True
    record.seconds = record.spent()
    record.best_epoch = stopping.best_epoch + 1 if record.epochs else 0
    return record


class Watch(Hook):
    """Tells and records every epoch."""

    def __init__(
        self,
        record: FitRecord,
        recipe: Recipe,
        folder: RunFolder,
        report: Reporter,
        model_name: str,
        task: Task,
    ) -> None:
        self.shown = task.watched
        self.columns = (*task.watched, *(f"val_{name}" for name in task.watched), "learning_rate")
        self.record = record
        self.recipe = recipe
        self.folder = folder
        self.report = report
        self.model_name = model_name
        self.steps = 1
        self.epoch = 0
        self._lowest = float("inf")
        self._epoch_began = self._last_told = 0.0
        self._epoch_seconds: list[float] = []

    def on_train_begin(self, logs: Any = None) -> None:
        """Tell the plan."""
        self.steps = int((self.params or {}).get("steps") or 1)
        self.record.plan = str(self.model.plan)
        self.report(
            TrainingStarted(
                model=self.model_name,
                parameters=int(self.model.count_params()),
                epochs=self.recipe.epochs,
                steps=self.steps,
                plan=self.record.plan,
                folder=str(self.folder.path),
            )
        )

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the clock."""
        self.epoch = epoch
        self._epoch_began = self._last_told = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Tell how far the epoch is, a few times a second: reading the values waits for the device."""
        now = time.perf_counter()
        if now - self._last_told < _TELL_EVERY:
            return
        self._last_told = now
        values = {name: float(logs[name]) for name in self.shown if logs and name in logs}
        self.report(
            StepsDone(
                epoch=self.epoch + 1,
                epochs=self.recipe.epochs,
                step=batch + 1,
                steps=self.steps,
                values=values,
                seconds_left=self._seconds_left(batch + 1, now),
            )
        )

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Record the epoch in `history.csv` and tell it.

        Raises:
            TrainingError: the loss of the epoch is NaN or infinite.
        """
        seconds = time.perf_counter() - self._epoch_began
        self._epoch_seconds.append(seconds)
        values = {name: float(value) for name, value in (logs or {}).items()}
        if not math.isfinite(values["loss"]):
            do = "Try a lower --learning-rate, or --precision float32."
            where = f"train: epoch {epoch + 1}"
            raise TrainingError(message(where, expected="a finite loss", got=values["loss"], do=do))
        values["learning_rate"] = float(self.model.optimizer.learning_rate)
        values["seconds"] = round(seconds, 3)
        self.record.epochs.append(values)
        columns = self.columns
        rows = [[i + 1, *(row.get(key, "") for key in columns)] for i, row in enumerate(self.record.epochs)]
        self.folder.write_csv(HISTORY, ("epoch", *columns), rows)
        best = values.get("val_loss", float("inf")) < self._lowest
        self._lowest = min(self._lowest, values.get("val_loss", float("inf")))
        self.report(
            EpochDone(epoch=epoch + 1, epochs=self.recipe.epochs, values=values, seconds=seconds, best=best)
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the epochs so far, and the time that they took."""
        epochs = [dict(row) for row in self.record.epochs]
        return {"epochs": epochs, "lowest": self._lowest, "spent": self.record.spent()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the epochs of the processes before this one."""
        self.record.epochs[:] = [dict(row) for row in state["epochs"]]
        self.record.earlier = float(state["spent"])
        self._lowest = float(state["lowest"])
        self._epoch_seconds = [row["seconds"] for row in self.record.epochs]

    def _seconds_left(self, step: int, now: float) -> float:
        passed = now - self._epoch_began
        if self._epoch_seconds:
            recent = self._epoch_seconds[-5:]
            whole = sum(recent) / len(recent)
        else:
            whole = passed * self.steps / step
        return max(whole - passed, 0.0) + whole * (self.recipe.epochs - self.epoch - 1)


class StopBetweenBatches(Interrupts, Hook):
    """Turns the first Ctrl-C into a `KeyboardInterrupt` at the next batch's end, where the weights are whole.

    A second one interrupts at once. Does nothing outside the main thread, where Python allows no handlers.
    """

    def __init__(self) -> None:
        super().__init__((signal.SIGINT,))

    def _stop(self) -> None:
        if self.is_asked:
            self.leave()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Stop if asked."""
        self._stop()

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Stop if asked."""
        self._stop()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Stop if asked."""
        self._stop()
