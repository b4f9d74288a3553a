"""The few lines that need CUDA, torch's calls replaced: in which order they come, and what is put right."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import neocog as keras
from neocog.training import Plan, _snapshot
from neocog.training._recorder import CudaRecorder
from neocog.training._snapshot import random_state, set_random_state


class _Told:
    """CUDA's calls, which only note that they were made; `breaks`: the end of a record fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.breaks = False
        self.stream: list[Any] = [_Stream(self, "main")]
        device = torch.device("cuda:1")
        for name, fake in {
            "Stream": lambda device: _Stream(self, "side"),
            "current_stream": lambda device: self.stream[-1],
            "current_device": lambda: 1,
            "stream": self.on_stream,
            "graph": self.graph,
            "graph_pool_handle": lambda: "pool",
            "device": self.on_device,
            "CUDAGraph": lambda: _Graph(self),
            "default_generators": [None, _Generator(self)],
        }.items():
            assert hasattr(torch.cuda, name)
            monkeypatch.setattr(torch.cuda, name, fake)
        for name in ("_cuda_endAllocateToPool", "_cuda_releasePool"):
            monkeypatch.setattr(
                torch._C, name, lambda index, pool, name=name: self.calls.append(f"{name} {index} {pool}")
            )
        self.recorder = CudaRecorder(device)

    def take(self) -> list[str]:
        found, self.calls[:] = list(self.calls), []
        return found

    @contextmanager
    def on_device(self, device: Any) -> Any:
        self.calls.append(f"({device}")
        yield
        self.calls.append(")")

    @contextmanager
    def on_stream(self, stream: Any) -> Any:
        self.stream.append(stream)
        try:
            yield
        finally:
            self.stream[:] = self.stream[:1]  # as torch: back to what it was at the beginning

    @contextmanager
    def graph(self, graph: Any, *, pool: Any, stream: Any, capture_error_mode: str) -> Any:
        self.stream.append(stream)
        self.calls.append(f"record {pool} on {self.stream[-1]}, {capture_error_mode}")
        failed = False
        try:
            yield
        except BaseException:
            failed = True
            raise
        finally:
            if failed or self.breaks:
                raise RuntimeError("CUDA error: operation failed due to a previous error during capture")
            self.stream.pop()
        self.calls.append("recorded")


class _Stream:
    def __init__(self, told: _Told, name: str) -> None:
        self.told, self.name = told, name

    def wait_stream(self, other: Any) -> None:
        self.told.calls.append(f"{self} waits for {other}")

    def __str__(self) -> str:
        return self.name


class _Graph:
    def __init__(self, told: _Told) -> None:
        self.told = told

    def replay(self) -> None:
        self.told.calls.append("repeat")


class _Generator:
    def __init__(self, told: _Told) -> None:
        self.told = told

    def clone_state(self) -> str:
        return "its state"

    def graphsafe_set_state(self, state: str) -> None:
        self.told.calls.append(f"generator takes {state}")


def test_the_order_of_calls_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA's own part, torch's calls replaced: warm-up beside the main stream, record, repeat."""
    told = _Told(monkeypatch)

    def step() -> int:
        told.calls.append(f"step on {told.stream[-1]}")
        return 7

    assert told.recorder.apart(step) == 7
    assert told.take() == ["side waits for main", "step on side", "main waits for side"]
    replay = told.recorder.record(step)
    assert told.take() == ["(cuda:1", "record pool on side, thread_local", "step on side", "recorded", ")"]
    assert str(told.stream[-1]) == "main"
    replay()
    assert told.take() == ["repeat"]


def test_a_failed_step_beside_the_main_stream_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    told = _Told(monkeypatch)

    def step() -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        told.recorder.apart(step)
    assert told.take() == ["side waits for main", "main waits for side"]
    assert str(told.stream[-1]) == "main"


@pytest.mark.parametrize("error", [None, RuntimeError("not permitted"), KeyboardInterrupt()])
def test_a_record_whose_end_fails_leaves_nothing_behind(
    error: BaseException | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Torch leaves its stream, its memory and its random numbers in the record."""
    told = _Told(monkeypatch)
    told.breaks = True

    def step() -> None:
        if error is not None:
            raise error

    with pytest.raises((RuntimeError, KeyboardInterrupt)):
        told.recorder.record(step)
    assert told.take()[2:] == [
        "_cuda_endAllocateToPool 1 pool",
        "_cuda_releasePool 1 pool",
        "generator takes its state",
    ]
    assert str(told.stream[-1]) == "main"


def test_random_numbers_of_gpus_that_are_gone_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that goes on with fewer GPUs than it began with."""
    given: list[Any] = []
    state = {**random_state(), "cuda": ["first", "second"]}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "set_rng_state_all", given.append)
    set_random_state(state)
    assert given == [["first"]]


def test_a_run_of_a_gpu_goes_on_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its plan names the GPU, and recorded steps."""

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            raise KeyError("stop")

    def train(**kwargs: Any) -> keras.Model:
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
        model.compile("sgd", "mse")
        with suppress(KeyError):
            model.fit(
                np.ones((8, 3), "float32"), np.ones((8, 2), "float32"), epochs=2, verbose=0,
                snapshots=tmp_path, every="1epoch", **kwargs,
            )  # fmt: skip
        return model

    def as_of_a_gpu(value: Any) -> dict[str, Any]:
        gpu = {"device": "cuda:3", "graphs": True, "tf32": True} if isinstance(value, Plan) else {}
        return {**asdict(value), **gpu}

    with monkeypatch.context() as there:
        there.setattr(_snapshot, "asdict", as_of_a_gpu)
        assert int(train(callbacks=[Stop()]).optimizer.iterations) == 1
    here = train()
    assert int(here.optimizer.iterations) == 2
    assert here.plan is not None
    assert (here.plan.device, here.plan.graphs) == ("cpu", True)  # as it was, but for the place
