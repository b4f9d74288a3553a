"""Steps that follow each other on a CPU take the memory that the one before left."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's malloc alone is told")

_PAGES = 8 * 8 * 128 * 128 * 4 // 4096  # of one layer's outputs

# In a process of its own: what other tests leave in the heap would decide with.
_SCRIPT = """
import json, resource, sys
import numpy as np
import neocog as keras

class Faults(keras.callbacks.Callback):
    seen = []

    def note(self, batch, logs=None):
        self.seen.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)

    on_train_batch_end = on_predict_batch_end = note

keras.utils.set_random_seed(0)
convolutions = [keras.layers.Conv2D(8, 3, padding="same", activation="tanh") for _ in range(3)]
layers = [*convolutions, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1)]
model = keras.Sequential([keras.Input((128, 128, 3)), *layers])
model.compile("sgd", "mse")
x = np.random.default_rng(0).random((64, 128, 128, 3), dtype=np.float32)
targets = () if sys.argv[1] == "predict" else (np.zeros((64, 1), np.float32),)
getattr(model, sys.argv[1])(x, *targets, batch_size=8, verbose=0, callbacks=[Faults()])
print(json.dumps(Faults.seen))
"""


@pytest.mark.parametrize("verb", ["fit", "predict"])
def test_batches_after_the_second_ask_for_next_to_no_pages(verb):
    command = [sys.executable, "-c", _SCRIPT, verb]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    asked = np.diff(json.loads(done.stdout))[1:]
    assert len(asked) == 6
    assert np.median(asked) < _PAGES / 2, asked
