"""Keras 2's `decay`: files hold it as a schedule, so the optimizer has the variables of one with such."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neocog as keras

X, Y = np.ones((4, 3), "float32"), np.zeros((4, 2), "float32")


def trained(optimizer: Any) -> Any:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(optimizer, "mse")
    model.fit(X, Y, epochs=2, verbose=0)
    return model


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_training_goes_on_from_a_file(suffix: str, tmp_path: Path) -> None:
    with pytest.warns(DeprecationWarning, match="decay"):
        optimizer = keras.optimizers.SGD(0.1, decay=0.5, momentum=0.9)
    model = trained(optimizer)
    schedule = keras.optimizers.schedules.InverseTimeDecay(0.1, 1, 0.5)
    other = trained(keras.optimizers.SGD(schedule, momentum=0.9))
    assert len(model.optimizer.variables) == len(other.optimizer.variables) == 3
    model.save(tmp_path / f"model{suffix}")
    again = keras.models.load_model(tmp_path / f"model{suffix}")
    assert again.optimizer.iterations == 2
    for each in (model, again):
        each.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    for ours, theirs in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
