"""The range test and the finders of batch sizes: sensible, and without a trace; steps_per_execution."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

import neocog as keras
from neocog import layers, optimizers
from neocog.callbacks import LearningRateFinder
from neocog.exceptions import ArgumentError, ArgumentTypeError, TrainingError
from neocog.training import LearningRateRange
from neocog.training._finders import read_range

X, Y = load_digits(return_X_y=True)
X = (X[:600] / 16).astype("float32")
Y = Y[:600]


def network(optimizer: Any = "adam", **options: Any) -> Any:
    keras.utils.set_random_seed(1)
    stack = [layers.Input((64,)), layers.Dense(32, activation="relu"), layers.BatchNormalization()]
    model = keras.Sequential([*stack, layers.Dropout(0.2), layers.Dense(10, activation="softmax")])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], **options)
    return model


def state_of(model: Any) -> list[Any]:
    held = [np.array(weight) for weight in model.get_weights()]
    return [*held, int(model.optimizer.iterations), torch.get_rng_state().numpy()]


def equal(ours: list[Any], theirs: list[Any]) -> bool:
    return len(ours) == len(theirs) and all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_a_range_test_leaves_no_trace() -> None:
    plain = network()
    plain.fit(X, Y, verbose=0)
    expected = plain.fit(X, Y, epochs=2, verbose=0)
    model = network()
    model.fit(X, Y, verbose=0)
    before = state_of(model)
    found = model.find_learning_rate(X, Y, batch_size=32, steps=40)
    assert isinstance(found, LearningRateRange)
    assert equal(state_of(model), before)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)
    assert model.fit(X, Y, epochs=2, verbose=0).history == expected.history
    assert equal(model.get_weights(), plain.get_weights())
    assert not equal(model.get_weights(), network().get_weights())


@pytest.mark.parametrize(
    ("make", "low", "high"),
    [
        (lambda: "sgd", 5e-3, 1.0),
        (lambda: "adam", 3e-4, 3e-2),
        (lambda: optimizers.SGD(optimizers.schedules.CosineDecay(0.1, 100), momentum=0.9), 1e-3, 0.3),
        (lambda: optimizers.LossScaleOptimizer(optimizers.Adam()), 3e-4, 3e-2),
    ],
)
def test_the_suggestion_is_one_that_people_take(make: Any, low: float, high: float) -> None:
    model = network(make())
    rate = model.optimizer.learning_rate
    found = model.find_learning_rate(X, Y)
    assert low <= found.suggestion <= high
    assert found.suggestion == math.sqrt(found.steepest * found.minimum_tenth)
    assert type(model.optimizer.learning_rate) is type(rate)
    assert float(model.optimizer.learning_rate) == float(rate)


def test_a_torch_optimizer_and_batches_that_come_as_a_pipeline() -> None:
    model = network()
    model.compile(torch.optim.SGD(model.parameters(), lr=0.01), "sparse_categorical_crossentropy")
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.as_tensor(X), torch.as_tensor(Y)), batch_size=32
    )
    assert 1e-3 < model.find_learning_rate(loader).suggestion < 1
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)


def test_as_a_callback() -> None:
    model, finder = network(), LearningRateFinder(1e-5, 1.0, steps=30)
    before = model.get_weights()
    model.fit(X, Y, epochs=5, callbacks=[finder], verbose=0)
    assert finder.result is not None
    np.testing.assert_allclose(finder.result.rates[0], 1e-5)
    np.testing.assert_allclose(finder.result.rates[1] / finder.result.rates[0], 1e5 ** (1 / 29))
    assert equal(model.get_weights(), before)


def test_the_reading_of_a_curve_with_a_known_shape() -> None:
    rates = np.geomspace(1e-6, 1, 100)
    logs = np.log10(rates)
    falls = 2 - 1.5 / (1 + np.exp(-4 * (logs + 3)))  # steepest at 1e-3
    losses = falls + np.where(logs > -1, 20 * (logs + 1), 0) + np.random.default_rng(0).normal(0, 0.02, 100)
    found = read_range(list(rates), list(losses), diverged=True)
    assert abs(math.log10(found.steepest) + 3) < 0.25
    assert abs(math.log10(found.minimum) + 1.1) < 0.6


def test_a_loss_that_is_never_finite_is_refused_and_leaves_no_trace() -> None:
    model = network()
    model.compile("sgd", lambda y_true, y_pred: y_pred.sum() * float("nan"))
    before = model.get_weights()
    with pytest.raises(TrainingError, match="at least 10 finite losses, got 0"):
        model.find_learning_rate(X, Y)
    assert equal(model.get_weights(), before)


@pytest.mark.parametrize("bad", [{"lowest": 1.0, "highest": 0.1}, {"steps": 5}, {"lowest": -1.0}])
def test_bad_rates_and_steps(bad: dict[str, Any]) -> None:
    with pytest.raises((ArgumentError, ArgumentTypeError)):
        LearningRateFinder(**bad)


def test_the_plot(tmp_path: Path) -> None:
    rates = list(np.geomspace(1e-6, 1, 50))
    read_range(rates, [1.0 / (1 + rate * 100) for rate in rates], diverged=False).plot(tmp_path / "lr.png")
    assert (tmp_path / "lr.png").read_bytes().startswith(b"\x89PNG")


def test_a_batch_size_by_rule_is_the_same_each_time_and_changes_nothing_else(capsys: Any) -> None:
    histories = [network().fit(X, Y, batch_size="auto", verbose=2).history for _ in range(2)]
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("batch size")]
    assert lines[0] == lines[1]
    size = int(lines[0].split()[2].rstrip(":"))
    assert size & (size - 1) == 0
    assert histories[0] == histories[1] == network().fit(X, Y, batch_size=size, verbose=0).history


def test_batch_sizes_back_off_where_memory_runs_out() -> None:
    model = network()
    last = model.layers[-1]
    call = last.call

    def small(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if len(inputs) > 16:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return call(inputs, *args, **kwargs)

    last.call = small
    before = state_of(model)
    found = model.find_batch_size(X, Y, gain=0.0)
    assert found.trials[-1].batch_size <= 16
    assert equal(state_of(model)[:-2], before[:-2])
    history = model.fit(X, Y, batch_size="auto", verbose=0)
    assert history.history["loss"]
    assert not model.training_state.rows  # it never ran out in the run itself


def test_batches_that_are_made_elsewhere_are_refused() -> None:
    with pytest.raises(ArgumentError, match="arrays, whose batches are free"):
        network().fit(((X[:8], Y[:8]) for _ in range(3)), batch_size="auto", verbose=0)


class _Told(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, int]] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.told.append(("begin", batch))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        assert logs["loss"] >= 0
        self.told.append(("end", batch))


def test_callbacks_hear_of_groups_of_batches_as_in_keras() -> None:
    histories = []
    for executions in (1, 3, "auto"):
        told = _Told()
        model = network(steps_per_execution=executions)
        histories.append(model.fit(X[:70], Y[:70], batch_size=10, callbacks=[told], verbose=0).history)
        if executions == 3:
            expected = [("begin", 0), ("end", 2), ("begin", 3), ("end", 5), ("begin", 6), ("end", 6)]
            assert told.told == expected
        else:
            assert told.told == [(verb, step) for step in range(7) for verb in ("begin", "end")]
    assert histories[0] == histories[1] == histories[2]
    with pytest.raises(ArgumentError, match="steps_per_execution"):
        network(steps_per_execution=0)
