"""What only an NVIDIA GPU can show: `python -m pytest tests/gpu` there, some two minutes. Elsewhere all skip.

The oracle: the same run, eager, or on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import neocog as keras
from neocog.training._recorder import CudaRecorder

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="no NVIDIA GPU here; on one: python -m pytest tests/gpu"
)
real = pytest.mark.skipif(torch.version.cuda is None, reason="torch is built without CUDA")

layers, optimizers, schedules = keras.layers, keras.optimizers, keras.optimizers.schedules
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(120, 8, 8, 3)).astype("float32"), RNG.integers(0, 4, 120)
CROSSENTROPY = "sparse_categorical_crossentropy"


@pytest.fixture(autouse=True)
def same_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let cuDNN add in the same order each time, so that tolerances can be narrow."""
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)


def _network(*first: Any, noise: float = 0.3) -> keras.Model:
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            layers.Input((8, 8, 3)),
            *first,
            layers.Conv2D(8, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(noise),
            layers.Dense(4, activation="softmax", kernel_regularizer="l2"),
        ]
    )


class _Look(keras.callbacks.Callback):
    """Notes at the end of each epoch whether steps were recorded, or why not."""

    found = ""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        recorded = self.model.training_state.recorded
        self.found = "eager" if recorded is None else recorded.why_not or f"recorded {recorded._records}"


def _fit(model: keras.Model, optimizer: Any, jit_compile: Any, **kwargs: Any) -> tuple[Any, str]:
    keras.utils.set_random_seed(2)
    precision = kwargs.pop("precision", "float32")
    model.compile(optimizer, CROSSENTROPY, metrics=["accuracy"], jit_compile=jit_compile, precision=precision)
    look = _Look()
    callbacks = [*kwargs.pop("callbacks", []), look]
    data = kwargs.pop("data", (X, Y))
    arguments: dict[str, Any] = {"batch_size": 16, "epochs": 4, "verbose": 0, "callbacks": callbacks}
    return model.fit(*data, **{**arguments, **kwargs}).history, look.found


def _same(one: keras.Model, other: keras.Model, rtol: float = 1e-3, atol: float = 1e-4) -> None:
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: optimizers.SGD(0.1),
    "nesterov": lambda: optimizers.SGD(schedules.CosineDecay(0.1, 20), momentum=0.9, nesterov=True),
    "adam": lambda: optimizers.Adam(1e-2, clipnorm=1.0),
    "amsgrad": lambda: optimizers.Adam(1e-2, amsgrad=True, clipvalue=0.1),
    "adamw": lambda: optimizers.AdamW(schedules.CosineDecay(1e-2, 20), global_clipnorm=1.0),
    "averaged": lambda: optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.9),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_recorded_steps_are_the_eager_ones(name: str) -> None:
    """With dropout: its draws go on by the same positions. The last batch of each epoch is smaller."""
    plain, recorded = _network(), _network()
    expected, how = _fit(plain, OPTIMIZERS[name](), False, validation_split=0.1)
    assert how == "eager"
    found, how = _fit(recorded, OPTIMIZERS[name](), "auto", validation_split=0.1)
    assert how == "recorded 1"
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=1e-4, err_msg=key)
    _same(recorded, plain)


def test_the_gpu_computes_what_the_cpu_does(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu, cpu = _network(noise=0.0), _network(noise=0.0)
    found, how = _fit(gpu, "adam", "auto")
    assert how == "recorded 1"
    monkeypatch.setenv("NEOCOG_DEVICE", "cpu")
    expected, _ = _fit(cpu, "adam", "auto")
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-3)
    np.testing.assert_allclose(gpu.evaluate(X, Y, verbose=0), cpu.evaluate(X, Y, verbose=0), rtol=1e-2)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_trains_like_float32(precision: str) -> None:
    if precision == "float16" and torch.version.cuda is None:
        pytest.skip("a pretended GPU has no softmax from float16")
    plain, half = _network(noise=0.0), _network(noise=0.0)
    expected, _ = _fit(plain, "sgd", False)
    found, how = _fit(half, "sgd", "auto", precision=precision)
    assert how == ("recorded 1" if precision == "bfloat16" else "eager")
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=3e-2)


