"""Running out of memory: the result of the undisturbed run, and nothing left of what failed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import neocog as keras
from neocog import layers, losses, optimizers
from neocog.exceptions import OutOfMemoryError
from neocog.training._memory_errors import is_out_of_memory

X = np.random.default_rng(0).normal(size=(70, 8)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 70)
CPU_TEXT = "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory"


def network(
    *,
    loss: Any = "sparse_categorical_crossentropy",
    optimizer: Any = "adam",
    norm: bool = False,
    reg: Any = None,
) -> Any:
    keras.utils.set_random_seed(1)
    first = layers.Dense(
        16, activation="relu", name="first", kernel_regularizer=reg, activity_regularizer=reg
    )
    model = keras.Sequential(
        [
            layers.Input((8,)),
            first,
            *([layers.BatchNormalization()] if norm else []),
            layers.Dropout(0.3),
            layers.Dropout(0.1, seed=3),
            layers.Dense(3, activation="softmax", name="last"),
        ]
    )
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def trained(model: Any, inject: Callable[[Any], None] | None = None, **kwargs: Any) -> tuple[Any, list[Any]]:
    if inject is not None:
        inject(model)
    history = model.fit(
        X,
        Y,
        batch_size=32,
        epochs=2,
        verbose=0,
        validation_data=(X[:50], Y[:50]),
        validation_batch_size=25,
        **kwargs,
    )
    return history.history, [np.array(weight) for weight in model.get_weights()]


def assert_same(found: Any, expected: Any, *, tolerance: float = 2e-6) -> None:
    for key, values in expected[0].items():
        np.testing.assert_allclose(found[0][key], values, rtol=1e-5, atol=1e-6, err_msg=key)
    for ours, theirs in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)


def fails_at(step: int, error: Exception) -> Callable[[Any], None]:
    def inject(model: Any) -> None:
        layer, count = model.get_layer("last"), [0]
        call = layer.call

        def failing(*args: Any, **kwargs: Any) -> Any:
            if layer.training:
                count[0] += 1
                if count[0] == step:
                    raise error
            return call(*args, **kwargs)

        layer.call = failing

    return inject


def fails_above(rows: int) -> Callable[[Any], None]:
    def inject(model: Any) -> None:
        layer = model.get_layer("last")
        call = layer.call

        def failing(inputs: Any, *args: Any, **kwargs: Any) -> Any:
            if len(inputs) > rows:
                raise RuntimeError(CPU_TEXT)
            return call(inputs, *args, **kwargs)

        layer.call = failing

    return inject


class _Fails(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, rows: int) -> torch.Tensor:
        ctx.fails = len(x) > rows
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        if ctx.fails:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return grad, None


def fails_backward(rows: int) -> Callable[[Any], None]:
    def inject(model: Any) -> None:
        layer = model.get_layer("first")
        call = layer.call
        layer.call = lambda *args, **kwargs: _Fails.apply(call(*args, **kwargs), rows)

    return inject


def fails_in_update(model: Any) -> None:
    step, count = model.optimizer.step, [0]

    def failing() -> None:
        count[0] += 1
        if count[0] == 3:
            raise MemoryError
        step()

    model.optimizer.step = failing


INJECTIONS = {
    "forward": fails_at(4, torch.OutOfMemoryError("CUDA out of memory.")),
    "first step": fails_at(1, MemoryError()),
    "large batches": fails_above(8),
    "backward": fails_backward(9),
    "update": fails_in_update,
}


@pytest.mark.parametrize("where", INJECTIONS)
@pytest.mark.parametrize("reg", [None, "l2"])
def test_the_run_ends_with_the_result_of_the_undisturbed_one(where: str, reg: Any) -> None:
    assert_same(trained(network(reg=reg), INJECTIONS[where]), trained(network(reg=reg)))


def test_the_check_of_two_runs_can_fail() -> None:
    with pytest.raises(AssertionError):
        assert_same(trained(network(optimizer="sgd")), trained(network()))


def _overlap(y_true: Any, y_pred: Any) -> Any:
    y_true = torch.nn.functional.one_hot(y_true.long().reshape(-1), 3).float()
    return 1 - (y_true * y_pred).sum() / (y_true.sum() + y_pred.sum())


@pytest.mark.parametrize("reduction", ["sum", "none", "mean_with_sample_weight", "sum_over_batch_size"])
def test_each_reduction_with_weights_of_samples(reduction: str) -> None:
    def make() -> Any:
        return network(loss=losses.SparseCategoricalCrossentropy(reduction=reduction), reg="l2")

    weights = np.random.default_rng(3).random(70).astype("float32")
    expected = trained(make(), sample_weight=weights)
    assert_same(trained(make(), fails_above(8), sample_weight=weights), expected)


def test_weights_of_classes_and_a_loss_that_is_no_mean_over_rows() -> None:
    weight = {0: 1.0, 1: 5.0, 2: 0.2}
    assert_same(
        trained(network(), fails_above(8), class_weight=weight), trained(network(), class_weight=weight)
    )

    def overlapping() -> Any:
        return network(loss=_overlap, reg="l2", optimizer="sgd")

    assert_same(trained(overlapping(), fails_at(3, MemoryError())), trained(overlapping()))


@pytest.mark.parametrize(
    "make",
    [
        lambda: optimizers.Adam(use_ema=True, ema_overwrite_frequency=3),
        lambda: optimizers.SGD(0.1, momentum=0.9, gradient_accumulation_steps=2),
        lambda: optimizers.Adam(clipnorm=0.01),
        lambda: optimizers.LossScaleOptimizer(optimizers.Adam()),
    ],
)
def test_optimizers_with_a_state_of_their_own(make: Any) -> None:
    expected = trained(network(optimizer=make()))
    assert_same(trained(network(optimizer=make()), fails_above(8)), expected)


def test_a_torch_optimizer_whose_first_step_fails() -> None:
    def make() -> Any:
        model = network()
        optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    expected, model = trained(make()), make()
    step, count = model.optimizer.optimizer.step, [0]

    def half_made() -> None:
        count[0] += 1
        if count[0] == 1:
            model.optimizer.optimizer.state[next(iter(model.parameters()))]["step"] = torch.tensor(0.0)
            raise torch.OutOfMemoryError("CUDA out of memory.")
        step()

    model.optimizer.optimizer.step = half_made
    assert_same(trained(model), expected)


def test_several_outputs_count_their_losses_once() -> None:
    def make() -> Any:
        keras.utils.set_random_seed(1)
        inputs = layers.Input((8,))
        hidden = layers.Dense(16, activation="relu", name="first")(inputs)
        outputs = [layers.Dense(3, "softmax", name="last")(hidden), layers.Dense(1, name="number")(hidden)]
        model = keras.Model(inputs, outputs)
        model.compile("adam", ["sparse_categorical_crossentropy", "mse"], metrics=[["accuracy"], ["mae"]])
        return model

    def run(inject: Any = None) -> Any:
        model = make()
        if inject:
            inject(model)
        history = model.fit(X, [Y, X[:, :1]], batch_size=32, epochs=2, verbose=0)
        return history.history, model.get_weights()

    expected = run()
    for where in ("large batches", "backward", "update"):
        assert_same(run(INJECTIONS[where]), expected)


def test_masks_count_what_they_leave() -> None:
    tokens = np.random.default_rng(0).integers(0, 4, (40, 6))
    labels = np.random.default_rng(1).integers(0, 3, (40, 6))

    def run(inject: Any = None) -> Any:
        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [
                layers.Input((6,)),
                layers.Embedding(4, 8, mask_zero=True),
                layers.LSTM(8, return_sequences=True),
                layers.Dense(3, "softmax", name="last"),
            ]
        )
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        if inject:
            inject(model)
        history = model.fit(tokens, labels, batch_size=16, epochs=2, verbose=0)
        return history.history, model.get_weights()

    assert_same(run(fails_above(5)), run())


@pytest.mark.parametrize("inject", [fails_at(1, MemoryError()), fails_backward(16)])
def test_statistics_move_as_if_the_batch_had_always_been_split(inject: Any) -> None:
    split = network(norm=True)
    split.training_state.rows["train"] = 16
    expected, found = trained(split), trained(network(norm=True), inject)
    assert all((ours == theirs).all() for ours, theirs in zip(found[1], expected[1], strict=True))
    assert found[0] == expected[0]


class _Stop(keras.callbacks.Callback):
    def __init__(self, step: int) -> None:
        super().__init__()
        self.left = step

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def test_a_resumed_run_stays_split(tmp_path: Path) -> None:
    inject = fails_at(2, MemoryError())
    whole = trained(network(norm=True), inject, snapshots=tmp_path / "whole", every=100)
    inject = fails_at(2, MemoryError())
    with pytest.raises(KeyboardInterrupt):
        trained(network(norm=True), inject, snapshots=tmp_path / "cut", every=1, callbacks=[_Stop(4)])
    again = network(norm=True)
    found = trained(again, snapshots=tmp_path / "cut", every=1)
    assert again.training_state.rows["train"] == 16
    assert found[0] == whole[0]
    assert all((ours == theirs).all() for ours, theirs in zip(found[1], whole[1], strict=True))


def test_it_says_so_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    model = network()
    fails_above(8)(model)
    model.fit(X, Y, batch_size=32, epochs=2, verbose=2)
    said = [line for line in capsys.readouterr().out.splitlines() if "out of memory" in line]
    assert len(said) == 1
    assert "32 rows at once: from here on in 4 parts of 8" in said[0]


def test_evaluation_prediction_and_single_batches() -> None:
    plain, model = network(reg="l2"), network(reg="l2")
    fails_above(7)(model)
    np.testing.assert_allclose(
        model.evaluate(X, Y, batch_size=35, verbose=0),
        plain.evaluate(X, Y, batch_size=35, verbose=0),
        rtol=1e-5,
    )
    np.testing.assert_allclose(model.predict(X, verbose=0), plain.predict(X, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(X), plain.predict_on_batch(X), rtol=1e-5)
    np.testing.assert_allclose(model.test_on_batch(X, Y), plain.test_on_batch(X, Y), rtol=1e-5)
    values = []
    for each in (model, plain):
        keras.utils.set_random_seed(5)
        values.append(each.train_on_batch(X, Y))
    np.testing.assert_allclose(*values, rtol=1e-5)
    for ours, theirs in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-6)


def test_a_metric_that_runs_out_sees_every_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = trained(network())
    update = keras.metrics.SparseCategoricalAccuracy.update_state

    def failing(self: Any, y_true: Any, y_pred: Any, *rest: Any) -> Any:
        if len(y_pred) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return update(self, y_true, y_pred, *rest)

    monkeypatch.setattr(keras.metrics.SparseCategoricalAccuracy, "update_state", failing)
    assert_same(trained(network()), expected)


class _OwnStep(keras.Sequential):
    def train_step(self, data: Any) -> Any:
        return super().train_step(data)


def test_a_step_of_the_users_is_refused_with_a_size_that_may_fit(tmp_path: Path) -> None:
    model = _OwnStep([layers.Input((8,)), layers.Dense(3, "softmax", name="last")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    fails_at(2, torch.OutOfMemoryError("CUDA out of memory."))(model)
    with pytest.raises(OutOfMemoryError, match=r"batch_size=16 or less.*snapshots in .* are kept"):
        model.fit(X, Y, batch_size=32, verbose=0, snapshots=tmp_path, every=1)
    assert list(tmp_path.iterdir())


def test_one_row_that_does_not_fit() -> None:
    model = network()
    before = model.get_weights()
    fails_backward(0)(model)
    with pytest.raises(OutOfMemoryError, match="One row alone does not fit: use smaller images"):
        model.fit(X, Y, verbose=0)
    assert all((ours == theirs).all() for ours, theirs in zip(model.get_weights(), before, strict=True))
    assert all(parameter.grad is None for parameter in model.parameters())


def test_an_update_that_fails_halfway_is_not_done_twice() -> None:
    model = network()

    def half() -> None:
        with torch.no_grad():
            next(iter(model.parameters())).add_(1)
        raise MemoryError

    model.optimizer.step = half
    with pytest.raises(OutOfMemoryError, match="Some weights are updated, some not"):
        model.fit(X, Y, verbose=0)


@pytest.mark.parametrize("name", ["adam", "sgd", "rmsprop"])
def test_an_update_by_a_fused_kernel_is_not_done_twice(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch's kernels leave the versions of what they change as they are."""
    model = network()
    optimizer = keras.optimizers.get({"class_name": name, "config": {"use_ema": True}})
    model.compile(optimizer, "sparse_categorical_crossentropy")

    def fails() -> None:
        raise MemoryError

    monkeypatch.setattr(optimizer, "_average", fails)
    with pytest.raises(OutOfMemoryError, match="Some weights are updated, some not"):
        model.fit(X, Y, verbose=0)


def test_an_update_that_is_done_is_not_done_again() -> None:
    expected, model = trained(network()), network()
    step, count = model.optimizer.step, [0]

    def late() -> None:
        count[0] += 1
        step()
        if count[0] == 3:
            raise MemoryError

    model.optimizer.step = late
    found = trained(model)
    assert all((ours == theirs).all() for ours, theirs in zip(found[1], expected[1], strict=True))


def test_other_errors_pass() -> None:
    model = network()
    fails_at(2, RuntimeError("something else"))(model)
    with pytest.raises(RuntimeError, match="something else"):
        model.fit(X, Y, verbose=0)
    assert not is_out_of_memory(
        OutOfMemoryError("ours, which says what to do")
    )  # as it is no longer to be split
