"""Models, data and wishes at the edge of what processes share, for `_cases_of_processes.py`."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

import neocog as keras
from neocog import layers

Case = tuple[Any, dict[str, Any]]
RANK, SIZE = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
IS_LAST = RANK + 1 == SIZE  # also the only one


def _data(count: int = 163) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.RandomState(0)
    return draw.rand(count, 6, 12).astype("float32"), draw.randint(0, 5, count)


def _mlp(**kwargs: Any) -> Case:
    outputs = [layers.Flatten(), layers.Dense(8, activation="tanh"), layers.Dense(5, activation="softmax")]
    model = keras.Sequential([keras.Input((6, 12)), *outputs])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = _data()
    return model, {"x": x, "y": y, "batch_size": 32, "epochs": 9, **kwargs}


def stateful() -> Case:
    """States go from one batch to the next, and from one epoch to the next; nine rows are shared unevenly."""
    gru = layers.GRU(4, stateful=True)
    model = keras.Sequential([keras.Input((6, 12)), gru, layers.Dense(5, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = _data(153)
    return model, {"x": x, "y": y, "batch_size": 9, "epochs": 4, "shuffle": False}


def fixed() -> Case:
    model = keras.Sequential([keras.Input(batch_shape=(32, 6, 12)), layers.GRU(5, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    x, y = _data(160)
    return model, {"x": x, "y": y, "batch_size": 32}


def shorter() -> Case:
    """The last process has fewer rows."""
    x, y = _data(100 if IS_LAST else 163)
    return _mlp(x=x, y=y)


def no_validation() -> Case:
    """The last process has nothing to validate on."""
    x, y = _data(45)
    return _mlp(validation_data=None if IS_LAST else (x, y))


class Skipped(layers.Layer):
    """A layer of the user's whose weights are left out of every second step."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = layers.Dense(8, activation="tanh")
        self.steps = 0

    def build(self, input_shape: Any) -> None:
        self.inside.build(input_shape)

    def call(self, inputs: Any, training: bool = False) -> Any:
        self.steps += training
        return inputs if training and self.steps % 2 else inputs + self.inside(inputs)


def unreached(*between: Any, gathered: int | None = None) -> Case:
    """Weights that the loss never reaches: an output without a loss, a layer that nothing uses."""
    inputs = keras.Input((6, 12))
    inside = layers.Dense(8, activation="tanh")(layers.Flatten()(inputs))
    for layer in between:
        inside = layer(inside)
    kind, size = layers.Dense(5, activation="softmax", name="kind"), layers.Dense(1, name="size")
    model = keras.Model(inputs, {"kind": kind(inside), "size": size(inside)})
    model.unused = layers.Dense(3)
    model.unused.build((None, 4))
    optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.1, gradient_accumulation_steps=gathered)
    model.compile(optimizer, {"kind": "sparse_categorical_crossentropy", "size": None})
    x, y = _data()
    return model, {"x": x, "y": {"kind": y}, "batch_size": 32, "epochs": 9}


class Asks(keras.callbacks.Callback):
    """Asks for an end in one process alone."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def _ask(self, where: str, epoch: int) -> None:
        if IS_LAST and where == self.where and epoch == 3:
            self.model.stop_training = True

    def on_train_begin(self, logs: Any = None) -> None:
        self._ask("train", 3)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._ask("begin", epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._ask("end", epoch)


EDGE_CASES = {
    "stateful": stateful,
    "fixed": fixed,
    "shorter": shorter,
    "no_validation": no_validation,
    "unreached": unreached,
    "skipped": lambda: unreached(Skipped()),
    "skipped_gathered": lambda: unreached(Skipped(), gathered=3),
    "asks_at_begin": lambda: _mlp(callbacks=[Asks("begin")]),
    "asks_at_end": lambda: _mlp(callbacks=[Asks("end")]),
    "asks_at_once": lambda: _mlp(callbacks=[Asks("train")]),
}
