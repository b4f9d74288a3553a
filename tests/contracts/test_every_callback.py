"""What every registered callback keeps to; one without a row here fails."""

from __future__ import annotations

import copy
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from contract import check_documented, check_public, features, network, no_sync

from neocog import callbacks, layers, optimizers
from neocog.callbacks import CALLBACKS
from neocog.training import History

TARGETS = torch.ones(8, 1)


def rows(folder: Path) -> dict[str, dict[str, Any]]:
    """Arguments for each class; files go to `folder`."""
    return {
        "BackupAndRestore": {"backup_dir": folder / "backup"},
        "CSVLogger": {"filename": folder / "log.csv"},
        "Callback": {},
        "CallbackList": {},
        "EarlyStopping": {"monitor": "val_loss", "patience": 5, "restore_best_weights": True},
        "History": {},
        "LambdaCallback": {"on_epoch_end": lambda epoch, logs: None},
        "LearningRateScheduler": {"schedule": lambda epoch, rate: 0.5 * rate},
        "ModelCheckpoint": {"filepath": folder / "m.weights.h5", "save_weights_only": True},
        "ProgbarLogger": {},
        "ReduceLROnPlateau": {"monitor": "val_loss", "patience": 1, "min_delta": 10.0},
        "SwapEMAWeights": {"swap_on_epoch": True},
        "TensorBoard": {"log_dir": folder / "logs"},
        "TerminateOnNaN": {},
    }


NAMES = sorted(rows(Path()))
OPEN = {"LambdaCallback", "CallbackList"}  # further keywords are attributes or parameters, as in Keras


def make(name: str, folder: Path, **extra: Any) -> Any:
    return CALLBACKS.resolve(name)(**rows(folder)[name], **extra)


def fit(callback: Any, epochs: int = 2, **arguments: Any) -> Any:
    model = network(layers.Dense(1))
    averages = isinstance(callback, callbacks.SwapEMAWeights)
    model.compile(optimizers.SGD(use_ema=averages), "mse")
    stream, sys.stdout = sys.stdout, io.StringIO()
    try:
        model.fit(
            features(),
            TARGETS,
            batch_size=4,
            epochs=epochs,
            validation_data=(features(), TARGETS),
            callbacks=[callback],
            verbose=0,
            **arguments,
        )
    finally:
        sys.stdout = stream
    return model


def test_every_registered_callback_has_a_row_and_is_public() -> None:
    assert set(CALLBACKS.names()) == set(NAMES)
    check_public(CALLBACKS, callbacks)


@pytest.mark.parametrize("name", NAMES)
class TestCallback:
    def test_documented(self, name: str) -> None:
        check_documented(CALLBACKS.resolve(name))

    def test_unknown_argument_is_refused(self, name: str, tmp_path: Path) -> None:
        if name in OPEN:
            pytest.skip("takes further keywords")
        with pytest.raises(TypeError, match=r"no_such_argument|takes no arguments"):
            make(name, tmp_path, no_such_argument=1)

    def test_runs_in_fit_twice(self, name: str, tmp_path: Path) -> None:
        callback = make(name, tmp_path)
        expected = fit(History()).get_weights()
        for _ in range(2):
            model = fit(callback)
            assert all(np.isfinite(weight).all() for weight in model.get_weights())
            assert model.history.epoch == [0, 1]
            if name not in ("LearningRateScheduler", "ReduceLROnPlateau", "EarlyStopping", "SwapEMAWeights"):
                for got, want in zip(model.get_weights(), expected, strict=True):
                    np.testing.assert_array_equal(got, want)  # it watches, and changes nothing

    def test_runs_in_evaluate_and_predict(self, name: str, tmp_path: Path) -> None:
        callback = make(name, tmp_path)
        model = fit(callback, epochs=1)
        model.evaluate(features(), TARGETS, callbacks=[callback], verbose=0)
        model.predict(features(), callbacks=[callback], verbose=0)

    def test_state_round_trip(self, name: str, tmp_path: Path) -> None:
        callback = make(name, tmp_path)
        fit(callback)
        state = copy.deepcopy(callback.state_dict())
        other = make(name, tmp_path / "other")
        fit(other, epochs=1)
        other.load_state_dict(copy.deepcopy(state))
        assert _plain(other.state_dict()) == _plain(state)
        json.dumps(_plain(state))  # numbers, strings, lists and tensors alone

    def test_does_not_wait_for_the_device_at_batches(self, name: str, tmp_path: Path) -> None:
        callback = make(name, tmp_path)
        model = fit(callback, epochs=1)
        callback.set_model(model)
        callback.on_train_begin({})
        callback.on_epoch_begin(0, {})
        if name not in ("TerminateOnNaN", "ProgbarLogger"):  # these read values: it is what they are for
            with no_sync():
                callback.on_train_batch_begin(0, {})
                callback.on_train_batch_end(0, {"loss": torch.ones(())})
        callback.on_train_end({})


def _plain(state: Any) -> Any:
    if isinstance(state, torch.Tensor):
        return state.tolist()
    if isinstance(state, np.ndarray):
        raise AssertionError("an array in a state")
    if isinstance(state, dict):
        return {key: _plain(value) for key, value in state.items()}
    return [_plain(value) for value in state] if isinstance(state, (list, tuple)) else state
