"""Trainings that are interrupted and go on, and evaluations with averaged weights, beside real Keras."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras as real
import numpy as np
import pytest

import neocog as keras
from neocog import callbacks, layers, optimizers
from neocog.exceptions import ArgumentError, FileFormatError
from neocog.files import snapshots_in
from neocog.training import _snapshots

DRAW = np.random.RandomState(0)
X, Y = DRAW.randn(24, 3).astype("float32"), DRAW.randn(24, 1).astype("float32")
WEIGHTS = [DRAW.randn(3, 1).astype("float32"), np.zeros(1, "float32")]


def made(lib=keras, optimizer=None):
    model = lib.Sequential([lib.layers.Input((3,)), lib.layers.Dense(1)])
    model.set_weights(WEIGHTS)
    model.compile(optimizer or lib.optimizers.Adam(0.1), "mse")
    return model


class Stop(callbacks.Callback):
    def __init__(self, epoch: int, batch: int = 0) -> None:
        super().__init__()
        self.at = epoch, batch
        self.epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            raise KeyboardInterrupt


def fit(model, *watchers, epochs=5, shuffle=True):
    return model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, callbacks=list(watchers), shuffle=shuffle)


@pytest.mark.parametrize("batch", [0, 2])
def test_an_interrupted_training_ends_as_one_without(tmp_path, batch):
    keras.utils.set_random_seed(1)
    whole = made()
    expected = fit(whole).history["loss"]
    keras.utils.set_random_seed(1)
    first = made()
    with pytest.raises(KeyboardInterrupt):
        fit(first, callbacks.BackupAndRestore(tmp_path / "b"), Stop(3, batch))
    assert len(snapshots_in(tmp_path / "b")) == 2
    keras.utils.set_random_seed(2)
    second = made()
    history = fit(second, callbacks.BackupAndRestore(tmp_path / "b"))
    assert history.epoch == [0, 1, 2, 3, 4]
    assert history.history["loss"] == expected
    for a, b in zip(second.get_weights(), whole.get_weights()):
        np.testing.assert_array_equal(a, b)
    assert not (tmp_path / "b").exists()


def test_batches_are_counted_and_files_kept(tmp_path, monkeypatch):
    saved = []
    plain = _snapshots.write_snapshot
    monkeypatch.setattr(_snapshots, "write_snapshot", lambda *a: (saved.append(a[1]), plain(*a)))
    fit(made(), callbacks.BackupAndRestore(tmp_path / "b", save_freq=2, delete_checkpoint=False), epochs=4)
    assert saved == [0, 2, 4, 6, 8, 10, 12, 12]  # the first, those of 12 batches, the end
    (tmp_path / "b" / "mine.txt").write_text("stays")
    fit(made(), callbacks.BackupAndRestore(tmp_path / "b"), epochs=4)
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["mine.txt"]
    fit(made(), callbacks.BackupAndRestore(tmp_path / "c", save_freq=False))
    assert not (tmp_path / "c").exists()


def test_a_damaged_state_falls_back_to_the_one_before(tmp_path):
    folder = tmp_path / "b"
    with pytest.raises(KeyboardInterrupt):
        fit(made(), callbacks.BackupAndRestore(folder), Stop(3))
    newest = snapshots_in(folder)[0]
    newest.write_bytes(b"damaged")
    history = fit(made(), callbacks.BackupAndRestore(folder))
    assert history.epoch == [0, 1, 2, 3, 4]
    with pytest.raises(KeyboardInterrupt):
        fit(made(), callbacks.BackupAndRestore(folder), Stop(3))
    for path in snapshots_in(folder):
        path.write_bytes(b"damaged")
    with pytest.raises(FileFormatError, match="damaged ones only"):
        fit(made(), callbacks.BackupAndRestore(folder))


def test_bad_arguments():
    for arguments, text in (
        (("",), "a folder"),
        (("a", "batch"), "save_freq 'epoch'"),
        (("a", 0), "save_freq"),
    ):
        with pytest.raises(ArgumentError, match=text):
            callbacks.BackupAndRestore(*arguments)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # real Keras's own
@pytest.mark.parametrize("on_epoch", [False, True, None])
@pytest.mark.parametrize("overwrite", [None, 2])
def test_averages_are_those_of_keras(on_epoch, overwrite):
    found = []
    for lib in (keras, real):
        options = {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": overwrite}
        model = made(lib, lib.optimizers.SGD(0.05, **options))
        seen = []
        look = lib.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: seen.append(
                np.concatenate([w.ravel() for w in model.get_weights()])
            )
        )
        watchers = [look] if on_epoch is None else [lib.callbacks.SwapEMAWeights(on_epoch), look]
        history = model.fit(X, Y, batch_size=8, epochs=3, verbose=0, shuffle=False, callbacks=watchers,
                            validation_data=(X, Y))  # fmt: skip
        found.append([*seen, *model.get_weights(), history.history["val_loss"]])
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_evaluation_swaps_back_and_needs_averages():
    model = made(optimizer=optimizers.SGD(0.05, use_ema=True))
    model.train_on_batch(X, Y)
    model.train_on_batch(2 * X, Y)
    before = model.get_weights()
    plain = model.predict(X, verbose=0)
    averaged = model.predict(X, verbose=0, callbacks=[callbacks.SwapEMAWeights()])
    assert not np.allclose(plain, averaged)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    with pytest.raises(ArgumentError, match="use_ema=True"):
        fit(made(), callbacks.SwapEMAWeights())


def test_layers_without_a_first_shape_are_built_before(tmp_path):
    model = keras.Sequential([layers.Dense(1)])
    model.compile("adam", "mse")
    with pytest.raises(KeyboardInterrupt):
        fit(model, callbacks.BackupAndRestore(tmp_path / "b"), Stop(1))
    other = keras.Sequential([layers.Dense(1)])
    other.compile("adam", "mse")
    assert fit(other, callbacks.BackupAndRestore(tmp_path / "b")).epoch == [0, 1, 2, 3, 4]
