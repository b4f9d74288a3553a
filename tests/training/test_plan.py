"""The plan's rules, as a function of model, batch, machine and thresholds; machines are pretended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import neocog as keras
from neocog.data import ArraySource, Batch, MappedSource, _arrays
from neocog.exceptions import ArgumentError
from neocog.optimizers import LossScaleOptimizer
from neocog.training import (
    NEVER,
    Calibration,
    Plan,
    _calibration,
    _plan,
    _precision,
    built_in,
    calibrated,
    calibration_for,
    forget_calibration,
    save_calibration,
)
from neocog.training._calibration import DOUBLE_VECTORS
from neocog.training._compiled_forward import CompiledForward
from neocog.training._feed import PinnedSource, fed
from neocog.training._plan import make_plan
from neocog.training._precision import choose_precision, float32_products, half_precision, takes_tf32

layers = keras.layers
GPU, CPU = torch.device("cuda"), torch.device("cpu")
CROSSENTROPY = "sparse_categorical_crossentropy"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pretend that a GPU of a compute capability is there: what the rules ask, not what would run."""

    def pretend(capability: tuple[int, int], triton: bool = True) -> None:
        half_precision.cache_clear()
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: capability)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device=None: "GPU")
        monkeypatch.setattr(_plan, "has_triton_package", lambda: triton)
        monkeypatch.setattr(
            _plan, "make_recorder", lambda device: object() if device.type == "cuda" else None
        )

    yield pretend
    half_precision.cache_clear()


def _model(jit_compile: Any = "auto", optimizer: Any = "adam") -> keras.Model:
    model = keras.Sequential(
        [layers.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), layers.Dense(2)]
    )
    model.compile(optimizer, "mse", jit_compile=jit_compile)
    model.optimizer.build(model.trainable_weights)
    return model


def _planned(flops: float, device: torch.device = GPU, precision: str = "auto", **kwargs: Any) -> Plan:
    model = _model(**kwargs)
    settings = model.compile_settings
    return make_plan(
        model,
        flops=flops,
        device=device,
        optimizer=settings.optimizer,
        precision=precision,
        compiled=settings.jit_compile,
    )


def test_small_medium_and_large_on_a_gpu(machine: Any) -> None:
    machine((9, 0))
    small, medium, large = _planned(1e8), _planned(5e10), _planned(1e13)
    assert [plan.precision for plan in (small, medium, large)] == ["float32", "bfloat16", "bfloat16"]
    assert [plan.graphs for plan in (small, medium, large)] == [True, False, False]
    assert [plan.compiled for plan in (small, medium, large)] == [False, False, True]
    assert all(plan.tf32 for plan in (small, medium, large))
    words = ("bfloat16 autocast (tensor cores)", "TF32", "channels_last", "torch.compile")
    assert all(word in str(large) for word in words)
    assert "CUDA graph" in str(small)
    assert "eager" in str(medium)
    assert large == _planned(1e13)  # nothing but its arguments decides


def test_what_is_asked_for_wins(machine: Any) -> None:
    machine((8, 0))
    assert not _planned(1e8, jit_compile=False).graphs
    assert not _planned(1e13, jit_compile=False).compiled
    assert _planned(1e8, jit_compile=True).compiled
    full = _planned(1e13, precision="float32")
    assert (full.precision, full.tf32, full.reason) == ("float32", False, "as asked")
    assert _planned(10.0, precision="bfloat16").precision == "bfloat16"
    assert not _planned(1e13, optimizer="rmsprop").graphs


def test_older_gpus_take_float16_or_nothing(machine: Any) -> None:
    machine((7, 5))
    plan = _planned(1e13)
    assert (plan.precision, plan.tf32, plan.graphs) == ("float16", None, False)
    assert "float16 autocast, scaled" in str(plan)
    machine((6, 1), triton=False)
    plan = _planned(1e13)
    assert (plan.precision, plan.reason, plan.compiled) == ("float32", "no native bfloat16", False)
    assert takes_tf32("auto", GPU) is None


