"""What the target check must say, and what it must let through."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from neocog import losses
from neocog.exceptions import DataError, ShapeError
from neocog.losses import check_targets

RNG = np.random.default_rng(0)


def soft(*shape: int) -> np.ndarray:
    values = RNG.uniform(0.1, 1.0, shape)
    return values / values.sum(-1, keepdims=True)


P10, P1, P3 = soft(8, 10), RNG.uniform(size=(8, 1)), soft(8, 3)
LABELS = np.arange(20) % 10
SPARSE, CATEGORICAL, BINARY = (
    "sparse_categorical_crossentropy",
    "categorical_crossentropy",
    "binary_crossentropy",
)
ONE_HOT = np.eye(10)[LABELS]


@pytest.mark.parametrize(
    ("loss", "y", "p", "error", "words"),
    [
        (SPARSE, LABELS + 1, P10, DataError, ["from 0 to 9", "got 10", "subtract 1"]),
        (SPARSE, LABELS * 10, P10, DataError, ["from 0 to 9", "got 90", "91 units"]),
        (SPARSE, LABELS - 1, P10, DataError, ["got -1", "ignore_class=-1"]),
        (SPARSE, LABELS, P1, DataError, ["1 unit", "got 9", "10 units"]),
        (SPARSE, ONE_HOT, P10, ShapeError, ["one-hot", "categorical_crossentropy", "argmax"]),
        (SPARSE, LABELS / 9, P10, DataError, ["class numbers", "whole"]),
        (SPARSE, np.zeros((20, 4)), P10, ShapeError, ["class numbers of shape (n,)", "(20, 4)"]),
        (SPARSE, np.zeros(20), soft(8, 5, 10), ShapeError, ["(n, 5)"]),
        (losses.SparseCategoricalCrossentropy(ignore_class=255), [300, 255], P10, DataError, ["got 300"]),
        (SPARSE, np.array(["cat", "dog"]), P10, DataError, ["numbers", "'cat'", "numpy.unique"]),
        (CATEGORICAL, LABELS, P10, ShapeError, ["sparse_categorical_crossentropy", "to_categorical(y, 10)"]),
        (CATEGORICAL, LABELS[:, None], P10, ShapeError, ["sparse_categorical_crossentropy"]),
        (CATEGORICAL, ONE_HOT, P3, ShapeError, ["(n, 3)", "(20, 10)", "10 units"]),
        (BINARY, LABELS, P1, DataError, ["between 0 and 1", "got 9", SPARSE, "10 output units"]),
        (BINARY, LABELS, P10, ShapeError, [SPARSE, "to_categorical(y, 10)"]),
        (BINARY, [-1, 1], P1, DataError, ["got -1", "(y + 1) / 2"]),
        (BINARY, RNG.integers(0, 256, (4, 6)), RNG.uniform(size=(4, 6)), DataError, ["y / 255"]),
        ("mse", np.zeros((20, 3)), np.zeros((8, 5)), ShapeError, ["(n, 5)", "(20, 3)", "3 units"]),
        ("mse", LABELS, P10, ShapeError, ["to_categorical(y, 10)"]),
        ("mse", np.array([[1.0], [np.nan], [2.0]]), P1, DataError, ["finite", "1 NaN", "row 1"]),
        (losses.Huber(), np.array([[1.0], [2.0], [-np.inf]]), P1, DataError, ["finite", "row 2"]),
        ("categorical_generalized_cross_entropy", LABELS, P3, DataError, ["from 0 to 2", "got 9"]),
        ("ctc", [[1, 9]], np.zeros((1, 5, 4)), DataError, ["from 0 to 3"]),
        ("ctc", [1, 2], np.zeros((2, 4)), ShapeError, ["(batch, time, classes)"]),
        ("circle", [0.5, 1.0], np.zeros((2, 4)), DataError, ["class numbers"]),
    ],
)
def test_what_is_wrong_is_said(loss: Any, y: Any, p: Any, error: type[Exception], words: list[str]) -> None:
    for targets in (y, *([torch.tensor(y)] if np.asarray(y).dtype.kind != "U" else [])):
        with pytest.raises(error) as caught:
            check_targets(loss, targets, p, output="head")
        text = str(caught.value)
        assert 'on "head": expected ' in text
        for word in words:
            assert word in text


LOGITS = RNG.normal(size=(8, 10)) * 5


@pytest.mark.parametrize(
    ("loss", "y", "p", "activation", "words"),
    [
        (
            losses.SparseCategoricalCrossentropy(from_logits=True),
            LABELS,
            P10,
            "softmax",
            ["softmax", "Remove"],
        ),
        (losses.CategoricalCrossentropy(from_logits=True), ONE_HOT, P10, "softmax", ["from_logits=False"]),
        (losses.BinaryCrossentropy(from_logits=True), LABELS % 2, P1, "sigmoid", ["sigmoid"]),
        (SPARSE, LABELS, LOGITS, "linear", ['activation="softmax"', "from_logits=True"]),
        (SPARSE, LABELS, LOGITS, None, ['activation="softmax"']),
        (SPARSE, LABELS, np.abs(LOGITS), "linear", ['activation="softmax"']),
        (BINARY, LABELS % 2, P1 * 9, None, ['activation="sigmoid"']),
        (losses.CategoricalFocalCrossentropy(), ONE_HOT, LOGITS, "linear", ["from_logits=True"]),
    ],
)
def test_activation_against_from_logits(loss: Any, y: Any, p: Any, activation: Any, words: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        check_targets(loss, y, p, activation=activation)
    for word in words:
        assert word in str(caught.value)


class Own(losses.Loss):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return y_pred.sum()


class OwnSparse(losses.SparseCategoricalCrossentropy):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return y_pred.sum(-1)


@pytest.mark.parametrize(
    ("loss", "y", "p", "activation"),
    [
        (SPARSE, LABELS, P10, "softmax"),
        (SPARSE, LABELS[:, None], P10, "softmax"),
        (SPARSE, LABELS[:, None, None], P10, None),
        (SPARSE, LABELS.astype("float64"), P10, None),
        (SPARSE, LABELS.astype("uint8"), P10, None),
        (SPARSE, LABELS.tolist(), P10.tolist(), None),
        (SPARSE, LABELS > 4, P10, None),
        (SPARSE, LABELS, soft(8, 64), "softmax"),
        (SPARSE, np.zeros((20, 5)), soft(8, 5, 10), None),
        (SPARSE, np.zeros((20, 5, 1)), soft(8, 5, 10), None),
        (SPARSE, np.zeros((20, 6, 7), "uint8"), soft(8, 6, 7, 3), None),
        (losses.SparseCategoricalCrossentropy(axis=1), np.zeros((20, 6, 7)), soft(8, 3, 6, 7), None),
        (losses.SparseCategoricalCrossentropy(ignore_class=255), [3, 255], P10, None),
        (losses.SparseCategoricalCrossentropy(ignore_class=-1), [[-1], [-1]], P10, None),
        (losses.SparseCategoricalCrossentropy(from_logits=True), LABELS, LOGITS, "linear"),
        (SPARSE, LABELS, np.abs(LOGITS), None),
        (CATEGORICAL, ONE_HOT, P10, "softmax"),
        (CATEGORICAL, ONE_HOT * 3.5, P10, "softmax"),
        (CATEGORICAL, ONE_HOT.astype(bool), P10, None),
        (CATEGORICAL, soft(20, 10), P10, None),
        (BINARY, LABELS % 2, P1, "sigmoid"),
        (BINARY, (LABELS % 2)[:, None].astype("float32"), P1, None),
        (BINARY, LABELS > 3, P1, None),
        (BINARY, LABELS % 2, P1[:, 0], None),
        (BINARY, ONE_HOT, P10, "sigmoid"),
        (BINARY, RNG.uniform(size=(4, 6, 6, 1)), RNG.uniform(size=(4, 6, 6, 1)), "sigmoid"),
        (losses.BinaryCrossentropy(from_logits=True), LABELS % 2, P1 * 9 - 5, "linear"),
        ("mse", np.zeros(20), P1, None),
        ("mse", np.zeros((20, 5)), np.zeros((8, 5, 1)), None),
        ("mse", np.zeros((20, 5)), np.zeros((8, 5)), "relu"),
        ("kld", ONE_HOT, P10, None),
        ("hinge", [-1, 1], P1, "tanh"),
        ("circle", LABELS, P10, None),
        ("ctc", [[1, 2, 0]], np.zeros((1, 5, 4)), None),
        ("dice", np.zeros((3, 4, 4)), np.zeros((3, 4, 4, 1)), None),
        (Own(), np.array([np.nan]), P10, "softmax"),
        (OwnSparse(), LABELS + 70, P10, None),
        (lambda y_true, y_pred: y_pred, LABELS + 70, P10, None),
        (losses.LossFunctionWrapper(lambda y, p: p), LABELS + 70, P10, None),
        ("no_such_loss", LABELS, P10, None),
        (SPARSE, {"a": LABELS}, {"a": P10}, None),
        (SPARSE, np.zeros((0,)), P10, None),
    ],
)
def test_what_trains_is_let_through(loss: Any, y: Any, p: Any, activation: Any) -> None:
    check_targets(loss, y, p, activation=activation)


def test_doubtful_shapes_are_warned_about() -> None:
    with pytest.warns(UserWarning, match="spread over"):
        check_targets("mse", np.zeros((20, 1)), np.zeros((8, 5)))
    with pytest.warns(UserWarning, match="one unit cannot tell classes apart"):
        check_targets(CATEGORICAL, np.zeros((20, 1)), np.ones((8, 1)))
