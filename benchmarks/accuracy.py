"""Suite `accuracy`: what the networks of the course reach on the real sets, with fixed seeds.

The sets are looked for as the README says. Each row names its network, its settings and the test accuracy;
nothing is chosen by looking at the test images.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from networks import NETWORKS

import neocog as keras


def run(only: str | None = None, **_: Any) -> list[dict[str, Any]]:
    """Run the suite, or one row of it."""
    rows = {
        "mnist-mlp": mnist_mlp,
        "mnist-cnn": mnist_cnn,
        "fashion": fashion,
        "cats-and-dogs": cats_and_dogs,
    }
    chosen = [rows[only]] if only else list(rows.values())
    return [_timed(row) for row in chosen]


def _timed(row: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    keras.utils.set_random_seed(1)
    start = time.perf_counter()
    found = row()
    return {**found, "minutes": round((time.perf_counter() - start) / 60, 1)}


def mnist_mlp() -> dict[str, Any]:
    """784-512-10, 5 epochs, as in the notes."""
    (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
    model = NETWORKS["mlp"].neocog()
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(_flat(x), y, epochs=5, batch_size=128, verbose=2)
    return _row("MNIST", "perceptron 784-512-10, RMSprop, batch 128, 5 epochs", model, _flat(x_test), y_test)


def mnist_cnn() -> dict[str, Any]:
    """Three convolutions, 5 epochs."""
    layers = keras.layers
    (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=5, batch_size=64, verbose=2)
    return _row("MNIST", "convolutions 32-64-64, Adam, batch 64, 5 epochs", model, x_test, y_test)


def fashion() -> dict[str, Any]:
    """The network of the course notes, 6 epochs with a falling rate."""
    (x, y), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
    epochs, batch_size = 6, 64
    model = NETWORKS["fashion"].neocog()
    rate = keras.optimizers.schedules.CosineDecay(1e-3, epochs * -(-len(x) // batch_size))
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x / np.float32(255), y, epochs=epochs, batch_size=batch_size, verbose=2)
    settings = f"network of the notes, Adam with cosine decay, batch {batch_size}, {epochs} epochs"
    return _row("Fashion-MNIST", settings, model, x_test / np.float32(255), y_test)


def cats_and_dogs() -> dict[str, Any]:
    """`neocog train` on the photographs, from scratch, everything left to its defaults."""
    from neocog.workflows import TrainConfig, train

    with tempfile.TemporaryDirectory() as folder:
        result = train(TrainConfig(data="cats_vs_dogs", out=str(Path(folder) / "run")))
        return {
            "set": "cats and dogs",
            "how": f"neocog train, defaults, {result.epochs} epochs",
            "test accuracy": f"{result.test.accuracy:.4f}",
        }


def _flat(x: Any) -> Any:
    return x.reshape(len(x), -1).astype("float32") / 255


def _row(name: str, how: str, model: Any, x_test: Any, y_test: Any) -> dict[str, Any]:
    accuracy = model.evaluate(x_test, y_test, verbose=0, return_dict=True)["accuracy"]
    return {"set": name, "how": how, "test accuracy": f"{accuracy:.4f}"}
