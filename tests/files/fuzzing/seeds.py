"""The undamaged files that mutations start from: small models, compiled and trained a step."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import neocog as keras
from neocog import layers


def models() -> list[Any]:
    """Return small models: a stack, a graph of two inputs with a shared layer, a model in a model."""
    keras.core.set_random_seed(1)
    keras.core.reset_names()
    stack = keras.Sequential([
        layers.Input((8, 8, 1)), layers.Conv2D(2, 3, padding="same", activation="relu"),
        layers.BatchNormalization(), layers.MaxPooling2D(), layers.Flatten(), layers.Dropout(0.5),
        layers.Dense(3, activation="softmax"),
    ])  # fmt: skip
    stack.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    stack.fit(np.ones((4, 8, 8, 1), "float32"), np.array([0, 1, 2, 0]), verbose=0)
    one, two = layers.Input((4,), name="one"), layers.Input((4,), name="two")
    shared = layers.Dense(3, activation="relu")
    joined = layers.Concatenate()([shared(one), shared(two)])
    graph = keras.Model([one, two], [layers.Dense(1, name="p")(joined), layers.Dense(2, name="q")(joined)])
    inner = keras.Sequential([layers.Input((5,)), layers.Dense(4), layers.LayerNormalization()])
    outer_input = layers.Input((5,))
    nested = keras.Model(outer_input, layers.Add()([inner(outer_input), layers.Dense(4)(outer_input)]))
    nested.compile("sgd", "mse")
    return [stack, graph, nested]


def seeds(kind: str) -> list[bytes]:
    """Return one undamaged file for each model."""
    found = []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for model in models():
            if kind == "json":
                found.append(model.to_json().encode())
                continue
            path = Path(folder) / f"model.{kind}"
            model.save(path) if kind in ("keras", "h5") else model.save_weights(path)
            found.append(path.read_bytes())
    return found
