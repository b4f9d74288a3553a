"""Models with parts of the user's for `_cases_of_processes.py`: training steps, a layer's state, metrics."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import numpy as np
import torch

import neocog as keras
from neocog import layers

Case = tuple[Any, dict[str, Any]]
COUNT = 99  # last batches of 3: of four processes one has no row of them


def _body(*between: Any) -> list[Any]:
    hidden = layers.Dense(16, activation="tanh")
    return [keras.Input((12,)), hidden, *between, layers.Dense(5, activation="softmax")]


def _fit(**kwargs: Any) -> dict[str, Any]:
    draw = np.random.RandomState(0)
    x, y = draw.rand(COUNT, 12).astype("float32"), draw.randint(0, 5, COUNT)
    return {"x": x, "y": y, "batch_size": 32, "epochs": 7, "validation_data": (x[:35], y[:35]), **kwargs}


class OwnSteps(keras.Sequential):
    """Steps as in Keras's guides; `how` says where its gradients come from."""

    how = "backward"

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        y_pred = self(x, training=True)
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred)
        weights = [view.value for view in self.trainable_weights]
        if self.how == "grad":
            gradients = list(torch.autograd.grad(loss, weights))
        else:
            self.zero_grad()
            loss.backward()
            if self.how == "clipped":
                torch.nn.utils.clip_grad_norm_(weights, 0.05)
            gradients = [weight.grad for weight in weights]
        with torch.no_grad():
            self.optimizer.apply(gradients, self.trainable_weights)
        self._measure(y, y_pred, loss)
        return {**{metric.name: metric.result() for metric in self.metrics}, "last_loss": loss.item()}

    def test_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        y_pred = self(x, training=False)
        self._measure(y, y_pred, self.compute_loss(x=x, y=y, y_pred=y_pred, training=False))
        return {metric.name: metric.result() for metric in self.metrics}

    def _measure(self, y: Any, y_pred: Any, loss: Any) -> None:
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)  # one number for the rows of the batch
            else:
                metric.update_state(y, y_pred)


def own_steps(how: str, **options: Any) -> Case:
    model = OwnSteps(_body())
    model.how = how
    optimizer = keras.optimizers.Adam(0.01, **options)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, _fit()


class Around(keras.Sequential):
    """A step around neocog's own."""

    def train_step(self, data: Any) -> Any:
        return dict(super().train_step(data))


def around() -> Case:
    model = Around(_body())
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, _fit()


class Adversaries(keras.Model):
    """Two networks, two optimizers, two backward passes a step, and no `call`."""

    def __init__(self) -> None:
        super().__init__()
        self.maker = keras.Sequential(
            [keras.Input((4,)), layers.Dense(8, activation="relu"), layers.Dense(6)]
        )
        self.judge = keras.Sequential(
            [keras.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(1)]
        )
        self.judging, self.making = (keras.metrics.Mean(name=name) for name in ("judge_loss", "maker_loss"))
        self.loss_of = keras.losses.BinaryCrossentropy(from_logits=True)

    @property
    def metrics(self) -> list[Any]:
        return [self.judging, self.making]

    def compile(self) -> None:  # type: ignore[override]
        super().compile()
        self.first, self.second = keras.optimizers.Adam(1e-3), keras.optimizers.SGD(0.01, momentum=0.5)

    def train_step(self, data: Any) -> dict[str, Any]:
        seed, real = data
        ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
        both = torch.cat([self.maker(seed).detach(), real])
        judged = self._follow(
            self.loss_of(torch.cat([ones, zeros]), self.judge(both)), self.judge, self.first
        )
        made = self._follow(self.loss_of(zeros, self.judge(self.maker(seed))), self.maker, self.second)
        self.judging.update_state(judged)
        self.making.update_state(made)
        return {"judge_loss": self.judging.result(), "maker_loss": self.making.result()}

    def _follow(self, loss: Any, network: Any, optimizer: Any) -> Any:
        self.zero_grad()
        loss.backward()
        weights = network.trainable_weights
        optimizer.apply([view.value.grad for view in weights], weights)
        return loss


def adversaries() -> Case:
    model = Adversaries()
    model.compile()
    fit = _fit()
    return model, {"x": fit["x"][:, :4], "y": fit["x"][:, 4:10], "batch_size": 32, "epochs": 7}


class Remembering(layers.Layer):
    """Keeps a moving mean in a variable of its own, and measures what it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.size = keras.metrics.Mean(name="size")

    def build(self, input_shape: Any) -> None:
        self.seen = self.add_weight(shape=(), initializer="ones", trainable=False, name="seen")

    def call(self, inputs: Any, training: bool = False) -> Any:
        self.size.update_state(inputs.abs().mean(-1))
        if training:
            self.seen.assign(0.9 * self.seen + 0.1 * inputs.detach().abs().mean())
        return inputs


def remembering() -> Case:
    model = keras.Sequential(_body(Remembering()))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, _fit(every=2)


class AskedToEnd(keras.callbacks.Callback):
    """Sends the last process a SIGTERM within a validation, once."""

    batches = 0

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self.batches += 1
        done = f"{sys.argv[1]}.asked"
        mine = os.environ.get("RANK", "0") == "1" and "KILLS" in os.environ
        if mine and self.batches == 7 and not os.path.exists(done):
            open(done, "w").close()
            os.kill(os.getpid(), signal.SIGTERM)


def asked_to_end() -> Case:
    model, fit = own_steps("backward")
    return model, {**fit, "every": 1000, "validation_batch_size": 8, "callbacks": [AskedToEnd()]}


class InPython(keras.metrics.Metric):
    """A metric that counts in a plain number."""

    hits = 0.0

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.hits += float((y_true == y_pred.argmax(-1)).sum())

    def result(self) -> Any:
        return self.hits

    def reset_state(self) -> None:
        self.hits = 0.0


def in_python() -> Case:
    model = keras.Sequential(_body())
    model.compile("adam", "sparse_categorical_crossentropy", metrics=[InPython()])
    return model, _fit()


OWN_CASES = {
    "own_steps": lambda: own_steps("backward"),
    "own_steps_grad": lambda: own_steps("grad"),
    "own_steps_clipped": lambda: own_steps("clipped"),
    "own_steps_gathered": lambda: own_steps("backward", gradient_accumulation_steps=3),
    "own_around": around,
    "own_two": adversaries,
    "own_state": remembering,
    "in_python": in_python,
    "asked_to_end": asked_to_end,
}
