"""Real Keras in a process of its own: opens the files of a job list, writes others, says what they predict.

    python exchange_worker.py FOLDER

reads `jobs.json` in the folder: `open` jobs give a file and the model to predict for, `make` jobs a model to
build and files to write. Predictions go to `<name>.npz`, errors to `answers.json`.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"
warnings.simplefilter("ignore")

import exchange_models as models  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402


def build(job: dict[str, Any]) -> Any:
    if job["model"] in models.WHOLE:
        return models.WHOLE[job["model"]][0](keras)
    return models.layer_model(keras, job["model"], job["arguments"], job["shapes"])


def run(folder: Path, job: dict[str, Any]) -> None:
    data = models.draw(job["shapes"], job["integers"])
    if job["do"] == "make":
        model = build(job)
        models.settle(model)
        for suffix in job["suffixes"]:
            if suffix == ".weights.h5":
                model.save_weights(folder / f"{job['name']}{suffix}")
            else:
                model.save(folder / f"{job['name']}{suffix}")
    elif job["file"].endswith(".weights.h5"):
        model = build(job)
        model.load_weights(folder / job["file"])
    else:
        model = keras.models.load_model(folder / job["file"])
    arrays = models.flat(model.predict(data, verbose=0))
    np.savez(folder / f"{job['name']}.npz", *arrays)


def train(folder: Path, job: dict[str, Any]) -> None:
    """Open a compiled model, or make and compile one; train a few steps and save it."""
    x, y = np.load(folder / "x.npy"), np.load(folder / "y.npy")
    if job["do"] == "train":
        model = keras.models.load_model(folder / job["file"])
    else:
        model = models.trainable(keras)
        models.settle(model)
        optimizer = getattr(keras.optimizers, job["optimizer"])(**job["arguments"])
        model.compile(optimizer, "mse", metrics=["mae"])
        for _ in range(3):
            model.train_on_batch(x, y)
        for suffix in (".keras", ".h5"):
            model.save(folder / f"{job['name']}{suffix}")
    for _ in range(3):
        model.train_on_batch(x, y)
    np.savez(folder / f"{job['name']}.npz", *model.get_weights())


def main(folder: Path) -> None:
    models.classes(keras)
    answers = {}
    for job in json.loads((folder / "jobs.json").read_text()):
        try:
            (train if job["do"] in ("train", "start") else run)(folder, job)
            answers[job["name"]] = ""
        except Exception as error:
            answers[job["name"]] = f"{type(error).__name__}: {str(error)[:2000]}"
    (folder / "answers.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
