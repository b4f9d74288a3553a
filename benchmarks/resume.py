"""Suite `resume`: killed with SIGKILL at random moments and started again, a run ends with the same bits.

A network with augmentation, dropout and batch normalization trains on JPEG files, decoded by two threads,
with a schedule, early stopping, a log and averaged weights; a snapshot every few steps. One process runs
undisturbed. The other is killed at moments drawn at random (in steps, in validations, while a snapshot is
written, between epochs) until it has been killed as often as asked, and then runs to its end. Weights,
history and log must be identical.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

KILLS, EPOCHS = 100, 120


def run(kills: int = KILLS, **_: Any) -> list[dict[str, Any]]:
    """Run both and return one row."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_images(folder / "images")
        whole = result(folder, "whole", [])
        moments: list[str] = []
        killed = result(folder, "killed", moments, kills)
    return [
        {
            "kills": len(moments),
            "in steps": moments.count("step"),
            "in validations": moments.count("validation"),
            "elsewhere": moments.count("elsewhere"),
            "weights identical": whole["weights"] == killed["weights"],
            "history identical": whole["history"] == killed["history"],
            "log identical": whole["log"] == killed["log"],
        }
    ]


def make_images(folder: Path) -> None:
    """Draw 160 images of two classes: light on dark in the left or the right half."""
    import numpy as np
    from PIL import Image

    draw = np.random.default_rng(0)
    for number in range(160):
        label = number % 2
        pixels = draw.integers(0, 120, (40, 40, 3)).astype(np.uint8)
        pixels[10:30, 5 + 20 * label : 15 + 20 * label] += 120
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / str(label) / f"{number}.jpg")


def result(folder: Path, name: str, moments: list[str], kills: int = 0) -> dict[str, Any]:
    """Run the training, killed as often as asked, and return what it ends with."""
    draw = random.Random(1)
    (folder / name).mkdir()
    command = [sys.executable, __file__, str(folder), name]
    while True:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        marker = folder / name / "state"
        marker.unlink(missing_ok=True)
        if len(moments) < kills:
            while not marker.exists() and process.poll() is None:
                time.sleep(0.01)
            time.sleep(draw.uniform(0.01, 0.3))
            if process.poll() is None:
                moments.append(marker.read_text().strip())
                process.send_signal(signal.SIGKILL)
                process.wait()
                continue
        if process.wait():
            raise RuntimeError(f"the run {name} failed with exit code {process.returncode}")
        if len(moments) >= kills:
            found: dict[str, Any] = json.loads((folder / name / "result.json").read_text())
            return found
        raise RuntimeError(f"the run ended after {len(moments)} kills: make it longer")


def train(folder: Path, name: str) -> None:
    """Train to the end, from wherever the snapshots say."""
    import neocog as keras
    from neocog import layers

    own = folder / name

    def tell(text: str) -> None:
        (own / "state.new").write_text(text)
        os.replace(own / "state.new", own / "state")

    keras.utils.set_random_seed(3)
    options = {"image_size": (32, 32), "batch_size": 8, "seed": 5, "validation_split": 0.25, "verbose": False}
    data, held_out = keras.utils.image_dataset_from_directory(folder / "images", subset="both", **options)
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Rescaling(1 / 255),
            layers.RandomFlip("horizontal", seed=2),
            layers.RandomRotation(0.05),
            layers.Conv2D(8, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(4),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(2, activation="softmax"),
        ]
    )
    rate = keras.optimizers.schedules.CosineDecay(3e-3, 15 * EPOCHS)
    model.compile(
        keras.optimizers.AdamW(rate, use_ema=True), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )

    class Tell(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            tell("step")

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            time.sleep(0.01)

        def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
            tell("validation")

        def on_test_end(self, logs: Any = None) -> None:
            tell("elsewhere")

    history = model.fit(
        data,
        epochs=EPOCHS,
        validation_data=held_out,
        verbose=0,
        callbacks=[
            keras.callbacks.EarlyStopping(patience=EPOCHS, restore_best_weights=True),
            keras.callbacks.CSVLogger(own / "log.csv"),
            keras.callbacks.ModelCheckpoint(own / "best.keras", save_best_only=True),
            Tell(),
        ],
        snapshots=own / "snapshots",
        every=4,
    )
    digest = hashlib.sha256(b"".join(weight.tobytes() for weight in model.get_weights())).hexdigest()
    log = (own / "log.csv").read_text()
    text = json.dumps({"weights": digest, "history": history.history, "log": log})
    (own / "result.json").write_text(text)


if __name__ == "__main__":
    train(Path(sys.argv[1]), sys.argv[2])
