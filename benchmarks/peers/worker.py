"""One competitor that speaks Keras: Keras on one of its backends, or neocog. Imports that and NumPy alone.

Started by the suite as `python worker.py`; the first line on its input says what to measure.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from keras_networks import NETWORKS, augmentation
from protocol import serve


def library(name: str) -> Any:
    """Import what the competitor is called after."""
    if name == "neocog":
        import neocog as keras
    else:
        import keras
    return keras


def versions(keras: Any) -> dict[str, str]:
    """Return the versions of what computes."""
    found = {"python": sys.version.split()[0], "numpy": np.__version__}
    found[keras.__name__] = keras.__version__
    for name in ("torch", "tensorflow", "jax"):
        module = sys.modules.get(name)
        if module is not None and hasattr(module, "__version__"):
            found[name] = str(module.__version__)
    return found


class KerasRunner:
    """`fit`, `evaluate` or `predict` as a user writes it; a run is one call."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.case = case = request["case"]
        self.keras = keras = library(request["library"])
        self.batch = case["batch"] or 32
        self.folder = request["data"]
        keras.utils.set_random_seed(0)
        if request["precision"] != "float32":
            keras.mixed_precision.set_global_policy(request["precision"])
        self.mapped = augmentation(keras) if request.get("mapped") else []
        self.model = NETWORKS["cats" if self.mapped else case["network"]](keras)
        if case["verb"] != "predict":
            loss = "binary_crossentropy" if case["binary"] else "sparse_categorical_crossentropy"
            optimizer = keras.optimizers.Adam(case["rate"])
            self.model.compile(optimizer, loss, metrics=["accuracy"])
        if case["files"]:
            self.dataset = self._dataset()
        else:
            self.x = np.load(Path(self.folder) / "x.npy")
            self.y = np.load(Path(self.folder) / "y.npy")
        self.facts = {"parameters": int(self.model.count_params()), "versions": versions(keras)}

    def run(self, steps: int) -> int:
        """Run about so many steps: part of an epoch, or whole epochs."""
        if self.case["files"]:
            return self._files(steps)
        per_epoch = max(1, len(self.x) // self.batch)
        epochs = max(1, round(steps / per_epoch))
        count = min(min(steps, per_epoch) * self.batch, len(self.x))
        x, y, rest = self.x[:count], self.y[:count], {"batch_size": self.case["batch"], "verbose": 0}
        if self.case["verb"] == "fit":
            self.model.fit(x, y, epochs=epochs, **rest)
            self._note_plan()
            return count * epochs
        for _ in range(epochs):
            if self.case["verb"] == "evaluate":
                self.model.evaluate(x, y, **rest)
            else:
                self.model.predict(x, **rest)
        return count * epochs

    def _files(self, steps: int) -> int:
        epochs = max(1, round(steps * self.batch / self.case["samples"]))
        if self.case["first"]:
            for _ in range(epochs):
                self.dataset = self._dataset()
                self.model.fit(self.dataset, epochs=1, verbose=0)
        else:
            self.model.fit(self.dataset, epochs=epochs, verbose=0)
        self._note_plan()
        return epochs * int(self.case["samples"])

    def _dataset(self) -> Any:
        """The photographs, with nothing kept of them from earlier."""
        os.environ["NEOCOG_HOME"] = tempfile.mkdtemp(dir=os.environ.get("BENCH_SCRATCH"))
        dataset = self.keras.utils.image_dataset_from_directory(
            self.folder,
            label_mode="binary",
            image_size=self.case["shape"][:2],
            batch_size=self.batch,
            seed=1,
            verbose=False,
        )
        return dataset.map(self._augmented, -1).prefetch(-1) if self.mapped else dataset  # -1: AUTOTUNE

    def _augmented(self, x: Any, y: Any) -> Any:
        for layer in self.mapped:
            x = layer(x)
        return x, y

    def _note_plan(self) -> None:
        plan = getattr(self.model, "plan", None)
        if plan is not None:
            self.facts["plan"] = str(plan)

    def overhead(self, steps: int, rounds: int) -> dict[str, Any]:
        """Microseconds a step of `fit`, of the model's own bare step, of a plain torch module's."""
        from overhead import measure

        return measure(self, steps, rounds)

    def learn(self, **settings: Any) -> dict[str, Any]:
        """Train until a test accuracy is reached."""
        from learning import learn_keras

        return learn_keras(self, **settings)


def main() -> None:
    """Serve; the time of the import counts as start."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    serve(KerasRunner)


if __name__ == "__main__":
    begin = time.perf_counter()
    main()
