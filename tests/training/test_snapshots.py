"""A run that is stopped anywhere and started again ends as one that was never stopped: bit for bit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

import neocog as keras
from neocog import layers
from neocog.exceptions import ArgumentError, ArgumentTypeError, FileFormatError
from neocog.files import read_snapshot, snapshots_in, write_snapshot
from neocog.training._snapshots import Every, parse_every

X = np.random.RandomState(0).randint(0, 255, (96, 8, 8, 3)).astype("uint8")
Y = np.random.RandomState(1).randint(0, 4, 96)


class Stopped(Exception):
    """Stands for the end of the process."""


class StopAt(keras.callbacks.Callback):
    """Ends the run at its n-th batch, those of validations counted."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at
        self._left = [at]

    def _count(self) -> None:
        self._left[0] -= 1
        if self._left[0] == 0:
            raise Stopped

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._count()

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self._count()

    def state_dict(self) -> dict[str, Any]:
        return {}


class Losses(keras.callbacks.Callback):
    """A callback as people write them: attributes, no state_dict."""

    def on_train_begin(self, logs: Any = None) -> None:
        self.losses: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.losses.append(float(logs["loss"]))


def image_model(optimizer: Any = None) -> Any:
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Rescaling(1 / 255),
            layers.RandomFlip("horizontal"),
            layers.RandomRotation(0.1, seed=3),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile(optimizer or "adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def arrays() -> dict[str, Any]:
    return {"x": X, "y": Y, "batch_size": 16}


def dataset() -> dict[str, Any]:
    flip = layers.RandomFlip(seed=2)
    data = keras.Dataset.from_tensor_slices((X.astype("float32"), Y)).shuffle(96).batch(16)
    return {"x": data.map(lambda x, y: (flip(x, training=True), y))}


def shuffled_loader() -> dict[str, Any]:
    return {"x": DataLoader(TensorDataset(torch.tensor(X), torch.tensor(Y)), batch_size=16, shuffle=True)}


def generator() -> dict[str, Any]:
    def give() -> Any:
        order = np.random.RandomState(4)
        while True:
            index = order.randint(0, 96, 16)
            yield X[index], Y[index]

    return {"x": give(), "steps_per_epoch": 5}


def few_steps() -> dict[str, Any]:
    return {**arrays(), "steps_per_epoch": 4}


def run(folder: Path | None, data: Any, stop: int | None, tmp: Path, **options: Any) -> Any:
    model = options.pop("model", None) or image_model()
    losses = Losses()
    callbacks = [
        keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau(patience=1),
        keras.callbacks.CSVLogger(tmp / "log.csv"),
        losses,
        StopAt(stop or -1),
    ]
    wanted = {"epochs": 4, "validation_data": (X[:32], Y[:32]), "verbose": 0, "every": 2, **options}
    history = model.fit(**data(), callbacks=callbacks, snapshots=folder, **wanted)
    return model, history, losses.losses, (tmp / "log.csv").read_bytes()


def until_done(folder: Path, data: Any, stops: list[int], tmp: Path, **options: Any) -> Any:
    for stop in stops:
        with pytest.raises(Stopped):
            run(folder, data, stop, tmp, **options)
    return run(folder, data, None, tmp, **options)


def assert_same(whole: Any, pieces: Any) -> None:
    for expected, found in zip(whole[0].get_weights(), pieces[0].get_weights(), strict=True):
        np.testing.assert_array_equal(expected, found)
    assert whole[1].history == pieces[1].history
    assert whole[1].epoch == pieces[1].epoch
    assert whole[2:] == pieces[2:]


@pytest.mark.parametrize("data", [arrays, dataset, few_steps, shuffled_loader])
@pytest.mark.parametrize("stops", [[3], [7, 2, 9]])
def test_stopped_and_started_again_ends_the_same(tmp_path: Path, data: Any, stops: list[int]) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = run(None, data, None, tmp_path / "a")
    assert_same(whole, until_done(tmp_path / "snapshots", data, stops, tmp_path / "b"))


def test_a_generator_is_read_again_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = run(None, generator, None, tmp_path / "a")
    with pytest.raises(Stopped):
        run(tmp_path / "s", generator, 7, tmp_path / "b")
    with pytest.warns(UserWarning, match="read again from its start"):
        assert_same(whole, run(tmp_path / "s", generator, None, tmp_path / "b"))


def test_a_checker_sees_a_difference(tmp_path: Path) -> None:
    whole = run(None, arrays, None, tmp_path)
    other = run(None, arrays, None, tmp_path, epochs=3)
    with pytest.raises(AssertionError):
        assert_same(whole, other)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.SGD(0.1, momentum=0.9, gradient_accumulation_steps=2),
        lambda: keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(1e-2, 20), use_ema=True),
    ],
)
def test_optimizers_go_on(tmp_path: Path, optimizer: Any) -> None:
    whole = run(None, arrays, None, tmp_path, model=image_model(optimizer()))
    with pytest.raises(Stopped):
        run(tmp_path / "s", arrays, 9, tmp_path, model=image_model(optimizer()))
    assert_same(whole, run(tmp_path / "s", arrays, None, tmp_path, model=image_model(optimizer())))


def test_an_unseeded_run_repeats_too(tmp_path: Path) -> None:
    """Weights and orders that were drawn at random come back with the first snapshot."""
    with pytest.raises(Stopped):
        run(tmp_path / "s", arrays, 3, tmp_path, model=image_model(), every="1h")
    first = read_snapshot(snapshots_in(tmp_path / "s")[-1])
    other = image_model()
    other.set_weights([weight + 1 for weight in other.get_weights()])
    torch.manual_seed(99)
    whole = run(None, arrays, None, tmp_path)
    assert first["position"]["steps"] == 0
    assert_same(whole, run(tmp_path / "s", arrays, None, tmp_path, model=other))


