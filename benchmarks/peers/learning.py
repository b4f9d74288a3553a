"""Training until a test accuracy is reached, in Keras's words and in bare PyTorch, by the same schedule.

Adam, the rate rising linearly over the first epoch's half and then falling along a cosine to zero at the last
step; the test set is evaluated after each epoch, and the first one that reaches the target ends the run.
"""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import numpy as np

TEST_BATCH = 1000


class Course:
    """What happened, epoch by epoch."""

    def __init__(self, target: float) -> None:
        self.target = target
        self.begin = self.last = time.perf_counter()
        self.epochs: list[float] = []
        self.accuracies: list[float] = []

    def note(self, accuracy: float) -> bool:
        """Note the end of an epoch with its evaluation; return whether the target is reached."""
        now = time.perf_counter()
        self.epochs.append(now - self.last)
        self.accuracies.append(accuracy)
        self.last = now
        return accuracy >= self.target

    def as_dict(self) -> dict[str, Any]:
        """Return the times: all of them, and without what only the first epoch paid."""
        warm = list(self.epochs)
        if len(warm) > 1:
            warm[0] = min(warm[0], sorted(warm[1:])[(len(warm) - 1) // 2])
        return {
            "reached": bool(self.accuracies) and self.accuracies[-1] >= self.target,
            "seconds": self.last - self.begin,
            "seconds, first epoch as the others": sum(warm),
            "epochs": len(self.epochs),
            "accuracies": [round(value, 4) for value in self.accuracies],
        }


def test_set(folder: str) -> tuple[Any, Any]:
    """Return the images and labels that are evaluated."""
    return np.load(Path(folder) / "x_test.npy"), np.load(Path(folder) / "y_test.npy")


def learn_keras(runner: Any, target: float, epochs: int, rate: float, seed: int) -> dict[str, Any]:
    """Train a new model by `fit`."""
    from keras_networks import NETWORKS

    keras, case = runner.keras, runner.case
    x_test, y_test = test_set(runner.folder)
    keras.utils.set_random_seed(seed)
    model = NETWORKS[case["network"]](keras)
    steps = -(-len(runner.x) // case["batch"])
    warm_up = steps // 2
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, epochs * steps - warm_up, warmup_target=rate, warmup_steps=warm_up
    )
    model.compile(keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"])
    course = Course(target)

    class Watch(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if course.note(float(logs["val_accuracy"])):
                self.model.stop_training = True

    course.begin = course.last = time.perf_counter()
    model.fit(
        runner.x,
        runner.y,
        batch_size=case["batch"],
        epochs=epochs,
        validation_data=(x_test, y_test),
        validation_batch_size=TEST_BATCH,
        callbacks=[Watch()],
        verbose=0,
    )
    return course.as_dict()


def learn_torch(runner: Any, target: float, epochs: int, rate: float, seed: int) -> dict[str, Any]:
    """Train a new network by the tuned loop."""
    import torch
    from torch_networks import made

    x_test, y_test = (torch.from_numpy(part).to(runner.device) for part in test_set(runner.folder))
    torch.manual_seed(seed)
    network = made(runner.case["network"]).to(runner.device, memory_format=torch.channels_last)
    runner.network = runner.forward = network
    runner.optimizer = torch.optim.Adam(network.parameters(), rate, eps=1e-7, fused=True)
    steps = -(-len(runner.x) // runner.batch)
    warm_up, whole = steps // 2, epochs * steps

    def factor(step: int) -> float:
        if step < warm_up:
            return step / warm_up
        return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / (whole - warm_up)))

    schedule = torch.optim.lr_scheduler.LambdaLR(runner.optimizer, factor)
    course = Course(target)
    for _ in range(epochs):
        runner._train_epoch(_stepping(runner._shuffled(len(runner.x)), schedule))
        network.eval()
        right = torch.zeros((), device=runner.device)
        with torch.inference_mode(), runner.autocast():
            for first in range(0, len(x_test), TEST_BATCH):
                part = slice(first, first + TEST_BATCH)
                logits = network(runner._first(x_test[part]))
                right += (logits.argmax(1) == y_test[part]).sum()
        if course.note(float(right) / len(x_test)):
            break
    return course.as_dict()


def _stepping(batches: Any, schedule: Any) -> Any:
    """Give the batches; the schedule moves after each."""
    for batch in batches:
        yield batch
        schedule.step()
