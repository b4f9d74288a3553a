"""Parts of the user's survive what a run survives: layers with a state, metrics in plain Python, steps."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import MethodType
from typing import Any

import numpy as np
import pytest
import torch

import neocog as keras
from neocog import layers
from neocog.core import OwnRows, on_rows
from neocog.exceptions import ArgumentError
from neocog.training import _snapshots
from neocog.training._own_steps import check_built, logs_of_all
from neocog.training._together import _check_metrics
from neocog.training._trainable import runs_own, statistics_of, uses_own_loss
from neocog.training._world import World

X = np.random.default_rng(0).random((40, 6)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 40)


class Remembering(layers.Layer):
    """Counts its batches, and keeps a moving mean in a variable."""

    def build(self, input_shape: Any) -> None:
        self.seen = self.add_weight(shape=(), initializer="ones", trainable=False, name="seen")
        self.batches = self.add_weight(shape=(), initializer="zeros", dtype="int32", trainable=False)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if training:
            self.seen.assign(0.9 * self.seen + 0.1 * inputs.detach().abs().mean())
            self.batches.assign_add(1)
        return inputs


class InPython(keras.metrics.Metric):
    """Counts beside its variable in a plain number."""

    def __init__(self) -> None:
        super().__init__(name="in_python")
        self.total = self.add_weight(name="total")
        self.hits = 0

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.total.assign_add(len(y_true))
        self.hits += int((y_true == y_pred.argmax(-1)).sum())

    def result(self) -> Any:
        return self.hits / self.total

    def reset_state(self) -> None:
        super().reset_state()
        self.hits = 0


class Stepping(keras.Sequential):
    """A step of the user's that tells a number which is no metric's."""

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        loss = self.compute_loss(x=x, y=y, y_pred=self(x, training=True))
        self.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"last": loss.item()}


class Stopped(BaseException):
    """Stands for the end of the process."""


class StopAt(keras.callbacks.Callback):
    """Ends the run after a batch of training, or within the validation that follows it."""

    def __init__(self, step: int | None, *, in_validation: bool) -> None:
        super().__init__()
        self.left, self.in_validation = step, in_validation

    def state_dict(self) -> dict[str, Any]:
        return {}

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left = None if self.left is None else self.left - 1
        if self.left == 0 and not self.in_validation:
            raise Stopped

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.left == 0:
            raise Stopped


def network(kind: type = keras.Sequential) -> Any:
    keras.utils.set_random_seed(4)
    hidden = layers.Dense(8, activation="relu", name="hidden")
    body = [keras.Input((6,)), Remembering(), hidden, layers.Dense(3, activation="softmax")]
    model = kind(body)
    metrics = [] if kind is Stepping else ["accuracy", InPython()]
    model.compile("adam", "sparse_categorical_crossentropy", metrics=metrics)
    return model


def run(model: Any, **options: Any) -> tuple[Any, list[Any]]:
    held_out = None if isinstance(model, Stepping) else (X[:16], Y[:16])
    history = model.fit(X, Y, batch_size=8, epochs=3, validation_data=held_out, verbose=0, **options)
    return history.history, [weight.tolist() for weight in model.get_weights()]


@pytest.mark.parametrize("kind", [keras.Sequential, Stepping])
@pytest.mark.parametrize("every", [3, 5])
@pytest.mark.parametrize("in_validation", [False, True])
def test_stopped_and_started_again_ends_the_same(
    tmp_path: Path, kind: type, every: int, in_validation: bool
) -> None:
    """With `every=5` each epoch's last snapshot lies between its last batch and its end."""
    whole = run(network(kind))
    in_validation = in_validation and kind is not Stepping
    stop = StopAt(10 if in_validation else 6, in_validation=in_validation)
    with pytest.raises(Stopped):
        run(network(kind), snapshots=tmp_path, every=every, callbacks=[stop])
    again = StopAt(None, in_validation=False)
    assert run(network(kind), snapshots=tmp_path, every=every, callbacks=[again]) == whole


class TwoOptimizers(keras.Model):
    """No `call`, and an optimizer for each of two networks."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = [keras.Sequential([keras.Input((6,)), layers.Dense(1)]) for _ in range(2)]
        self.first, self.others = keras.optimizers.Adam(0.01), {"second": keras.optimizers.SGD(0.1, 0.9)}

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        found = {}
        for part, optimizer in zip(self.parts, [self.first, self.others["second"]], strict=True):
            self.zero_grad()
            loss = (part(x)[:, 0] - y).square().mean()
            loss.backward()
            optimizer.apply([view.value.grad for view in part.trainable_weights], part.trainable_weights)
            found[f"loss_{len(found)}"] = loss.detach()
        return found


class Counting(keras.utils.PyDataset):
    """Gives other rows in each epoch, and draws an order from NumPy's generator."""

    def __init__(self) -> None:
        super().__init__()
        self.epoch, self.order = 0, np.arange(5)

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> Any:
        rows = slice(self.order[index] * 6 + self.epoch, None)
        return X[rows][:6], Y[rows][:6]

    def on_epoch_end(self) -> None:
        self.epoch += 1
        np.random.shuffle(self.order)