def test_a_model_in_float64_is_said_to_be(machine: Any) -> None:
    machine((9, 0))
    model = keras.Sequential([layers.Input((8,), dtype="float64"), layers.Dense(4, dtype="float64")])
    model.compile("adam", "mse")
    rest = {"flops": 1e13, "device": GPU, "optimizer": model.optimizer, "compiled": False}
    plan = make_plan(model, precision="auto", **rest)
    assert plan.precision == "float64"
    assert "float64 (its weights)" in str(plan)
    assert make_plan(model, precision="bfloat16", **rest).precision == "bfloat16"
    model.compile("adam", "mse")
    model.fit(np.zeros((4, 8)), np.zeros((4, 4)), verbose=0)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float64}


def test_layers_that_draw_on_the_host_are_not_compiled(machine: Any) -> None:
    machine((9, 0))
    model = keras.Sequential([layers.Input((8, 8, 3)), layers.RandomFlip(), layers.Conv2D(4, 3)])
    model.compile("adam", "mse")
    plan = make_plan(
        model, flops=1e13, device=GPU, optimizer=model.optimizer, precision="auto", compiled="auto"
    )
    assert not plan.compiled


def test_thresholds_decide_by_kind_of_network() -> None:
    measured = Calibration(bfloat16_dense=1e6, bfloat16_convolutional=NEVER)
    for convolves, flops, expected in [
        (False, 2e6, "bfloat16"),
        (False, 5e5, "float32"),
        (True, 1e15, "float32"),
    ]:
        assert choose_precision("auto", flops, "AVX-512", measured, convolves=convolves)[0] == expected
    assert built_in("AVX-512").bfloat16_dense == NEVER  # no AMX: not worth it until measured otherwise
    assert built_in("AMX").bfloat16_dense == built_in(None).bfloat16_dense == 1e9
    assert built_in(DOUBLE_VECTORS).bfloat16_dense == 1e8


def test_processors_that_double_their_products_train_in_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_precision, "has_working_amx", lambda: False)
    monkeypatch.setattr(_precision, "has_bfloat16_products", lambda: True)
    monkeypatch.setenv("NEOCOG_CALIBRATION", "off")
    found = []
    for doubles in (True, False):
        monkeypatch.setattr(_precision, "doubles_with_bfloat16", lambda doubles=doubles: doubles)
        half_precision.cache_clear()
        found.append(half_precision(CPU))
        calibration = calibration_for(CPU, found[-1])
        plans = [
            choose_precision("auto", flops, found[-1], calibration, convolves=True)[0] for flops in (9e7, 2e8)
        ]
        assert plans == ["float32", "bfloat16" if doubles else "float32"]
    half_precision.cache_clear()
    assert found == [DOUBLE_VECTORS, "AVX-512"]


def test_fit_goes_by_measured_thresholds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_precision, "has_working_amx", lambda: True)
    half_precision.cache_clear()
    x, y = np.zeros((4, 8, 8, 3), "float32"), np.zeros((4, 2), "float32")
    found = []
    for threshold in (0.0, NEVER):
        with calibrated(Calibration(bfloat16_convolutional=threshold, source="2026-01-01")):
            model = _model()
            model.fit(x, y, verbose=0)
        found.append(model.plan.precision)
        assert "calibrated 2026-01-01" in str(model.plan)
    half_precision.cache_clear()
    assert found == ["bfloat16", "float32"]


def test_the_file_of_a_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "folder" / "calibration.json"
    monkeypatch.setenv("NEOCOG_CALIBRATION", str(file))
    assert calibration_for(CPU, "AMX") == built_in("AMX")
    measured = Calibration(bfloat16_dense=3e7, bfloat16_convolutional=NEVER, source="2026-02-03")
    assert save_calibration(measured, CPU) == file
    assert calibration_for(CPU, "AMX") == measured
    document = json.loads(file.read_text())
    document["machines"]["another"] = measured.as_dict()
    file.write_text(json.dumps(document))
    save_calibration(Calibration(source="2026-02-04"), CPU)
    assert calibration_for(CPU, "AMX").source == "2026-02-04"
    assert forget_calibration(CPU)
    assert not forget_calibration(CPU)
    assert list(json.loads(file.read_text())["machines"]) == ["another"]


