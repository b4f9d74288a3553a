"""A scripted run: the same logs go through callbacks of both sides; a fake model notes what happens."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import torch

from neocog import metrics

LOGS = [
    {"accuracy": 0.5, "loss": loss, "val_accuracy": 0.4, "val_loss": loss}
    for loss in (1.0, 0.5, 0.6, 0.7, 0.8, 0.9)
]


class FakeModel:
    """What callbacks touch of a model: weights, optimizer, saving, stopping."""

    def __init__(self, metric_names: Sequence[str] = ("accuracy",)) -> None:
        self.weights = [np.zeros(2, "float32")]
        self.optimizer = SimpleNamespace(learning_rate=0.1, iterations=0)
        self.stop_training = False
        self.history: Any = None
        self.saved: list[tuple[str, str, float]] = []
        self.metrics = [metrics.BinaryAccuracy(name=name) for name in metric_names]

    def get_weights(self) -> list[np.ndarray]:
        return [weight.copy() for weight in self.weights]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        self.weights = [weight.copy() for weight in weights]

    def state_dict(self) -> dict[str, torch.Tensor]:
        return {"w": torch.from_numpy(self.weights[0])}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        self.weights = [state["w"].numpy().copy()]

    def save(self, path: str, overwrite: bool = True) -> None:
        self.saved.append(("model", str(path), float(self.weights[0][0])))

    def save_weights(self, path: str, overwrite: bool = True) -> None:
        self.saved.append(("weights", str(path), float(self.weights[0][0])))

    @classmethod
    def for_keras(cls, metric_names: Sequence[str] = ("accuracy",)) -> FakeModel:
        """The same, with the metrics wrapped as Keras's callbacks look for them."""
        from keras.src.trainers.compile_utils import MetricsList

        model = cls()
        theirs = [keras.metrics.BinaryAccuracy(name=name) for name in metric_names]
        model.metrics = [MetricsList(theirs)]  # type: ignore[list-item]
        return model


class WeightedModel(FakeModel):
    """A fake model with named parameters, for TensorBoard."""

    def __init__(self) -> None:
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Embedding(4, 3), torch.nn.Linear(3, 2))
        self.named_parameters = self.net.named_parameters
        self.named_modules = self.net.named_modules


def run(
    callback: Any,
    model: Any,
    logs: Iterable[dict[str, Any]],
    *,
    batches: Sequence[dict[str, Any]] = ({"loss": 1.0}, {"loss": 0.9}),
    epochs: int | None = None,
    initial_epoch: int = 0,
) -> tuple[list[dict[str, Any]], str]:
    """Drive one callback through `fit`; return the logs as it left them, and what it printed."""
    script = [dict(entry) for entry in logs]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        callback.set_params({"epochs": epochs or len(script), "steps": len(batches), "verbose": 0})
        callback.set_model(model)
        model.stop_training = False
        callback.on_train_begin()
        done = []
        for epoch, entry in enumerate(script, start=initial_epoch):
            callback.on_epoch_begin(epoch)
            for index, values in enumerate(batches):
                callback.on_train_batch_begin(index)
                model.weights[0] = model.weights[0] + 1
                model.optimizer.iterations += 1
                callback.on_train_batch_end(index, dict(values))
                if model.stop_training:
                    break
            callback.on_epoch_end(epoch, entry)
            done.append(entry)
            if model.stop_training:
                break
        callback.on_train_end()
    return done, out.getvalue()


def files_under(folder: Path) -> list[str]:
    """The files in a folder and its folders, by relative name."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