def test_a_rate_set_by_a_callback_and_layers_frozen_in_mid_run() -> None:
    class Change(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.model.optimizer.learning_rate = 0.1 / (1 + epoch)
            if epoch == 2:
                self.model.layers[0].trainable = False

    trained = []
    for asked in (False, "auto"):
        trained.append(_network())
        _, how = _fit(trained[-1], "sgd", asked, callbacks=[Change()])
        assert how == ("recorded 2" if asked else "eager")
    _same(*trained)


def test_weights_loaded_between_epochs_are_those_that_train_on() -> None:
    start = _network().get_weights()

    class Load(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 2:
                self.model.set_weights(start)

    trained = []
    for asked in (False, "auto"):
        trained.append(_network())
        _fit(trained[-1], "sgd", asked, callbacks=[Load()])
    _same(*trained)


def test_a_resumed_run_is_the_undisturbed_one(tmp_path: Path) -> None:
    def train(folder: Path, stop: int | None) -> keras.Model:
        class Stop(keras.callbacks.Callback):
            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                if stop is not None and int(self.model.optimizer.iterations) == stop:
                    raise KeyError("stop")

        model = _network(layers.RandomFlip("horizontal"), layers.RandomTranslation(0.1, 0.1))
        with suppress(KeyError):
            _fit(model, "adam", "auto", snapshots=folder, every=5, callbacks=[Stop()])
        return model

    whole = train(tmp_path / "a", None)
    train(tmp_path / "b", 14)
    _same(train(tmp_path / "b", None), whole)  # other numbers in dropout would show a thousand times as much


class _NoSync(keras.callbacks.Callback):
    """From some step on, whatever waits for the GPU within an epoch raises."""

    def __init__(self, first: int, last: int) -> None:
        super().__init__()
        self.first, self.last, self.steps = first, last, 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if batch == self.first:
            torch.cuda.set_sync_debug_mode("error")
        self.steps += batch >= self.first

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch == self.last:
            torch.cuda.set_sync_debug_mode("default")


@real
@pytest.mark.parametrize("jit_compile", ["auto", False])
@pytest.mark.parametrize("where", ["device", "pinned"])
def test_no_step_waits_for_the_gpu(jit_compile: Any, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if where == "pinned":
        monkeypatch.setattr("neocog.data._arrays.DEVICE_FRACTION", 0.0)
    model = _network(layers.RandomFlip("horizontal"), layers.RandomTranslation(0.1, 0.1))
    watch = _NoSync(5, 6)
    try:
        _fit(model, "adam", jit_compile, epochs=2, callbacks=[watch], precision="bfloat16")
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert watch.steps == 2 * 3
    assert ("data on the device" if where == "device" else "pinned prefetch") in str(model.plan)


def test_pinned_batches_train_as_those_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    there, pinned = _network(), _network()
    expected, _ = _fit(there, "sgd", "auto")
    monkeypatch.setattr("neocog.data._arrays.DEVICE_FRACTION", 0.0)
    found, how = _fit(pinned, "sgd", "auto")
    assert how == "recorded 1"
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-5)
    _same(there, pinned)


@real
def test_a_record_that_fails_leaves_the_gpu_as_it_was() -> None:
    device = torch.device("cuda", torch.cuda.current_device())
    recorder, ones = CudaRecorder(device), torch.ones(4, device=device)
    torch.manual_seed(3)
    expected = torch.rand(4, device=device)
    torch.manual_seed(3)

    def step() -> None:
        torch.rand(4, device=device)
        ones.sum().item()

    with pytest.raises(RuntimeError):
        recorder.record(step)
    assert torch.cuda.current_stream(device) == torch.cuda.default_stream(device)
    np.testing.assert_array_equal(torch.rand(4, device=device).cpu(), expected.cpu())  # and drawn at all
    recorder.apart(lambda: ones.add_(1.0))
    recorder.record(lambda: ones.add_(1.0))()
    assert ones.tolist() == [3.0] * 4
    torch.cuda.empty_cache()


@real
def test_a_layer_that_cannot_be_recorded_warns_and_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neocog.training._graphs.Watch._waits", lambda *args: False)  # nothing found before
    crop = layers.RandomCrop(6, 6)  # draws its place on the host
    with pytest.warns(UserWarning, match="could not be recorded"):
        history, _ = _fit(_network(crop), "sgd", "auto")
    assert np.isfinite(history["loss"]).all()


@real
def test_too_large_a_batch_is_split() -> None:
    model = keras.Sequential([layers.Input((64, 64, 3)), layers.Conv2D(64, 3, activation="relu")])
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(4, activation="softmax"))
    x, y = RNG.normal(size=(512, 64, 64, 3)).astype("float32"), RNG.integers(0, 4, 512)
    free, whole = torch.cuda.mem_get_info()
    room = 1.2e9  # a batch of 512 keeps 0.5 GB of activations, several times
    if free < 4e9:
        pytest.skip("less than 4 GB are free")
    start = model.get_weights()
    _fit(model, "sgd", False, data=(x, y), batch_size=512, epochs=2)
    expected = model.get_weights()
    model.set_weights(start)
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_allocated() + room) / whole)
    try:
        _fit(model, "sgd", False, data=(x, y), batch_size=512, epochs=2)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert model.training_state.rows.get("train", 512) < 512
    for one, other in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


@real
def test_a_compiled_network_is_the_eager_one() -> None:
    pytest.importorskip("triton")
    found = []
    for asked in (False, True):
        keras.utils.set_random_seed(1)
        model = keras.zoo.resnet18(weights=None, input_shape=(32, 32, 3), classes=4)
        data = RNG.random((64, 32, 32, 3), dtype="float32"), np.arange(64) % 4
        with keras.training.calibrated(keras.training.Calibration(graphs_flops_per_layer=0.0)):
            history, _ = _fit(model, optimizers.SGD(0.01), asked, data=data, epochs=1)
        assert ("torch.compile" in str(model.plan)) == asked
        found.append(history["loss"])
    np.testing.assert_allclose(*found, rtol=2e-2)


def test_a_model_on_the_gpu_takes_arrays() -> None:
    model = _network()
    _fit(model, "sgd", False, epochs=1)
    outputs = model(X[:5])
    assert outputs.device.type == "cuda"
    np.testing.assert_allclose(outputs.detach().cpu(), model.predict(X[:5], verbose=0), rtol=1e-4, atol=1e-6)
    assert layers.Rescaling(2.0)(X[:5]).device.type == "cpu"  # without weights: where arrays are