def two_optimizers() -> tuple[Any, Any]:
    keras.utils.set_random_seed(4)
    model = TwoOptimizers()
    model.compile()
    return model, {"x": X, "y": Y, "batch_size": 8}


def counting() -> tuple[Any, Any]:
    return network(), {"x": Counting()}


def groups_of_steps() -> tuple[Any, Any]:
    model = network()
    model.compile("adam", "sparse_categorical_crossentropy", steps_per_execution=3)
    return model, {"x": X, "y": Y, "batch_size": 8}


class Heard(keras.callbacks.Callback):
    """Notes which batches it hears of."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.batches.append(batch)


@pytest.mark.parametrize("make", [two_optimizers, counting, groups_of_steps])
@pytest.mark.parametrize("every", [3, 4])
def test_what_a_run_has_beside_the_usual_goes_on(tmp_path: Path, make: Any, every: int) -> None:
    def once(stop: int | None, folder: Path | None) -> Any:
        model, data = make()
        heard = Heard()
        callbacks = [heard, StopAt(stop, in_validation=False)]
        history = model.fit(**data, epochs=3, verbose=0, callbacks=callbacks, snapshots=folder, every=every)
        return [weight.tolist() for weight in model.get_weights()], history.history, heard.batches

    whole = once(None, None)
    with pytest.raises(Stopped):
        once(3 if make is groups_of_steps else 8, tmp_path)
    # What else such data keep is not known.
    with pytest.warns(UserWarning, match="in its attributes") if make is counting else nullcontext():
        assert once(None, tmp_path) == whole


def fails_backward_once(model: Any) -> None:
    class Fails(torch.autograd.Function):
        done = False

        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return x.view_as(x)

        @staticmethod
        def backward(ctx: Any, grad: torch.Tensor) -> Any:
            if not Fails.done:
                Fails.done = True
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return grad

    layer = model.get_layer("hidden")
    call: Callable[..., Any] = layer.call
    layer.call = lambda *args, **kwargs: Fails.apply(call(*args, **kwargs))


def test_memory_that_runs_out_leaves_no_trace_in_variables() -> None:
    """The first step is done again in two halves, whose means move the variable in two steps."""
    model = network()
    fails_backward_once(model)
    model.fit(X[:8], Y[:8], batch_size=8, epochs=1, shuffle=False, verbose=0)
    seen = 1.0
    for half in (X[:4], X[4:8]):
        seen = 0.9 * seen + 0.1 * float(np.abs(half).mean())
    layer = model.layers[0]
    assert layer.batches.numpy() == 2
    assert float(layer.seen) == pytest.approx(seen, rel=1e-6)


def test_a_layers_metric_counts_each_row_once_where_memory_runs_out() -> None:
    class Measuring(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.size = keras.metrics.Mean(name="size")

        def call(self, inputs: Any) -> Any:
            self.size.update_state(inputs.mean(-1))
            if len(inputs) > most:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return inputs

    most = 100
    model = keras.Sequential([keras.Input((6,)), Measuring(), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    whole = model.evaluate(X, Y, batch_size=16, verbose=0, return_dict=True)
    most = 5
    parts = model.evaluate(X, Y, batch_size=16, verbose=0, return_dict=True)
    assert parts == pytest.approx(whole, rel=1e-6)


def test_what_forward_passes_move() -> None:
    model = network()
    names = [name.rpartition(".")[2] for name, _ in statistics_of(model)]
    assert names == ["seen", "batches"]
    model.get_layer("hidden").trainable = False  # frozen is not moved
    assert len(list(statistics_of(model))) == 2


@pytest.mark.parametrize("verb", ["train_step", "compute_loss"])
def test_a_verb_set_on_the_model_itself_is_the_users(verb: str) -> None:
    model = network()
    assert uses_own_loss(model)
    assert runs_own(model, verb)
    setattr(model, verb, MethodType(lambda self, *args, **kwargs: None, model))
    assert not runs_own(model, verb)
    assert not uses_own_loss(model)


def test_a_loss_set_on_the_model_may_take_targets_of_another_kind() -> None:
    model = network()

    def compute_loss(self: Any, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Any:
        return (y_pred.sum(-1) - y.sum(-1)).square().mean()

    model.compile("adam", "sparse_categorical_crossentropy")
    model.compute_loss = MethodType(compute_loss, model)
    history = model.fit(X, np.ones((40, 9), "float32"), epochs=1, verbose=0).history
    assert history["loss"][0] == pytest.approx(64.0, rel=1e-4)


def test_one_number_for_a_batch_counts_by_its_rows() -> None:
    alone, shared = keras.metrics.Mean(), keras.metrics.Mean()
    for batch in (np.arange(4.0), np.arange(3.0)):
        alone.update_state(batch.mean())
        half = len(batch) // 2
        for first, part in ((0, batch[:half]), (half, batch[half:])):
            with on_rows(OwnRows(first, len(part), len(batch))):
                shared.update_state(part.mean())
        with on_rows(OwnRows(0, 1, len(batch), stands_in=True)):
            shared.update_state(1000.0)
    assert float(shared.result()) == float(alone.result()) == 1.25


def test_a_metric_without_variables_is_refused_among_several_processes() -> None:
    class Plain(keras.metrics.Metric):
        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.count = 1

    _check_metrics([keras.metrics.Mean(), InPython()], World(0, 2))
    with pytest.raises(ArgumentError, match=r'Plain "plain": expected state in variables.*over 2 processes'):
        _check_metrics([Plain()], World(0, 2))


def test_weights_that_a_step_makes_are_refused_among_several_processes() -> None:
    model = keras.Sequential([layers.Dense(2)])
    check_built(model, World(0, 1))
    with pytest.raises(ArgumentError, match="before 2 processes share them"):
        check_built(model, World(0, 2))


def test_logs_of_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that is a metric's becomes that of all; another the mean by rows; what stands in counts not."""
    model = network()
    measured = keras.metrics.Mean(name="measured")
    model.measured = measured
    measured.update_state([2.0])
    parts = [
        (0.5, {"measured": 2.0, "last": 1.0, "kind": "a"}, ["measured"]),
        (1.5, {"measured": 4.0, "last": 3.0, "kind": "a"}, ["measured"]),
        (0.0, {"measured": 9.0, "last": float("nan"), "kind": "a"}, []),
    ]
    told = []

    def gather(value: Any, world: World) -> list[Any]:
        told.append(value)
        return parts

    monkeypatch.setattr("neocog.training._own_steps.from_everywhere", gather)
    monkeypatch.setattr(
        "neocog.training._own_steps.sum_metrics", lambda metrics, world: measured.update_state([4.0])
    )
    own = {"measured": torch.tensor(2.0), "last": torch.tensor(1.0), "kind": "a"}
    found = logs_of_all(model, own, 0.5, World(0, 3), own_step=True)
    assert told == [parts[0]]
    assert found == {"measured": 3.0, "last": 2.5, "kind": "a"}
    assert logs_of_all(model, own, 0.5, World(0, 1), own_step=True) is own


