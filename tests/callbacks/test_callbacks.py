"""What callbacks promise beyond Keras's behaviour: early errors, batches only where needed, state, files."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import doctest
import importlib
import inspect
import pkgutil
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import pytest
import torch
from scripted import LOGS, FakeModel, WeightedModel, run

import neocog.callbacks
from neocog import callbacks
from neocog.callbacks import CALLBACKS
from neocog.exceptions import (
    ArgumentError,
    ArgumentTypeError,
    NotCompiledError,
    StorageError,
    TrainingError,
)
from neocog.training import Hook, HookList

# Constructor arguments of each registered callback; one that is missing here fails a test below.
MAKE: dict[str, Any] = {
    "BackupAndRestore": lambda tmp: callbacks.BackupAndRestore(tmp / "backup"),
    "CSVLogger": lambda tmp: callbacks.CSVLogger(tmp / "log.csv"),
    "Callback": lambda tmp: callbacks.Callback(),
    "CallbackList": lambda tmp: callbacks.CallbackList([callbacks.EarlyStopping()], add_history=True),
    "EarlyStopping": lambda tmp: callbacks.EarlyStopping(patience=2, restore_best_weights=True),
    "History": lambda tmp: callbacks.History(),
    "LambdaCallback": lambda tmp: callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None),
    "LearningRateScheduler": lambda tmp: callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2),
    "ModelCheckpoint": lambda tmp: callbacks.ModelCheckpoint(tmp / "m{epoch}.keras", save_best_only=True),
    "ProgbarLogger": lambda tmp: callbacks.ProgbarLogger(),
    "ReduceLROnPlateau": lambda tmp: callbacks.ReduceLROnPlateau(patience=1, factor=0.5),
    "SwapEMAWeights": lambda tmp: callbacks.SwapEMAWeights(),
    "TensorBoard": lambda tmp: callbacks.TensorBoard(tmp / "logs"),
    "TerminateOnNaN": lambda tmp: callbacks.TerminateOnNaN(),
}
LEFT_OUT = {"OrbaxCheckpoint", "RemoteMonitor"}
BY_BATCH = {"TerminateOnNaN"}


class NoLooking(Mapping[str, Any]):
    """Logs that must not be read."""

    def __getitem__(self, key: str) -> Any:
        raise AssertionError("logs were read")

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("logs were read")

    def __len__(self) -> int:
        raise AssertionError("logs were read")


def test_every_registered_callback_is_tested_and_every_one_of_keras_is_there() -> None:
    assert set(MAKE) == set(CALLBACKS.names())
    theirs = {name for name, entry in inspect.getmembers(keras.callbacks) if inspect.isclass(entry)}
    assert theirs - LEFT_OUT == set(CALLBACKS.names())


@pytest.mark.parametrize("name", sorted(MAKE))
def test_arguments_and_their_defaults_are_keras_s(name: str) -> None:
    ours = inspect.signature(CALLBACKS.resolve(name)).parameters
    theirs = inspect.signature(getattr(keras.callbacks, name)).parameters
    for key, parameter in theirs.items():
        assert key in ours, key
        if parameter.kind is not parameter.VAR_KEYWORD:
            assert ours[key].default == parameter.default, key


@pytest.mark.parametrize("name", sorted(MAKE))
def test_batches_cost_nothing_where_they_are_not_watched(name: str, tmp_path: Path) -> None:
    hook = MAKE[name](tmp_path)
    hook.set_params({"verbose": 2, "epochs": 2, "steps": 3})
    listens = HookList([hook]).listens
    for verb in ("on_train_batch_begin", "on_test_batch_begin", "on_predict_batch_end"):
        assert not listens(verb)
    assert listens("on_train_batch_end") == (name in BY_BATCH)


# The two left out work on a real model: test_backup_and_averages.py.
@pytest.mark.parametrize("name", sorted(set(MAKE) - {"BackupAndRestore", "SwapEMAWeights"}))
def test_a_state_carries_a_run_on(name: str, tmp_path: Path) -> None:
    """Six epochs at once, and three plus three with a fresh callback, end alike."""

    def model() -> FakeModel:
        return WeightedModel() if name == "TensorBoard" else FakeModel()

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole, whole_model = MAKE[name](tmp_path / "a"), model()
    run(HookList([whole]), whole_model, LOGS)
    first, part_model = MAKE[name](tmp_path / "b"), model()
    run(HookList([first]), part_model, LOGS[:3])
    second = MAKE[name](tmp_path / "b")
    state = first.state_dict()

    class Resumed(Hook):
        """Loads the state after `on_train_begin`, as a resumed run does."""

        def on_train_begin(self, logs: Any = None) -> None:
            second.load_state_dict(state)

    part_model.weights = [weight + 0 for weight in whole_model.weights]
    part_model.stop_training = False
    run(HookList([second, Resumed()]), part_model, LOGS[3:], initial_epoch=3)
    again = second.state_dict()
    expected = whole.state_dict()
    for entry in (again, expected):
        entry.pop("best_weights", None)
        entry.pop("hooks", None)
    if name != "CSVLogger":
        assert again == expected
    assert whole_model.optimizer.learning_rate == pytest.approx(part_model.optimizer.learning_rate)


def test_the_older_batch_verbs_are_called() -> None:
    class Old(callbacks.Callback):
        seen: list[Any] = []

        def on_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.seen.append(("begin", batch))

        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            self.seen.append(("end", batch))

    hooks = HookList([Old()])
    assert hooks.listens("on_train_batch_begin")
    hooks.on_train_batch_begin(4)
    hooks.on_train_batch_end(4)
    assert Old.seen == [("begin", 4), ("end", 4)]


def test_callback_list_adds_what_keras_adds_and_gives_the_model_its_history() -> None:
    model = FakeModel()
    together = callbacks.CallbackList(
        [callbacks.TerminateOnNaN()], add_history=True, add_progbar=True, model=model, epochs=3, verbose=0
    )
    assert [type(hook).__name__ for hook in together.callbacks] == [
        "TerminateOnNaN",
        "History",
        "ProgbarLogger",
    ]
    assert model.history is together.history is not None
    assert together.callbacks[0].params["epochs"] == 3
    assert together.callbacks[0].model is model
    with pytest.raises(ArgumentError, match="same callbacks"):
        callbacks.CallbackList([callbacks.TerminateOnNaN()]).load_state_dict(together.state_dict())


@pytest.mark.parametrize(
    ("filepath", "arguments", "pattern"),
    [
        ("w{val_loss:.2f}.h5", {}, "no validation data|there is no validation"),
        ("w{val_loss:.2f}.h5", {"save_freq": 3}, "counts batches"),
        ("w{batch}.h5", {}, "batch"),
    ],
)
def test_a_template_that_cannot_be_filled_is_refused_before_training(
    filepath: str, arguments: dict[str, Any], pattern: str
) -> None:
    checkpoint = callbacks.ModelCheckpoint(filepath, **arguments)
    checkpoint.set_params({"do_validation": False, "epochs": 1, "steps": 1})
    with pytest.raises(ArgumentError, match=pattern):
        checkpoint.on_train_begin()


@pytest.mark.parametrize("filepath", ["w{epoch", "w{}.h5", "w{0}.h5", "w{a.b}.h5", "w{a[0]}.h5", "w}.h5"])
def test_a_broken_template_is_refused_at_once(filepath: str) -> None:
    with pytest.raises(ArgumentError, match="filepath"):
        callbacks.ModelCheckpoint(filepath)


def test_an_unknown_name_in_a_template_offers_the_known_ones() -> None:
    checkpoint = callbacks.ModelCheckpoint("w{acuracy:.2f}.h5")
    with pytest.raises(ArgumentError, match=r"Did you mean \{accuracy\}"):
        run(checkpoint, FakeModel(), LOGS)
    with pytest.raises(ArgumentError, match="formats"):
        run(callbacks.ModelCheckpoint("w{loss:03d}.h5"), FakeModel(), LOGS)


def test_the_old_spelling_of_books_works(tmp_path: Path) -> None:
    name = tmp_path / "weights.{epoch:03d}-{val_loss:.4f}-{acc:.4f}.weights.hdf5"
    logs = [{"acc": 0.25, "loss": 1.0, "val_loss": 0.5}]
    with pytest.warns(DeprecationWarning, match="is an older spelling") as caught:
        checkpoint = callbacks.ModelCheckpoint(name, monitor="val_acc", period=2)
    assert ["save_freq" in str(caught[0].message), ".keras" in str(caught[1].message)] == [True, True]
    model = FakeModel()
    run(checkpoint, model, logs * 4)
    assert [Path(path).name for _, path, _ in model.saved] == [
        "weights.002-0.5000-0.2500.weights.hdf5",
        "weights.004-0.5000-0.2500.weights.hdf5",
    ]


def test_folders_are_made_early_and_refused_early(tmp_path: Path) -> None:
    run(callbacks.ModelCheckpoint(tmp_path / "new" / "deep" / "m.keras"), FakeModel(), LOGS)
    assert (tmp_path / "new" / "deep").is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="folder"):
        callbacks.ModelCheckpoint(tmp_path / "file" / "m.keras").on_train_begin()
    with pytest.raises(StorageError, match="CSVLogger"):
        callbacks.CSVLogger(tmp_path / "file" / "log.csv").on_train_begin()
    with pytest.raises(StorageError, match="file name"):
        run(callbacks.ModelCheckpoint(tmp_path / "new"), FakeModel(), LOGS)


@pytest.mark.parametrize(
    "make",
    [
        lambda: callbacks.EarlyStopping("val_acc", mode="max"),
        lambda: callbacks.ReduceLROnPlateau("val_acc", mode="max"),
        lambda: callbacks.ModelCheckpoint("m.keras", "val_acc", mode="max", save_best_only=True),
    ],
)
def test_a_missing_monitor_warns_once_and_names_what_there_is(make: Any) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(make(), FakeModel(), LOGS)
    assert len(caught) == 1
    assert "val_accuracy" in str(caught[0].message)


def test_the_direction_is_told_from_names_and_metrics() -> None:
    def direction(monitor: str, *names: str) -> str:
        stopping = callbacks.EarlyStopping(monitor)
        stopping.set_model(FakeModel(names))
        return stopping.direction()

    assert direction("val_loss") == direction("head_loss") == "down"
    assert direction("val_hits", "hits") == direction("val_head_hits", "hits") == "up"
    assert direction("val_acc") == direction("balanced_accuracy") == "up"
    with pytest.raises(ArgumentError, match="mode='max'"):
        direction("val_score")


def test_an_unknown_mode_warns_and_becomes_auto() -> None:
    with pytest.warns(UserWarning, match="'up'"):
        assert callbacks.EarlyStopping(mode="up").mode == "auto"


def test_best_weights_are_kept_in_the_same_memory_on_the_device() -> None:
    model = torch.nn.Linear(2, 2)
    stopping = callbacks.EarlyStopping("loss", restore_best_weights=True, patience=9)
    stopping.set_model(model)
    stopping.on_train_begin()
    stopping.on_epoch_end(0, {"loss": 1.0})
    kept = stopping.best_weights
    assert kept is not None
    memory = kept["weight"].data_ptr()
    best = model.weight.detach().clone().add_(1)
    with torch.no_grad():
        model.weight.add_(1)
    stopping.on_epoch_end(1, {"loss": 0.5})
    with torch.no_grad():
        model.weight.add_(1)
    stopping.on_epoch_end(2, {"loss": 0.9})
    stopping.on_train_end()
    assert stopping.best_weights is not None
    assert stopping.best_weights["weight"].data_ptr() == memory
    torch.testing.assert_close(model.weight.detach(), best)


@pytest.mark.parametrize(
    "make",
    [
        lambda: callbacks.EarlyStopping(patience=-1),
        lambda: callbacks.ReduceLROnPlateau(factor=1.0),
        lambda: callbacks.ModelCheckpoint("m.keras", save_freq="batch"),
        lambda: callbacks.ModelCheckpoint("m.keras", save_freq=0),
        lambda: callbacks.ModelCheckpoint("m.keras", period=0),
        lambda: callbacks.TensorBoard(update_freq="never"),
        lambda: callbacks.TensorBoard(profile_batch=(1, 2, 3)),
        lambda: callbacks.TensorBoard(profile_batch=(5, 2)),
        lambda: callbacks.TensorBoard(histogram_freq=-1),
        lambda: callbacks.LearningRateScheduler(lambda epoch: "fast").rate_at(0, 0.1),
    ],
)
def test_bad_arguments_are_refused(make: Any) -> None:
    with pytest.raises(ArgumentError, match="expected"):
        make()


def test_bad_types_are_refused() -> None:
    with pytest.raises(ArgumentTypeError, match="function"):
        callbacks.LearningRateScheduler(0.1)  # type: ignore[arg-type]
    with pytest.raises(ArgumentTypeError, match="known arguments only, got surprise"):
        callbacks.ReduceLROnPlateau(surprise=1)
    with pytest.raises(ArgumentTypeError, match="function"):
        callbacks.LambdaCallback(on_epoch_end=3)  # type: ignore[arg-type]


def test_a_type_error_inside_a_schedule_is_not_hidden() -> None:
    def broken(epoch: int, rate: float) -> float:
        return rate + "x"  # type: ignore[operator,no-any-return]

    with pytest.raises(TypeError, match="unsupported"):
        callbacks.LearningRateScheduler(broken).rate_at(0, 0.1)


def test_no_optimizer_is_explained() -> None:
    model = FakeModel()
    model.optimizer = None  # type: ignore[assignment]
    with pytest.raises(NotCompiledError, match="optimizer"):
        run(callbacks.LearningRateScheduler(lambda epoch: 0.1), model, LOGS)


def test_terminate_on_nan_names_the_batch() -> None:
    with pytest.raises(TrainingError, match="batch 1"):
        run(
            callbacks.TerminateOnNaN(raise_error=True),
            FakeModel(),
            LOGS,
            batches=[{"loss": 1.0}, {"loss": float("nan")}],
        )


def test_checkpoints_by_batch_read_only_what_their_name_needs() -> None:
    checkpoint = callbacks.ModelCheckpoint("b{epoch}-{batch}.keras", save_freq=1)
    model = FakeModel()
    checkpoint.set_model(model)
    checkpoint.on_epoch_begin(0)
    checkpoint.on_train_batch_end(0, NoLooking())
    assert model.saved[0][1] == "b1-1.keras"


def test_examples_in_docstrings() -> None:
    for module in pkgutil.iter_modules(neocog.callbacks.__path__, "neocog.callbacks."):
        result = doctest.testmod(importlib.import_module(module.name))
        assert result.failed == 0, module.name
