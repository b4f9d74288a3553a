"""Callbacks against Keras's own, through the same scripted logs."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import csv
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import FakeModel, run

from neocog import callbacks

LOSSES = st.lists(
    st.sampled_from([1.0, 0.9, 0.8, 0.7, 0.65, 0.6, 0.5, 0.45, 0.3, 1.2]), min_size=2, max_size=12
)


def both(ours: Any, theirs: Any, logs: list[dict[str, Any]], **options: Any) -> tuple[FakeModel, FakeModel]:
    """Run both callbacks and compare everything that can be seen from outside."""
    our_model, keras_model = FakeModel(), FakeModel.for_keras()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        our_logs, _ = run(ours, our_model, logs, **options)
        keras_logs, _ = run(theirs, keras_model, logs, **options)
    compare(our_model, keras_model, our_logs, keras_logs)
    return our_model, keras_model


def compare(our_model: FakeModel, keras_model: FakeModel, our_logs: Any, keras_logs: Any) -> None:
    assert our_model.stop_training == keras_model.stop_training
    assert len(our_logs) == len(keras_logs)
    for ours, theirs in zip(our_logs, keras_logs, strict=True):
        assert set(ours) == set(theirs)
        for key in theirs:
            np.testing.assert_allclose(ours[key], theirs[key], rtol=1e-6)
    np.testing.assert_array_equal(our_model.weights[0], keras_model.weights[0])
    assert our_model.saved == keras_model.saved
    np.testing.assert_allclose(
        float(our_model.optimizer.learning_rate), float(keras_model.optimizer.learning_rate), rtol=1e-6
    )


def script(losses: list[float]) -> list[dict[str, Any]]:
    return [
        {"accuracy": 1 - loss / 2, "loss": loss / 2, "val_accuracy": 1 - loss, "val_loss": loss}
        for loss in losses
    ]


@given(
    losses=LOSSES,
    patience=st.integers(0, 3),
    min_delta=st.sampled_from([0, 0.1, -0.05]),
    baseline=st.sampled_from([None, 0.7]),
    restore=st.booleans(),
    start=st.integers(0, 2),
    monitor=st.sampled_from(["val_loss", "val_accuracy", "loss", "accuracy", "missing_loss"]),
)
def test_early_stopping(
    losses: list[float],
    patience: int,
    min_delta: float,
    baseline: float | None,
    restore: bool,
    start: int,
    monitor: str,
) -> None:
    arguments: dict[str, Any] = {
        "monitor": monitor,
        "patience": patience,
        "min_delta": min_delta,
        "baseline": baseline,
        "restore_best_weights": restore,
        "start_from_epoch": start,
        "mode": "min" if monitor == "missing_loss" else "auto",
    }
    ours, theirs = callbacks.EarlyStopping(**arguments), keras.callbacks.EarlyStopping(**arguments)
    both(ours, theirs, script(losses))
    for name in ("wait", "stopped_epoch", "best_epoch", "best"):
        assert getattr(ours, name) == getattr(theirs, name), name


@given(
    losses=LOSSES,
    patience=st.integers(0, 2),
    cooldown=st.integers(0, 2),
    factor=st.sampled_from([0.1, 0.5]),
    min_lr=st.sampled_from([0.0, 0.04]),
    monitor=st.sampled_from(["val_loss", "val_accuracy", "nothing"]),
)
def test_reduce_lr_on_plateau(
    losses: list[float], patience: int, cooldown: int, factor: float, min_lr: float, monitor: str
) -> None:
    arguments: dict[str, Any] = {
        "monitor": monitor,
        "patience": patience,
        "cooldown": cooldown,
        "factor": factor,
        "min_lr": min_lr,
        "mode": "min" if monitor == "nothing" else "auto",
    }
    ours, theirs = callbacks.ReduceLROnPlateau(**arguments), keras.callbacks.ReduceLROnPlateau(**arguments)
    both(ours, theirs, script(losses))
    assert (ours.wait, ours.cooldown_counter, ours.best) == (
        theirs.wait,
        theirs.cooldown_counter,
        theirs.best,
    )


def two(epoch: int, rate: float) -> float:
    return rate * 0.5 if epoch else rate


@pytest.mark.parametrize(
    "schedule", [two, lambda epoch: 0.1 / (epoch + 1), lambda epoch, lr: np.float32(lr * 2)]
)
def test_learning_rate_scheduler(schedule: Any) -> None:
    both(
        callbacks.LearningRateScheduler(schedule),
        keras.callbacks.LearningRateScheduler(schedule),
        script([1.0, 0.5, 0.2]),
    )


@given(
    losses=LOSSES,
    best_only=st.booleans(),
    weights_only=st.booleans(),
    threshold=st.sampled_from([None, 0.8]),
    monitor=st.sampled_from(["val_loss", "val_accuracy"]),
)
def test_model_checkpoint_by_epoch(
    losses: list[float], best_only: bool, weights_only: bool, threshold: float | None, monitor: str
) -> None:
    name = "w.{epoch:03d}-{val_loss:.4f}-{accuracy:.4f}"
    arguments: dict[str, Any] = {
        "filepath": name + (".weights.h5" if weights_only else ".keras"),
        "save_best_only": best_only,
        "save_weights_only": weights_only,
        "initial_value_threshold": threshold,
        "monitor": monitor,
    }
    ours, theirs = callbacks.ModelCheckpoint(**arguments), keras.callbacks.ModelCheckpoint(**arguments)
    both(ours, theirs, script(losses))
    assert ours.best == theirs.best


@pytest.mark.parametrize("frequency", [1, 2, 3, 5, 7, 100])
def test_model_checkpoint_by_batch(frequency: int) -> None:
    arguments: dict[str, Any] = {
        "filepath": "b{epoch:02d}-{batch:02d}-{loss:.2f}.keras",
        "save_freq": frequency,
    }
    ours, _ = both(
        callbacks.ModelCheckpoint(**arguments),
        keras.callbacks.ModelCheckpoint(**arguments),
        script([1.0, 0.8, 0.6]),
        batches=[{"loss": 1.0 - index / 10} for index in range(5)],
    )
    assert len(ours.saved) == 15 // frequency


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("validates", [True, False])
def test_csv_logger_writes_the_same_file(tmp_path: Path, separator: str, validates: bool) -> None:
    logs = [
        {"loss": 0.5 / (epoch + 1), "acc": epoch / 7, "note": "a,b", "each": [0.5, 1.5]} for epoch in range(3)
    ]
    if validates:
        logs = [{**entry, "val_loss": 0.25} for entry in logs]
        del logs[1]["val_loss"]
    ours, theirs = tmp_path / "ours.csv", tmp_path / "theirs.csv"
    for append in (False, True, True):
        run(callbacks.CSVLogger(ours, separator=separator, append=append), FakeModel(), logs)
        run(keras.callbacks.CSVLogger(theirs, separator=separator, append=append), FakeModel(), logs)
    read = [list(csv.reader(path.read_text().splitlines(), delimiter=separator)) for path in (ours, theirs)]
    assert read[0] == [row for row in read[1] if row]
    assert len(read[0]) == 10


@pytest.mark.parametrize("value", [0.5, float("nan"), float("inf"), -float("inf")])
def test_terminate_on_nan(value: float) -> None:
    batches = [{"loss": 1.0}, {"loss": value}, {"loss": 1.0}]
    both(callbacks.TerminateOnNaN(), keras.callbacks.TerminateOnNaN(), script([1.0, 0.5]), batches=batches)
    with pytest.raises(RuntimeError) if value != 0.5 else warnings.catch_warnings():
        run(callbacks.TerminateOnNaN(raise_error=True), FakeModel(), script([1.0]), batches=batches)


@pytest.mark.parametrize(
    "make",
    [
        lambda of: of.EarlyStopping(patience=1, verbose=1, restore_best_weights=True),
        lambda of: of.ReduceLROnPlateau(patience=1, verbose=1),
        lambda of: of.LearningRateScheduler(two, verbose=1),
        lambda of: of.ModelCheckpoint("m{epoch}.keras", verbose=1),
        lambda of: of.ModelCheckpoint("m{epoch}.keras", verbose=1, save_best_only=True),
    ],
)
def test_messages_name_the_same_epochs_and_values(make: Any) -> None:
    import re

    logs = script([1.0, 0.5, 0.7, 0.9, 0.8])
    _, ours = run(make(callbacks), FakeModel(), logs)
    _, theirs = run(make(keras.callbacks), FakeModel.for_keras(), logs)
    numbers = [re.findall(r"\d+\.?\d*", text) for text in (ours, theirs)]
    assert numbers[0] == numbers[1] != []


def test_lambda_callback() -> None:
    def record(into: list[Any]) -> dict[str, Any]:
        return {
            "on_epoch_begin": lambda epoch, logs: into.append(("epoch", epoch)),
            "on_epoch_end": lambda epoch, logs: into.append(("end", epoch, logs["loss"])),
            "on_train_begin": lambda logs: into.append("begin"),
            "on_train_end": lambda logs: into.append("over"),
            "on_train_batch_end": lambda batch, logs: into.append((batch, logs["loss"])),
            "on_train_batch_begin": lambda batch, logs: into.append(batch),
        }

    ours: list[Any] = []
    theirs: list[Any] = []
    both(
        callbacks.CallbackList([callbacks.LambdaCallback(**record(ours))]),
        keras.callbacks.CallbackList([keras.callbacks.LambdaCallback(**record(theirs))]),
        script([1.0, 0.5]),
    )
    assert ours == theirs


def test_history() -> None:
    ours, theirs = callbacks.History(), keras.callbacks.History()
    both(ours, theirs, script([1.0, 0.5]))
    assert (ours.history, ours.epoch) == (theirs.history, theirs.epoch)


def test_what_a_callback_adds_to_the_logs_reaches_the_next() -> None:
    def make(of: Any) -> Any:
        return of.CallbackList([of.LearningRateScheduler(two), of.History()])

    ours, theirs = make(callbacks), make(keras.callbacks)
    for together, model in ((ours, FakeModel()), (theirs, FakeModel.for_keras())):
        run(together, model, script([1.0, 0.5, 0.2]))
    assert ours.callbacks[1].history.keys() == theirs.callbacks[1].history.keys()
    np.testing.assert_allclose(
        ours.callbacks[1].history["learning_rate"], theirs.callbacks[1].history["learning_rate"], rtol=1e-6
    )


def test_the_comparison_fails_on_a_difference() -> None:
    logs = script([1.0, 0.9, 0.9, 0.9, 0.9])
    with pytest.raises(AssertionError):
        both(callbacks.EarlyStopping(patience=1), keras.callbacks.EarlyStopping(patience=3), logs)
    with pytest.raises(AssertionError):
        both(
            callbacks.ReduceLROnPlateau(patience=1, factor=0.5),
            keras.callbacks.ReduceLROnPlateau(patience=1, factor=0.4),
            logs,
        )