_ENTRY = Calibration(source="2026-02-03").as_dict()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"format": 2, "machines": {}}',
        '{"format": 1, "machines": []}',
        "[" * 100_000,
        b"\xff\xfe\x00",
        *(
            json.dumps({"format": 1, "machines": {"here": entry}})
            for entry in [
                [],
                {},
                {**_ENTRY, "bfloat16_dense": -1},
                {**_ENTRY, "bfloat16_dense": "1"},
                {**_ENTRY, "bfloat16_dense": True},
                {**_ENTRY, "compile_flops": float("nan")},
                {**_ENTRY, "source": "x" * 100},
                {**_ENTRY, "source": "\x1b[2J"},
            ]
        ),
    ],
)
def test_a_damaged_file_is_ignored_with_a_word(
    text: str | bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "calibration.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    monkeypatch.setenv("NEOCOG_CALIBRATION", str(file))
    monkeypatch.setattr(_calibration, "machine_key", lambda device: "here")
    with pytest.warns(UserWarning, match="cannot be used"):
        assert calibration_for(CPU, "AMX") == built_in("AMX")


def test_a_folder_in_the_files_place_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEOCOG_CALIBRATION", str(tmp_path))
    with pytest.warns(UserWarning, match="cannot be used"):
        assert calibration_for(CPU, "AMX") == built_in("AMX")


def _older() -> tuple[Any, ...]:
    return (
        torch.get_float32_matmul_precision(),
        torch.backends.cuda.matmul.allow_tf32,
        torch.backends.cudnn.allow_tf32,
    )


def test_tf32_holds_in_the_block_alone() -> None:
    switches = (torch.backends.cuda.matmul, torch.backends.cudnn.conv, torch.backends.cudnn.rnn)
    before, older = [switch.fp32_precision for switch in switches], _older()
    for tf32, expected, words in ((True, "tf32", "high"), (False, "ieee", "highest")):
        with float32_products(tf32):
            assert [switch.fp32_precision for switch in switches] == [expected] * 3
            assert _older() == (words, tf32, tf32)  # the older switches can be read too: compilers do
        assert [switch.fp32_precision for switch in switches] == before
        assert _older() == older
    with pytest.raises(KeyError), float32_products(True):
        raise KeyError
    assert [switch.fp32_precision for switch in switches] == before


def test_a_users_own_tf32_stays() -> None:
    switch = torch.backends.cuda.matmul
    before = switch.fp32_precision
    try:
        switch.fp32_precision = "tf32"
        for tf32 in (True, False):
            with float32_products(tf32):
                assert switch.fp32_precision == ("tf32" if tf32 else "ieee")
            assert switch.fp32_precision == "tf32"
    finally:
        switch.allow_tf32 = False
        switch.fp32_precision = before


def _learn(precision: str, **kwargs: Any) -> keras.Model:
    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(256, 12)).astype("float32")
    y = (x[:, 0] > 0).astype("int64")
    model = keras.Sequential(
        [layers.Input((12,)), layers.Dense(16, activation="relu"), layers.Dense(2, activation="softmax")]
    )
    model.compile(keras.optimizers.Adam(0.02), CROSSENTROPY, metrics=["accuracy"], precision=precision)
    model.fit(x, y, epochs=8, verbose=0, **kwargs)
    return model