def test_a_finished_run_is_not_trained_again(tmp_path: Path, capsys: Any) -> None:
    whole = run(tmp_path / "s", arrays, None, tmp_path, epochs=2)
    again = run(tmp_path / "s", arrays, None, tmp_path, epochs=2, verbose=2)
    assert_same(whole, again)
    assert "nothing is left to do" in capsys.readouterr().out


def test_more_epochs_go_on(tmp_path: Path) -> None:
    whole = run(None, arrays, None, tmp_path, epochs=3)
    run(tmp_path / "s", arrays, None, tmp_path, epochs=2)
    assert_same(whole, run(tmp_path / "s", arrays, None, tmp_path, epochs=3))


def test_a_damaged_newest_snapshot_is_passed_over(tmp_path: Path, capsys: Any) -> None:
    whole = run(None, arrays, None, tmp_path)
    with pytest.raises(Stopped):
        run(tmp_path / "s", arrays, 9, tmp_path)
    newest = snapshots_in(tmp_path / "s")[0]
    newest.write_bytes(newest.read_bytes()[:-7])
    assert_same(whole, run(tmp_path / "s", arrays, None, tmp_path, verbose=2))
    assert "a damaged snapshot was passed over" in capsys.readouterr().out


def test_only_damaged_snapshots_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run(tmp_path / "s", arrays, 5, tmp_path)
    for path in snapshots_in(tmp_path / "s"):
        path.write_bytes(b"")
    with pytest.raises(FileFormatError, match="damaged ones only"):
        run(tmp_path / "s", arrays, None, tmp_path)


def test_another_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run(tmp_path / "s", arrays, 5, tmp_path)
    other = keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(4)])
    other.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    with pytest.raises(ArgumentError, match="the network of the snapshot"):
        run(tmp_path / "s", arrays, None, tmp_path, model=other)


def test_a_disk_that_fails_costs_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import safetensors.torch

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    whole = run(None, arrays, None, tmp_path)
    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.warns(UserWarning, match="training goes on without") as warned:
        assert_same(whole, run(tmp_path / "s", arrays, None, tmp_path))
    assert len(warned) == 1
    assert not snapshots_in(tmp_path / "s")


def test_two_are_kept(tmp_path: Path) -> None:
    run(tmp_path / "s", arrays, None, tmp_path, epochs=2)
    assert len(list((tmp_path / "s").iterdir())) == 2


SCRIPT = """
    import sys, time
    import numpy as np
    import neocog as keras
    class Slow(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            print("step", batch, flush=True)
            time.sleep(0.05)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.zeros((4000, 4), "float32")
    model.fit(x, x[:, :1], batch_size=4, verbose=0, callbacks=[Slow()], snapshots=sys.argv[1], every="1h")
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, -signal.SIGINT)])
def test_a_signal_leaves_a_snapshot_within_a_step(tmp_path: Path, number: int, code: int) -> None:
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path / "s")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        lines = iter(process.stdout.readline, "")  # type: ignore[union-attr]
        for line in lines:
            if line.startswith("step 3"):
                os.kill(process.pid, number)
                break
        last = [line for line in lines if line.startswith("step")]
        assert process.wait(timeout=60) in (code, 130)
    done = read_snapshot(snapshots_in(tmp_path / "s")[0])["position"]["step"]
    assert done == 4 + len(last)
    assert len(last) <= 1


def test_every_says_how_often() -> None:
    assert parse_every("5min") == Every(seconds=300)
    assert parse_every("1.5 hours") == Every(seconds=5400)
    assert parse_every(7) == parse_every("7 steps") == Every(steps=7)
    assert parse_every("epoch") == Every(epochs=1)
    assert parse_every("3 epochs") == Every(epochs=3)
    for wrong in ("often", "", 0, None, "0 steps", "1.5 epochs", True):
        with pytest.raises(ArgumentError, match="every"):
            parse_every(wrong)


@pytest.mark.parametrize("folder", [True, 3, b"runs", ["runs"]])
def test_a_folder_that_is_no_path_is_named(folder: Any) -> None:
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(4)])
    model.compile("sgd", "mse")
    with pytest.raises(
        ArgumentTypeError, match=r"snapshots=….: expected the path of a folder to keep them in"
    ):
        model.fit(X, Y, snapshots=folder, verbose=0)


def test_what_a_snapshot_cannot_hold_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArgumentTypeError, match=r"state\.hooks\[0\]"):
        write_snapshot(tmp_path, 1, {"hooks": [print]})
    assert not list(tmp_path.iterdir())


def test_files_hold_what_was_written(tmp_path: Path) -> None:
    state = {
        "tensor": torch.arange(24.0).reshape(1, 2, 3, 4).to(memory_format=torch.channels_last),
        "bfloat16": torch.ones(2, dtype=torch.bfloat16),
        "numpy": np.arange(3, dtype=np.uint32),
        "numbers": [0.1, float("inf"), -1, True, None, "ü"],
        "pairs": {3: ("a", ["b"])},
        "$odd": {"$tensor": "t0"},
    }
    found = read_snapshot(write_snapshot(tmp_path, 5, state))
    assert torch.equal(found["tensor"], state["tensor"])  # type: ignore[arg-type]
    assert found["bfloat16"].dtype == torch.bfloat16
    assert found["numpy"].dtype == np.uint32
    assert found["numbers"] == state["numbers"]
    assert found["pairs"] == state["pairs"]
    assert found["$odd"] == {"$tensor": "t0"}
