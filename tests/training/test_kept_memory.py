"""Steps that follow each other on a CPU take the memory that the one before left."""

from __future__ import annotations

import resource
import sys

import numpy as np
import pytest

import neocog as keras

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's malloc alone is told")

_PAGES = 8 * 8 * 128 * 128 * 4 // 4096  # of one layer's outputs


def _model() -> keras.Sequential:
    convolutions = [keras.layers.Conv2D(8, 3, padding="same", activation="tanh") for _ in range(3)]
    layers = [*convolutions, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((128, 128, 3)), *layers])
    model.compile("sgd", "mse")
    return model


class _Faults(keras.callbacks.Callback):
    """Counts the pages that each batch had to ask the system for."""

    def __init__(self):
        super().__init__()
        self.seen: list[int] = []

    def note(self, batch, logs=None):
        self.seen.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)

    on_train_batch_end = on_predict_batch_end = note


@pytest.mark.parametrize("verb", ["fit", "predict"])
def test_batches_after_the_second_ask_for_next_to_no_pages(verb):
    keras.utils.set_random_seed(0)
    model, faults = _model(), _Faults()
    x = np.random.default_rng(0).random((64, 128, 128, 3), dtype=np.float32)
    targets = () if verb == "predict" else (np.zeros((64, 1), np.float32),)
    getattr(model, verb)(x, *targets, batch_size=8, verbose=0, callbacks=[faults])
    asked = np.diff(faults.seen)[1:]
    assert len(asked) == 6
    assert np.median(asked) < _PAGES / 2, asked
