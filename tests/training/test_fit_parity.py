"""`fit`, `evaluate` and `train_on_batch` give Keras's numbers from the same weights, data and order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import torch

import neocog

# Keras 3.15.1 reads its own variables in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

TOLERANCE = {"rtol": 2e-4, "atol": 2e-5}  # float32 sums in another order, over some dozens of steps


@pytest.fixture
def data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 6)).astype("float32")
    labels = (x[:, 0] + x[:, 1] ** 2 > 0.5).astype("int64") + (x[:, 2] > 1)
    return x, labels, rng.uniform(0.2, 2, size=90).astype("float32")


def stack(library: Any, classes: int = 3, **dense: Any) -> Any:
    layers = library.layers
    return library.Sequential(
        [
            library.Input((6,)),
            layers.Dense(8, activation="tanh", **dense),
            layers.Dense(classes, activation="softmax" if classes > 1 else "sigmoid"),
        ]
    )


def pair(make: Callable[[Any], Any]) -> tuple[Any, Any]:
    """Return the same model in neocog and in Keras, with the same weights."""
    ours, theirs = make(neocog), make(keras)
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def assert_same_run(ours: Any, theirs: Any, mine: Any, reference: Any) -> None:
    assert list(mine.history) == list(reference.history)
    for name, values in reference.history.items():
        np.testing.assert_allclose(mine.history[name], values, **TOLERANCE, err_msg=name)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, **TOLERANCE)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_history_and_weights_equal_keras(data: Any, optimizer: str) -> None:
    x, y, _ = data
    ours, theirs = pair(stack)
    runs = []
    for model in (ours, theirs):
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        runs.append(model.fit(x, y, batch_size=16, epochs=4, shuffle=False, validation_split=0.2, verbose=0))
    assert_same_run(ours, theirs, *runs)


def test_the_comparison_notices_a_difference(data: Any) -> None:
    x, y, _ = data
    ours, theirs = pair(stack)
    runs = []
    for model, rate in ((ours, 0.01), (theirs, 0.012)):
        optimizer = (neocog if model is ours else keras).optimizers.SGD(rate)
        model.compile(optimizer, "sparse_categorical_crossentropy")
        runs.append(model.fit(x, y, batch_size=16, epochs=3, shuffle=False, verbose=0))
    with pytest.raises(AssertionError):
        assert_same_run(ours, theirs, *runs)


@pytest.mark.parametrize("weights", ["sample_weight", "class_weight"])
def test_weights_equal_keras(data: Any, weights: str) -> None:
    x, y, sample_weight = data
    arguments = {
        "sample_weight": {"sample_weight": sample_weight},
        "class_weight": {"class_weight": {0: 1.0, 1: 3.0, 2: 0.5}},
    }[weights]
    ours, theirs = pair(stack)
    runs = []
    for model in (ours, theirs):
        model.compile(
            "sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], weighted_metrics=["accuracy"]
        )
        runs.append(model.fit(x, y, batch_size=20, epochs=3, shuffle=False, verbose=0, **arguments))
    assert_same_run(ours, theirs, *runs)
    assert list(runs[0].history) == ["accuracy", "loss", "weighted_accuracy"]


def test_regularizers_constraints_and_added_losses_equal_keras(data: Any) -> None:
    x, y, _ = data

    def make(library: Any) -> Any:
        return stack(
            library,
            kernel_regularizer=library.regularizers.L2(0.05),
            activity_regularizer=library.regularizers.L1(0.01),
            kernel_constraint=library.constraints.MaxNorm(0.8),
        )

    ours, theirs = pair(make)
    runs = []
    for model in (ours, theirs):
        model.compile("sgd", "sparse_categorical_crossentropy")
        runs.append(model.fit(x, y, batch_size=16, epochs=3, shuffle=False, verbose=0))
    assert_same_run(ours, theirs, *runs)


def two_headed(library: Any) -> Any:
    layers = library.layers
    a, b = library.Input((6,), name="a"), library.Input((6,), name="b")
    shared = layers.Dense(5, activation="relu")
    joined = layers.Concatenate()([shared(a), shared(b)])
    kind = layers.Dense(3, activation="softmax", name="kind")(joined)
    size = layers.Dense(1, name="size")(joined)
    return library.Model([a, b], [kind, size])


@pytest.mark.parametrize("by_name", [False, True])
def test_several_outputs_equal_keras(data: Any, by_name: bool) -> None:
    x, y, weight = data
    inputs = {"a": x, "b": x[::-1].copy()} if by_name else [x, x[::-1].copy()]
    targets = {"kind": y, "size": weight} if by_name else [y, weight]
    losses = ["sparse_categorical_crossentropy", "mse"]
    arguments: dict[str, Any] = {
        "loss": dict(zip(["kind", "size"], losses, strict=True)) if by_name else losses,
        "loss_weights": {"kind": 1.0, "size": 0.5} if by_name else [1.0, 0.5],
        "metrics": {"kind": ["accuracy"], "size": ["mae"]} if by_name else [["accuracy"], ["mae"]],
    }
    ours, theirs = pair(two_headed)
    runs = []
    for model in (ours, theirs):
        model.compile("sgd", **arguments)
        runs.append(model.fit(inputs, targets, batch_size=30, epochs=3, shuffle=False, verbose=0))
    assert_same_run(ours, theirs, *runs)
    mine = ours.evaluate(inputs, targets, verbose=0, return_dict=True)
    reference = theirs.evaluate(inputs, targets, verbose=0, return_dict=True)
    assert set(mine) == set(reference)
    for name, value in reference.items():
        np.testing.assert_allclose(mine[name], value, **TOLERANCE)


@pytest.mark.parametrize("factors", [[1, 0], [0.0, 1.0], [1.0, 1e-42], [-0.5, 1.0]])
def test_the_logged_loss_of_an_output_is_unweighted(data: Any, factors: list[float]) -> None:
    x, y, target = data
    ours, theirs = pair(two_headed)
    runs = []
    for model in (ours, theirs):
        model.compile("sgd", ["sparse_categorical_crossentropy", "mse"], loss_weights=factors)
        held_out = ([x, x], [y, target])
        runs.append(
            model.fit([x, x], [y, target], epochs=1, shuffle=False, verbose=0, validation_data=held_out)
        )
    assert np.isfinite(list(runs[0].history.values())).all()
    assert_same_run(ours, theirs, *runs)


@pytest.mark.parametrize(
    ("plain", "weighted"),
    [
        ([["accuracy"], ["mae"]], [["accuracy"], ["mae", "mse"]]),
        ([["accuracy", "accuracy"], []], [["accuracy", "accuracy"], []]),
        ({"kind": ["accuracy"]}, {"kind": ["accuracy"], "size": ["mae"]}),
    ],
)
def test_metrics_of_the_same_name_are_named_as_in_keras(data: Any, plain: Any, weighted: Any) -> None:
    x, y, target = data
    ours, theirs = pair(two_headed)
    runs, values = [], []
    for model in (ours, theirs):
        losses = ["sparse_categorical_crossentropy", "mse"]
        model.compile("sgd", losses, metrics=plain, weighted_metrics=weighted)
        held_out = ([x, x], [y, target], target)
        settings: dict[str, Any] = {"epochs": 2, "shuffle": False, "verbose": 0, "validation_data": held_out}
        runs.append(model.fit([x, x], [y, target], sample_weight=target, **settings))
        arguments = {"sample_weight": target, "return_dict": True}
        values.append(model.evaluate([x, x], [y, target], verbose=0, **arguments))
        values.append(model.train_on_batch([x, x], [y, target], **arguments))
    assert_same_run(ours, theirs, *runs)
    for mine, reference in zip(values[:2], values[2:], strict=True):
        assert dict(mine) == pytest.approx({name: float(v) for name, v in reference.items()}, rel=1e-3)


@pytest.mark.filterwarnings("ignore:Gradients do not exist:UserWarning")
@pytest.mark.parametrize("kind", ["list", "dict", "one loss", "own metrics"])
def test_lists_of_results_have_the_order_of_keras(data: Any, kind: str) -> None:
    x, y, target = data

    def make(library: Any) -> Any:
        class Watched(library.Model):  # type: ignore[misc, name-defined]
            @property
            def metrics(self) -> list[Any]:
                return (
                    [*super().metrics[:1], *super().metrics[:0:-1]]
                    if kind == "own metrics"
                    else super().metrics
                )

        inputs = library.Input((6,))
        size = library.layers.Dense(1, name="size")(inputs)
        group = library.layers.Dense(3, activation="softmax", name="group")(inputs)
        outputs = {"wide": size, "apart": group} if kind == "dict" else [size, group]
        return Watched(inputs, outputs)

    names = ("wide", "apart") if kind == "dict" else ("size", "group")
    targets = dict(zip(names, (target, y), strict=True)) if kind == "dict" else [target, y]
    losses = ("mse", None if kind == "one loss" else "sparse_categorical_crossentropy")
    ours, theirs = pair(make)
    results = []
    for model in (ours, theirs):
        by_name = {names[0]: ["mse", "mae"], names[1]: ["accuracy"]}
        model.compile("sgd", dict(zip(names, losses, strict=True)), metrics=by_name)
        results += [model.evaluate(x, targets, verbose=0), model.test_on_batch(x, targets)]
        results.append(model.train_on_batch(x, targets))
    for mine, reference in zip(results[:3], results[3:], strict=True):
        np.testing.assert_allclose(mine, [float(value) for value in reference], **TOLERANCE)
    found = ours.evaluate(x, targets, verbose=0, return_dict=True)
    assert [found[name] for name in ours.metrics_names] == ours.evaluate(x, targets, verbose=0)


def test_evaluate_predict_and_the_batch_verbs_equal_keras(data: Any) -> None:
    x, y, _ = data
    ours, theirs = pair(stack)
    for model in (ours, theirs):
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    np.testing.assert_allclose(ours.evaluate(x, y, verbose=0), theirs.evaluate(x, y, verbose=0), **TOLERANCE)
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), **TOLERANCE)
    for _ in range(3):
        mine = ours.train_on_batch(x[:10], y[:10])
        np.testing.assert_allclose(mine, theirs.train_on_batch(x[:10], y[:10]), **TOLERANCE)
    ours.reset_metrics()
    theirs.reset_metrics()
    np.testing.assert_allclose(ours.test_on_batch(x, y), theirs.test_on_batch(x, y), **TOLERANCE)
    np.testing.assert_allclose(ours.predict_on_batch(x[:3]), theirs.predict_on_batch(x[:3]), **TOLERANCE)


def test_batch_normalization_and_convolution_equal_keras() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(size=(40, 9, 9, 2)).astype("float32")
    y = rng.integers(0, 2, size=(40, 1))

    def make(library: Any) -> Any:
        layers = library.layers
        return library.Sequential(
            [
                library.Input((9, 9, 2)),
                layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False),
                layers.BatchNormalization(),
                layers.ReLU(),
                layers.MaxPooling2D(2),
                layers.Flatten(),
                layers.Dense(1, activation="sigmoid"),
            ]
        )

    ours, theirs = pair(make)
    runs = []
    for model in (ours, theirs):
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
        runs.append(model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0, validation_data=(x, y)))
    assert_same_run(ours, theirs, *runs)


def test_gradients_equal_a_plain_torch_network() -> None:
    from torch import nn

    x, y = torch.randn(16, 5, dtype=torch.float64), torch.randint(0, 3, (16,))
    ours = neocog.Sequential([neocog.Input((5,)), neocog.layers.Dense(4, "sigmoid"), neocog.layers.Dense(3)])
    ours.double()
    plain = nn.Sequential(nn.Linear(5, 4), nn.Sigmoid(), nn.Linear(4, 3)).double()
    plain.load_state_dict(dict(zip(plain.state_dict(), ours.state_dict().values(), strict=True)))
    nn.functional.cross_entropy(ours(x), y).backward()
    nn.functional.cross_entropy(plain(x), y).backward()
    for a, b in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-12, atol=1e-14)