def test_processes_agree_after_each_slow_step_and_every_few_quick_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(_snapshots, "any_of", lambda wishes, world: wishes)
    monkeypatch.setattr(_snapshots.time, "monotonic", lambda: now[0])
    snapshots = _snapshots.Snapshots(tmp_path, "1 hour")

    def asked(seconds: float) -> list[int]:
        heard = []
        for step in range(30):
            now[0] += seconds
            if snapshots._agree(False, True, World(0, 2))[1]:
                heard.append(step)
        return heard

    assert asked(1.0) == list(range(30))
    quick = asked(0.001)
    assert set(np.diff(quick[1:])) == {_snapshots.AGREED}
    snapshots.close()


class Leaves(keras.callbacks.Callback):
    """Looks at gradients, as a saliency map does, and leaves them on the weights."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.model(torch.ones(2, *self.model.input_shape[1:])).sum().backward()

    on_epoch_begin = on_train_batch_end


@pytest.mark.parametrize("units", [[3], [5, 3]])
def test_gradients_that_others_left_are_not_added(units: list[int]) -> None:
    """As in Keras, whose step forgets them first: a GAN trains its networks in turns by `train_on_batch`."""
    x, y = torch.rand(48, 6, generator=torch.Generator().manual_seed(1)), torch.arange(48) % 3
    found = []
    for leaves in (False, True):
        keras.utils.set_random_seed(2)
        model = keras.Sequential([keras.Input((6,)), *(layers.Dense(count) for count in units)])
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        for _ in range(2):
            if leaves:
                model(x).sum().backward()
            model.train_on_batch(x, y)
        model.fit(x, y, epochs=2, verbose=0, callbacks=[Leaves()] if leaves else [], shuffle=False)
        found.append([value.copy() for value in model.get_weights()])
    for expected, value in zip(*found, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-6, atol=1e-7)
