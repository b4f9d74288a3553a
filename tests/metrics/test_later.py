"""Small batches that wait: whatever is read, and whenever, they have been counted."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import neocog as keras
from neocog.metrics import _later

KINDS: dict[str, tuple[Callable[[], Any], tuple[int, ...], int]] = {
    "sparse": (keras.metrics.SparseCategoricalAccuracy, (), 4),
    "sparse column": (keras.metrics.SparseCategoricalAccuracy, (1,), 4),
    "one-hot": (keras.metrics.CategoricalAccuracy, (4,), 4),
    "binary": (keras.metrics.BinaryAccuracy, (1,), 1),
    "binary vector": (keras.metrics.BinaryAccuracy, (), 1),
    "top": (lambda: keras.metrics.SparseTopKCategoricalAccuracy(2), (), 4),
}


def batches(name: str, count: int = 150, rows: int = 8) -> list[tuple[torch.Tensor, torch.Tensor]]:
    _, shape, width = KINDS[name]
    generator = torch.Generator().manual_seed(3)
    found = []
    for number in range(count):
        size = rows if number % 7 else rows - 3
        y_pred = torch.rand(size, width, generator=generator)
        classes = torch.randint(0, max(width, 2), (size,), generator=generator)
        y = torch.nn.functional.one_hot(classes, 4) if shape == (4,) else classes.reshape(size, *shape)
        found.append((y, y_pred))
    return found


def at_once(metric: Any, given: list[Any]) -> Any:
    for y, y_pred in given:
        metric.update_state(y, y_pred)
    return metric


def later(metric: Any, given: list[Any]) -> tuple[Any, int]:
    kept = 0
    for y, y_pred in given:
        if metric.take_later(y, y_pred):
            kept += 1
        else:
            metric.update_state(y, y_pred)
    return metric, kept


READS: dict[str, Callable[[Any], Any]] = {
    "result": lambda metric: float(metric.result()),
    "variables": lambda metric: [float(v) for v in metric.variables],
    "state": lambda metric: {k: float(v) for k, v in metric.state_dict().items()},
    "total": lambda metric: float(metric.total),
    "count": lambda metric: float(metric.count),
    "copy": lambda metric: float(copy.deepcopy(metric).result()),
}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("name", KINDS)
def test_all_are_counted_when_something_is_read(name: str, read: str) -> None:
    given = batches(name)
    metric, kept = later(KINDS[name][0](), given)
    assert kept == len(given) - 1
    assert READS[read](metric) == READS[read](at_once(KINDS[name][0](), given))


def test_not_more_than_some_wait() -> None:
    given = batches("sparse", 3 * _later._MOST_BATCHES)
    metric, _ = later(keras.metrics.SparseCategoricalAccuracy(), given)
    assert len(metric._later._targets) < _later._MOST_BATCHES


def test_reset_forgets_what_waits() -> None:
    metric, _ = later(keras.metrics.SparseCategoricalAccuracy(), batches("sparse", 5))
    metric.reset_state()
    assert float(metric.result()) == 0
    later(metric, batches("sparse", 9))
    wanted = at_once(keras.metrics.SparseCategoricalAccuracy(), batches("sparse", 9))
    assert float(metric.result()) == float(wanted.result())


def test_targets_may_be_overwritten() -> None:
    metric = keras.metrics.SparseCategoricalAccuracy()
    buffer = torch.zeros(4, dtype=torch.int64)
    for number in range(6):
        buffer.fill_(number % 3)
        y_pred = torch.nn.functional.one_hot(torch.full((4,), number % 3), 3).float()
        if not metric.take_later(buffer, y_pred):
            metric.update_state(buffer, y_pred)
    assert float(metric.result()) == 1.0


def test_what_cannot_wait() -> None:
    large = torch.rand(4096, 10)
    metric = keras.metrics.SparseCategoricalAccuracy()
    for _ in range(3):
        assert not metric.take_later(torch.zeros(4096, dtype=torch.int64), large)
    several = keras.metrics.BinaryAccuracy()
    for _ in range(3):
        assert not several.take_later(torch.ones(4, 2), torch.ones(4, 2))
    error = keras.metrics.MeanSquaredError()
    for _ in range(3):
        assert not error.take_later(torch.ones(4, 2), torch.ones(4, 2))

    class Own(keras.metrics.SparseCategoricalAccuracy):  # type: ignore[misc, name-defined]
        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            super().update_state(y_true, -y_pred, sample_weight)

    watched = keras.metrics.SparseCategoricalAccuracy()
    watched.update_state = lambda *rest: None
    for _ in range(3):
        assert not watched.take_later(torch.zeros(4, dtype=torch.int64), torch.rand(4, 3))
    own = Own()
    for _ in range(3):
        assert not own.take_later(torch.zeros(4, dtype=torch.int64), torch.rand(4, 3))


def test_a_batch_of_another_kind_is_looked_at_at_once() -> None:
    metric = keras.metrics.SparseCategoricalAccuracy()
    y, y_pred = torch.zeros(4, dtype=torch.int64), torch.rand(4, 3)
    assert [metric.take_later(y, y_pred) for _ in range(3)] == [False, True, True]
    assert not metric.take_later(y, torch.rand(4, 5))
    assert not metric._later


def test_fit_reports_the_same_whoever_listens() -> None:
    x = np.random.default_rng(1).normal(size=(200, 5)).astype("float32")
    y = (x.sum(1) > 0).astype("int64")

    class Listens(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            assert 0 <= logs["accuracy"] <= 1

    histories = []
    for callbacks in ([], [Listens()]):
        keras.utils.set_random_seed(2)
        model = keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dense(2)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"])
        fitted = model.fit(
            x, y, batch_size=16, epochs=3, validation_split=0.2, verbose=0, callbacks=callbacks
        )
        histories.append(fitted.history)
    assert histories[0] == histories[1]
