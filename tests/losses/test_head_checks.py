"""Heads that cannot learn what they are given are refused by `fit`: where, expected, got, do this."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from neocog import Sequential, layers
from neocog.exceptions import DataError, ShapeError

X = np.random.default_rng(0).random((12, 4)).astype("float32")
CLASSES = np.arange(12) % 3
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]
SEVERAL = (np.arange(36).reshape(12, 3) // 2 % 2).astype("float32")


def fit(units: int, activation: str | None, loss: str, y: Any) -> None:
    """Train one dense layer for one epoch."""
    model = Sequential([layers.Input((4,)), layers.Dense(units, activation=activation, name="head")])
    model.compile("sgd", loss)
    model.fit(X, y, verbose=0)


@pytest.mark.parametrize(
    ("units", "activation", "loss", "y", "kind", "words"),
    [
        (1, "softmax", "binary_crossentropy", CLASSES % 2, DataError, ["1 unit, whose softmax", "sigmoid"]),
        (1, "softmax", "mse", CLASSES * 1.0, DataError, ["several units below a softmax"]),
        (3, "softmax", "categorical_crossentropy", SEVERAL, DataError, ["several labels", "sigmoid"]),
        (3, "softmax", "binary_crossentropy", SEVERAL, DataError, ["several labels", "sigmoid"]),
        (3, "sigmoid", "binary_crossentropy", CLASSES, ShapeError, ["(n, 3)", "to_categorical(y, 3)"]),
        (3, "sigmoid", "binary_crossentropy", SEVERAL * 4, DataError, ["one column of 0 and 1"]),
        (3, "softmax", "sparse_categorical_crossentropy", CLASSES + 1, DataError, ["got 3", "subtract 1"]),
        (3, None, "sparse_categorical_crossentropy", CLASSES, DataError, ["from_logits=True"]),
        (1, "tanh", "binary_crossentropy", CLASSES % 2, DataError, ["probabilities", 'activation="sigmoid"']),
        (1, "sigmoid", "sparse_categorical_crossentropy", CLASSES % 2, DataError, ["one sigmoid"]),
    ],
)  # fmt: skip
def test_refused(units: int, activation: str | None, loss: str, y: Any, kind: type, words: list[str]) -> None:
    with pytest.raises(kind) as caught:
        fit(units, activation, loss, y)
    text = str(caught.value)
    assert '"head": expected' in text
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    ("units", "activation", "loss", "y", "words"),
    [
        (3, "sigmoid", "sparse_categorical_crossentropy", CLASSES, "exclude each other"),
        (3, "sigmoid", "categorical_crossentropy", ONE_HOT, "exclude each other"),
        (1, "sigmoid", "mse", CLASSES * 10.0, "0 to 1 from its sigmoid"),
        (1, "relu", "mae", -CLASSES * 1.0, "0 or more from its relu"),
    ],
)
def test_warned(units: int, activation: str, loss: str, y: Any, words: str) -> None:
    with pytest.warns(UserWarning, match=words):
        fit(units, activation, loss, y)


@pytest.mark.parametrize(
    ("units", "activation", "loss", "y"),
    [
        (3, "softmax", "categorical_crossentropy", ONE_HOT),
        (3, "softmax", "categorical_crossentropy", ONE_HOT * 0.9 + 0.1 / 3),
        (3, "softmax", "binary_crossentropy", ONE_HOT),
        (3, "sigmoid", "binary_crossentropy", SEVERAL),
        (3, "sigmoid", "binary_crossentropy", ONE_HOT),
        (1, "sigmoid", "mse", CLASSES % 2),
        (1, None, "mse", CLASSES * 10.0),
        (2, "relu", "mse", SEVERAL[:, :2]),
    ],
)
def test_taken(units: int, activation: str | None, loss: str, y: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(units, activation, loss, y)


def test_a_softmax_along_another_axis_is_taken() -> None:
    model = Sequential([layers.Input((4, 2)), layers.Dense(1), layers.Softmax(axis=1)])
    model.compile("sgd", "mse")
    model.fit(np.zeros((6, 4, 2), "float32"), np.full((6, 4, 1), 0.25, "float32"), verbose=0)


@pytest.mark.parametrize(
    ("units", "activation", "loss", "y", "wanted"),
    [
        (3, "relu", "sparse_categorical_crossentropy", CLASSES, "softmax"),
        (1, "relu", "binary_crossentropy", CLASSES % 2, "sigmoid"),
        (1, None, "binary_crossentropy", CLASSES % 2, "sigmoid"),
        (1, "tanh", "binary_crossentropy", CLASSES % 2, "sigmoid"),
    ],
)
def test_heads_without_probabilities_are_named_though_the_first_outputs_look_like_some(
    units: int, activation: str | None, loss: str, y: Any, wanted: str
) -> None:
    head = layers.Dense(units, activation, kernel_initializer="zeros", bias_initializer="ones", name="head")
    model = Sequential([layers.Input((4,)), head])
    model.compile("sgd", loss)
    with pytest.warns(UserWarning, match=f'"head": the loss takes probabilities.*"{wanted}"'):
        model.fit(X, y, verbose=0)
    model.compile("sgd", "mse")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, (y % 2)[:, None] * np.ones((1, units)), verbose=0)
