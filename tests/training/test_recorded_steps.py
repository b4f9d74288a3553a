"""Recorded steps: what a repetition leaves out, and what it must not. The oracle: the same run, not recorded.

The recorder is a tape on the CPU that behaves as a CUDA graph does (`step_tape`); no GPU is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import torch
from step_tape import TapeRecorder

import neocog as keras
from neocog.metrics import _reduction
from neocog.training import _compiled, _graphs, _memory, _plan, _state
from neocog.training._graphs import why_not_recorded
from neocog.training._host_waits import Watch

layers, optimizers, schedules = keras.layers, keras.optimizers, keras.optimizers.schedules
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(120, 8, 8, 3)).astype("float32"), RNG.integers(0, 4, 120)
CROSSENTROPY = "sparse_categorical_crossentropy"


def _network(*more: Any, noise: float = 0.3) -> keras.Model:
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Conv2D(6, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            *more,
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(noise),
            layers.Dense(4, activation="softmax", kernel_regularizer="l2"),
        ]
    )


@pytest.fixture
def recorders(monkeypatch: pytest.MonkeyPatch) -> list[TapeRecorder]:
    """Let plans take recorded steps on the CPU; the recorders that were made."""
    made: list[TapeRecorder] = []
    current: list[Any] = []

    class Recorded(_graphs.RecordedStep):
        def __init__(self, model: Any, recorder: Any) -> None:
            made.append(TapeRecorder(model))
            super().__init__(model, made[-1])
            current.append(self)
            made[-1].step = self  # type: ignore[attr-defined]

    for module in (_compiled, _reduction):  # as on a GPU, where reading a number would wait for it
        monkeypatch.setattr(module, "reads_for_nothing", lambda tensor: False)
    monkeypatch.setattr(_plan, "make_recorder", lambda device: object())
    monkeypatch.setattr(_state, "make_recorder", lambda device: object())
    monkeypatch.setattr(_state, "RecordedStep", Recorded)
    return made


def _fit(model: keras.Model, optimizer: Any, jit_compile: Any, **kwargs: Any) -> Any:
    keras.utils.set_random_seed(2)
    metrics = ["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(2, name="top2")]
    model.compile(optimizer, CROSSENTROPY, metrics=metrics, jit_compile=jit_compile)
    weight = np.linspace(0.5, 1.5, len(Y)).astype("float32") if kwargs.pop("weighted", False) else None
    arguments: dict[str, Any] = {"batch_size": 16, "epochs": 3, "verbose": 0, "sample_weight": weight}
    return model.fit(X, Y, **{**arguments, **kwargs}).history


OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: optimizers.SGD(0.1),
    "momentum": lambda: optimizers.SGD(0.1, momentum=0.9),
    "nesterov": lambda: optimizers.SGD(schedules.CosineDecay(0.1, 20), momentum=0.9, nesterov=True),
    "decayed": lambda: optimizers.SGD(0.1, momentum=0.9, weight_decay=0.01),
    "adam": lambda: optimizers.Adam(1e-2, clipnorm=1.0),
    "amsgrad": lambda: optimizers.Adam(1e-2, amsgrad=True, clipvalue=0.1),
    "adamw": lambda: optimizers.AdamW(schedules.CosineDecay(1e-2, 20), global_clipnorm=1.0),
    "averaged": lambda: optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.9),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_recorded_run_is_the_plain_run(name: str, recorders: list[TapeRecorder]) -> None:
    plain, recorded = _network(), _network()
    expected = _fit(plain, OPTIMIZERS[name](), False, validation_split=0.1, weighted=name == "sgd")
    assert not recorders
    found = _fit(recorded, OPTIMIZERS[name](), "auto", validation_split=0.1, weighted=name == "sgd")
    (recorder,) = recorders
    # 108 samples: six full batches and a smaller one, which runs as it is, in each of three epochs.
    assert (recorder.apart_steps, recorder.records, recorder.repeats) == (3, 1, 3 * 6 - 3)
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=2e-6, err_msg=key)
    for one, other in zip(recorded.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=2e-6)
    assert int(recorded.optimizer.iterations) == int(plain.optimizer.iterations) == 21
    assert recorded.optimizer.on_device is None
    assert "CUDA graph" in str(recorded.plan)
    assert "CUDA graph" not in str(plain.plan)


def test_the_tape_repeats_numbers_as_they_were() -> None:
    """The recorder would show a number that a step should have read from the device."""
    weight = torch.zeros(3)
    rate = [1.0]

    class Model:
        metrics: list[Any] = []
        optimizer = type("O", (), {"_table": type("T", (), {"slots": {}})})

        def parameters(self) -> list[torch.Tensor]:
            return [weight]

        def buffers(self) -> list[torch.Tensor]:
            return []

    repeat = TapeRecorder(Model()).record(lambda: weight.add_(rate[0]))
    assert weight.tolist() == [0.0] * 3
    rate[0] = 5.0
    repeat()
    assert weight.tolist() == [1.0] * 3


def test_a_callback_changes_rate_and_reads_metrics(recorders: list[TapeRecorder]) -> None:
    rates = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
    seen: dict[bool, list[float]] = {True: [], False: []}
    models = {}
    for asked in (False, True):
        models[asked] = _network()
        reader = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs, asked=asked: seen[asked].append(logs["loss"])
        )
        models[asked].compile("sgd", CROSSENTROPY, jit_compile="auto" if asked else False)
        models[asked].fit(X, Y, batch_size=40, epochs=4, verbose=0, callbacks=[rates, reader])
    assert recorders[0].repeats == 9
    np.testing.assert_allclose(seen[True], seen[False], rtol=2e-6)


def test_freezing_a_layer_makes_a_new_record(recorders: list[TapeRecorder]) -> None:
    class Freeze(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 2:
                self.model.layers[0].trainable = False

    frozen = []
    for asked in (False, "auto"):
        model = _network()
        _fit(model, "sgd", asked, epochs=4, callbacks=[Freeze()])
        frozen.append(model.get_weights())
    assert recorders[0].records == 2
    for one, other in zip(*frozen, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=2e-6)


def test_a_step_that_waits_for_the_host_is_not_recorded(recorders: list[TapeRecorder]) -> None:
    crop = layers.RandomCrop(6, 6)  # draws its place on the host
    expected = _fit(_network(crop), "sgd", False)
    assert _fit(_network(crop), "sgd", "auto") == expected
    assert recorders[0].records == 0
    assert "waits for the host" in recorders[0].step.why_not  # type: ignore[attr-defined]


def test_a_record_that_fails_goes_on_eagerly_with_one_word(
    recorders: list[TapeRecorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: TapeRecorder, step: Any) -> Any:
        raise RuntimeError("operation not permitted\nmore")

    # Without dropout: a record that fails draws, and the tape puts nothing back.
    expected = _fit(_network(noise=0.0), "sgd", False, epochs=1)
    monkeypatch.setattr(TapeRecorder, "record", refuse)
    with pytest.warns(UserWarning, match=r"not be recorded \(operation not permitted\); it runs eagerly"):
        found = _fit(_network(noise=0.0), "sgd", "auto", epochs=1)
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=2e-6, err_msg=key)


def test_another_optimizer_in_mid_run(recorders: list[TapeRecorder]) -> None:
    class Replace(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                other = optimizers.SGD(0.01)
                other.build(self.model.trainable_weights)
                self.model.optimizer = other

    trained = []
    for asked in (False, "auto"):
        model = _network()
        _fit(model, "adam", asked, epochs=3, callbacks=[Replace()])
        trained.append(model.get_weights())
        assert int(model.optimizer.iterations) == 16
    assert recorders[0].repeats == 4  # of the first epoch
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=2e-6)


def test_dicts_and_a_loss_without_targets(recorders: list[TapeRecorder]) -> None:
    def model() -> keras.Model:
        keras.utils.set_random_seed(4)
        a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
        joined = layers.Concatenate()([layers.Dense(4)(a), b])
        return keras.Model(
            {"a": a, "b": b}, {"u": layers.Dense(1, name="u")(joined), "v": layers.Dense(2, name="v")(joined)}
        )

    data = {"a": RNG.random((40, 3), dtype="f"), "b": RNG.random((40, 2), dtype="f")}
    targets = {"u": RNG.random((40, 1), dtype="f"), "v": RNG.random((40, 2), dtype="f")}
    found = []
    for asked in (False, "auto"):
        one = model()
        one.compile("sgd", {"u": "mse", "v": "mae"}, metrics={"u": ["mae"]}, jit_compile=asked)
        found.append(one.fit(data, targets, batch_size=8, epochs=2, verbose=0).history)
    assert recorders[0].repeats == 7
    for key, values in found[0].items():
        np.testing.assert_allclose(found[1][key], values, rtol=2e-6, err_msg=key)


class _Own(layers.Layer):
    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs * 2


def _own_loss(y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor:
    return (y_pred - 0.5).square().mean()


def test_what_is_not_neocogs_is_not_recorded(recorders: list[TapeRecorder]) -> None:
    summed = optimizers.SGD(gradient_accumulation_steps=2)
    averaged = optimizers.Adam(use_ema=True, ema_overwrite_frequency=2)
    cases: list[tuple[Any, Any, Any, str]] = [
        (_network(_Own()), "sgd", CROSSENTROPY, "_Own is not neocog's"),
        (_network(), "sgd", _own_loss, "_own_loss is not neocog's"),
        (_network(), "rmsprop", CROSSENTROPY, "RMSprop is not recorded"),
        (
            _network(),
            summed,
            CROSSENTROPY,
            "gradients are accumulated",
        ),
        (
            _network(),
            averaged,
            CROSSENTROPY,
            "averages replace",
        ),
    ]
    for model, optimizer, loss, why in cases:
        model.compile(optimizer, loss)
        model.fit(X[:32], Y[:32], verbose=0)
        assert not recorders
        assert why in str(why_not_recorded(model))


def test_large_layers_and_float16_are_not_recorded(recorders: list[TapeRecorder]) -> None:
    with keras.training.calibrated(keras.training.Calibration(graphs_flops_per_layer=10.0)):
        _fit(_network(), "sgd", "auto", epochs=1)
    model = _network()
    model.compile("sgd", CROSSENTROPY, precision="float16")
    model.fit(X, Y, verbose=0)
    assert not recorders


def test_a_snapshot_between_repetitions_resumes_to_the_same_bits(
    recorders: list[TapeRecorder], tmp_path: Any
) -> None:
    def train(folder: Any, stop: int | None) -> keras.Model:
        model = _network()
        model.compile(optimizers.Adam(1e-2), CROSSENTROPY, metrics=["accuracy"])

        class Stop(keras.callbacks.Callback):
            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                if stop is not None and int(self.model.optimizer.iterations) == stop:
                    raise KeyError("stop")

        with suppress(KeyError):
            model.fit(X, Y, batch_size=16, epochs=3, verbose=0, snapshots=folder, every=5, callbacks=[Stop()])
        return model

    whole = train(tmp_path / "a", None)
    train(tmp_path / "b", 14)
    resumed = train(tmp_path / "b", None)
    assert len(recorders) >= 3
    for one, other in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_watch_names_what_cannot_be_recorded() -> None:
    device = torch.device("cpu")
    mask = torch.tensor([True, False])
    waits: list[tuple[Callable[[], Any], str]] = [
        (lambda: torch.ones(()).item(), "_local_scalar_dense"),
        (lambda: torch.ones(2)[mask], "index|nonzero"),
        (lambda: torch.rand(2, generator=torch.Generator()), "rand"),
    ]
    for work, name in waits:
        with Watch(device) as watch:
            work()
        assert watch.found is not None
        assert any(part in watch.found for part in name.split("|"))
    with Watch(device) as watch:
        torch.nn.functional.dropout(torch.ones(3), 0.5).sum()
    assert watch.found is None
    with Watch(torch.device("meta")) as watch:  # drawn on another device than the model's
        torch.rand(2)
    assert watch.found is not None
    meta = torch.device("meta")
    for make in (
        lambda: torch.tensor([1.0], device=meta),
        lambda: torch.as_tensor(2.0, device=meta),
        lambda: torch.ones(1, device=meta).new_tensor([1.0]),
    ):  # torch shows such copies to no dispatch mode
        with Watch(meta) as watch:
            make()
        assert watch.found is not None
        assert "waits for the host" in watch.found
    with Watch(meta) as watch:
        torch.as_tensor(torch.ones(1, device=meta)).new_full((2, 1), 3.0)[1].fill_(2.0)
    assert watch.found is None
    with Watch(meta, compiled=True) as watch:  # a compiler would begin anew
        torch.tensor([1.0], device=meta)
    assert watch.found is None


def test_a_repetition_keeps_no_state_in_case_of_no_memory(
    recorders: list[TapeRecorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    take = _memory.Kept.take

    def counted(self: Any) -> None:
        taken.append(1)
        take(self)

    monkeypatch.setattr(_memory.Kept, "take", counted)
    _fit(_network(), "sgd", "auto", epochs=2)
    # 120 samples: seven full batches and a smaller one an epoch; once an epoch when it is made.
    assert recorders[0].repeats == 14 - 3
    assert len(taken) == 2 + 16 - (recorders[0].repeats - 1)  # the one that was just recorded was kept for


def test_changed_settings_make_a_new_record(recorders: list[TapeRecorder]) -> None:
    """What is no tensor (momentum, a rate of dropout, a clipping) stands in the record as it was."""

    class Change(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                self.model.optimizer.momentum = 0.2
            if epoch == 2:
                next(layer for layer in self.model.layers if hasattr(layer, "rate")).rate = 0.0

    trained = []
    for asked in (False, "auto"):
        model = _network()
        _fit(model, optimizers.SGD(0.1, momentum=0.9), asked, epochs=4, callbacks=[Change()])
        trained.append(model.get_weights())
    assert recorders[0].records == 3
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=2e-6)
