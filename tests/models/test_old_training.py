"""Keras 1 and 2's ways in training code: `nb_epoch`, `add_metric`, and metrics inside layers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neocog import Input, Model, Sequential, layers, metrics
from neocog.exceptions import ArgumentError

X = np.arange(24, dtype="float32").reshape(8, 3)
Y = np.ones((8, 1), dtype="float32")


class Spread(layers.Layer):
    def call(self, inputs):  # type: ignore[no-untyped-def]
        self.add_metric(inputs.std(), name="spread", aggregation="mean")
        return inputs


def compiled(*inner: layers.Layer, **settings: object) -> Sequential:
    model = Sequential([Input((3,)), *inner, layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "mse", **settings)
    return model


def test_nb_epoch_is_epochs() -> None:
    with pytest.warns(DeprecationWarning, match="nb_epoch is an older spelling; write epochs"):
        assert compiled().fit(X, Y, nb_epoch=3, verbose=0).epoch == [0, 1, 2]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_add_metric_gives_the_mean_over_the_epochs_batches() -> None:
    model = compiled(Spread())
    history = model.fit(
        X, Y, batch_size=4, epochs=2, shuffle=False, validation_data=(X[:4], Y[:4]), verbose=0
    )
    halves = [float(torch.as_tensor(half).std()) for half in (X[:4], X[4:])]
    assert history.history["spread"] == pytest.approx([np.mean(halves)] * 2)
    assert history.history["val_spread"] == pytest.approx([halves[0]] * 2)
    assert model.metrics_names.count("spread") == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_add_metric_refuses_what_it_cannot_track() -> None:
    layer = layers.Dense(2)
    with pytest.raises(ArgumentError, match="expected a name"):
        layer.add_metric(torch.tensor(1.0))
    with pytest.raises(ArgumentError, match="symbolic tensor"):
        layer.add_metric(Input((2,)), name="x")
    with pytest.raises(ArgumentError, match="aggregation"):
        layer.add_metric(torch.tensor(1.0), name="x", aggregation="sum")


def test_add_metric_says_what_to_write_today() -> None:
    with pytest.warns(DeprecationWarning, match=r"metrics\.Mean"):
        layers.Dense(2).add_metric(torch.tensor(1.0), name="x")


class Largest(layers.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.largest = metrics.Mean(name="largest")

    def call(self, inputs, training=None):  # type: ignore[no-untyped-def]
        if training:
            self.largest.update_state(inputs.max())
        return inputs


def test_a_metric_inside_a_layer_is_the_models() -> None:
    model = compiled(Largest())
    history = model.fit(X, Y, epochs=2, batch_size=8, verbose=0).history
    assert history["largest"] == [23.0, 23.0]


def test_a_model_inside_keeps_its_own_metrics() -> None:
    class Inner(Model):
        def __init__(self) -> None:
            super().__init__()
            self.own = metrics.Mean(name="own")

        def call(self, inputs):  # type: ignore[no-untyped-def]
            return inputs

    class Outer(Model):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Inner()

        def call(self, inputs):  # type: ignore[no-untyped-def]
            return self.inner(inputs)

    outer = Outer()
    assert outer.metrics == []
    assert outer.inner.metrics == [outer.inner.own]


@pytest.mark.parametrize(
    "metric", ["binary_crossentropy", metrics.BinaryCrossentropy()], ids=["name", "object"]
)
def test_labels_without_an_axis_meet_one_output(metric: object) -> None:
    model = compiled(metrics=[metric])
    flat = model.evaluate(X, Y[:, 0], verbose=0)
    assert flat == pytest.approx(model.evaluate(X, Y, verbose=0))