def test_float16_trains_with_a_scale_that_snapshots_keep(tmp_path: Path) -> None:
    whole = _learn("float16", snapshots=tmp_path / "a", every="epoch")
    assert isinstance(whole.optimizer, LossScaleOptimizer)
    assert whole.history.history["accuracy"][-1] > 0.95
    np.testing.assert_allclose(
        whole.history.history["loss"], _learn("float32").history.history["loss"], atol=0.01
    )

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if int(self.model.optimizer.iterations) == 21:
                raise KeyError

    with pytest.raises(KeyError):
        _learn("float16", snapshots=tmp_path / "b", every=4, callbacks=[Stop()])
    resumed = _learn("float16", snapshots=tmp_path / "b", every=4)
    for one, other in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_gradient_that_overflows_is_left_out() -> None:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([layers.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse", precision="float16")
    x, y = np.full((8, 4), 1.0, "float32"), np.full((8, 1), 3e4, "float32")
    before = [weight.copy() for weight in model.get_weights()]
    model.fit(x, y, epochs=1, verbose=0)
    assert model.optimizer.dynamic_scale < 2.0**15
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_words_that_compile_does_not_know() -> None:
    with pytest.raises(ArgumentError, match="precision"):
        _model().compile("adam", "mse", precision="float8")
    with pytest.raises(ArgumentError, match="jit_compile"):
        _model().compile("adam", "mse", jit_compile="always")


def test_jit_compile_survives_a_file(tmp_path: Path) -> None:
    for asked in ("auto", True, False):
        model = _model(jit_compile=asked)
        model.save(tmp_path / "model.keras")
        assert keras.models.load_model(tmp_path / "model.keras").compile_settings.jit_compile == asked


def test_a_compiled_forward_runs_other_batches_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def compiled(function: Any, **kwargs: Any) -> Any:
        assert kwargs == {"dynamic": False}
        return lambda x: (sizes.append(len(x)), function(x))[1]

    monkeypatch.setattr(torch, "compile", compiled)
    forward = CompiledForward(_model())
    for size in (4, 4, 3, 4):
        assert len(forward(torch.zeros(size, 8, 8, 3))) == size
    assert sizes == [4, 4, 4]


def test_a_compiler_that_fails_is_left_with_one_word(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unsupported(RuntimeError):
        pass

    Unsupported.__module__ = "torch._dynamo.exc"

    def fail(x: Any) -> Any:
        raise Unsupported("no C++ compiler\nlong text")

    monkeypatch.setattr(torch, "compile", lambda function, **kwargs: fail)
    forward = CompiledForward(_model())
    with pytest.warns(
        UserWarning, match=r"torch.compile failed \(no C\+\+ compiler\); the model runs eagerly"
    ):
        assert len(forward(torch.zeros(4, 8, 8, 3))) == 4
    assert len(forward(torch.zeros(4, 8, 8, 3))) == 4  # says it once


def _same(one: Batch, other: Batch) -> bool:
    return torch.equal(one.x, other.x) and torch.equal(one.y, other.y) and one.size == other.size


def test_pinned_batches_are_the_same_batches() -> None:
    pinned: list[int] = []

    def pin(leaf: torch.Tensor) -> torch.Tensor:
        pinned.append(len(leaf))
        return leaf.clone()

    source = ArraySource(np.arange(10.0), np.arange(10), batch_size=4, seed=3)
    ahead = PinnedSource(source, pin)
    assert (ahead.num_batches, ahead.num_samples, ahead.rewindable) == (3, 10, True)
    assert ahead.state_dict() == source.state_dict()
    for start in (0, 1):
        pairs = list(zip(ahead.batches(2, start), source.batches(2, start), strict=True))
        assert len(pairs) == 3 - start
        assert all(_same(one, other) for one, other in pairs)
    assert sorted(set(pinned)) == [2, 4]
    first = ahead.peek()
    assert first is not None
    assert first.size == 4


def test_a_source_that_cannot_be_rewound_is_not_read_ahead() -> None:
    read: list[int] = []
    source = MappedSource(ArraySource(np.arange(9.0), batch_size=3, shuffle=False), lambda batch: batch)
    source.function = lambda batch: (read.append(int(batch.x[0])), batch)[1]
    source.rewindable = False
    batches = PinnedSource(source, torch.clone).batches(0)
    next(batches)
    assert read == [0]


def test_the_next_order_is_drawn_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a GPU works on an epoch, the order of the next one is drawn: that which would be drawn later."""
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: self)
    source, plain = (ArraySource(np.arange(10), batch_size=4, seed=5) for _ in range(2))
    expected = [[batch.x.tolist() for batch in plain.batches(epoch)] for epoch in range(3)]
    assert expected[1] != expected[2]
    drawn: list[Any] = []
    draw = _arrays.epoch_order
    monkeypatch.setattr(_arrays, "epoch_order", lambda *args: drawn.append(args) or draw(*args))
    source._draw_ahead(1)
    assert [batch.x.tolist() for batch in source.batches(1)] == expected[1]
    assert drawn == [(10, 5, 1)]
    source._draw_ahead(1)  # not the one that is asked for next, as after a resumed run
    assert [batch.x.tolist() for batch in source.batches(2)] == expected[2]
    assert drawn[-1] == (10, 5, 2)


def test_the_cpu_feeds_as_it_is() -> None:
    source = ArraySource(np.arange(10.0), batch_size=4)
    batch = source.peek()
    assert batch is not None
    assert fed(source, CPU, batch) == (source, "")
