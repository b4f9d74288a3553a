"""What a training step of the user's gets, and models that have nothing but such a step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from neocog import Input, Model, Sequential, layers, metrics, optimizers

X = np.arange(24, dtype="float32").reshape(8, 3) / 24
Y = np.ones((8, 1), dtype="float32")
W = np.ones(8, dtype="float32")


class Keeping(Model):
    """Keeps what its steps got."""

    def train_step(self, data: Any) -> dict[str, float]:
        self.seen = data
        return {"loss": 0.0}

    def test_step(self, data: Any) -> dict[str, float]:
        self.tested = data
        return {"loss": 0.0}


def keeping() -> Keeping:
    inputs = Input((3,))
    model = Keeping(inputs, layers.Dense(1)(inputs))
    model.compile("sgd")
    return model


def test_two_parts_where_there_are_targets() -> None:
    model = keeping()
    model.fit(X, Y, validation_data=(X, Y), verbose=0)
    x, y = model.seen
    assert (x.shape, y.shape) == ((8, 3), (8, 1))
    x, y = model.tested
    model.train_on_batch(X[:2], Y[:2])
    x, y = model.seen
    assert len(x) == 2
    model.test_on_batch(X[:3], Y[:3])
    x, y = model.tested
    assert len(x) == 3


def test_three_parts_where_there_are_weights() -> None:
    model = keeping()
    model.fit(X, Y, sample_weight=W, verbose=0)
    assert [part.shape for part in model.seen] == [(8, 3), (8, 1), (8,)]
    model.fit(X, Y, class_weight={1: 2.0}, verbose=0)
    assert len(model.seen) == 3


def test_the_inputs_alone_where_there_is_nothing_else() -> None:
    model = keeping()
    model.fit(X, verbose=0)
    assert isinstance(model.seen, torch.Tensor)


def test_nested_inputs_alone_are_one_part_of_a_tuple() -> None:
    one, two = Input((3,)), Input((3,))
    model = Keeping([one, two], layers.add([one, two]))
    model.compile("sgd")
    model.fit([X, X], verbose=0)
    (x,) = model.seen
    assert len(x) == 2


class Adversaries(Model):
    """Two networks and no `call`."""

    def __init__(self, *, built: bool) -> None:
        super().__init__()
        start = [Input((3,))] if built else []
        self.first = Sequential([*start, layers.Dense(3)])
        self.second = Sequential([*start, layers.Dense(1)])
        self.tracker = metrics.Mean(name="gap")

    def train_step(self, data: Any) -> dict[str, Any]:
        loss = self.second(self.first(data)).square().mean()
        self.zero_grad()
        loss.backward()
        weights = self.trainable_weights
        self.optimizer.apply([weight.value.grad for weight in weights], weights)
        self.tracker.update_state(loss)
        return {"gap": self.tracker.result()}


@pytest.mark.parametrize("built", [True, False])
def test_a_model_without_call_trains_by_its_step(built: bool) -> None:
    model = Adversaries(built=built)
    model.compile(optimizer=optimizers.SGD(0.1))
    history = model.fit(X, epochs=3, batch_size=4, verbose=0)
    assert history.history["gap"][-1] < history.history["gap"][0]
    assert not model.has_call


def test_a_model_without_call_cannot_predict() -> None:
    model = Adversaries(built=True)
    with pytest.raises(NotImplementedError, match="a subclass that defines `call`"):
        model.predict(X, verbose=0)


class _Penalty(layers.Layer):
    """Adds the mean square of what passes."""

    def call(self, x: Any) -> Any:
        self.add_loss(torch.mean(torch.square(x)))
        return x


def test_losses_of_layers_alone_are_evaluated() -> None:
    model = Sequential([Input((3,)), layers.Dense(2), _Penalty()])
    model.compile("sgd")
    expected = float(np.mean(np.square(model.predict(X, verbose=0))))
    assert model.evaluate(X, verbose=0) == pytest.approx(expected, rel=1e-5)
    history = model.fit(X, epochs=1, verbose=0, validation_data=(X,)).history
    assert history["val_loss"][0] > 0


def test_a_compute_loss_without_training_as_in_the_example_of_distillation() -> None:
    class Distilled(Sequential):
        def compute_loss(
            self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None
        ) -> Any:
            return torch.mean(torch.abs(y_pred - 3.0))

    model = Distilled([Input((3,)), layers.Dense(2)])
    model.compile("sgd", metrics=["mae"])
    y = np.full((len(X), 2), 3.0, "float32")
    history = model.fit(X, y, epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]
    found = model.evaluate(X, y, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(found["mae"], rel=1e-5)
