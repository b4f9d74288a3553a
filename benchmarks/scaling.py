"""What several processes cost: times of a step of `fit` beside those that the formula gives.

The formula is that of docs/many-processes.md. Of a step of t₁ seconds in one process with one thread, each of
N processes computes c = t₁ / N · max(1, N / cores): more processes than cores take turns. Averaging P numbers
of 4 bytes around a ring takes s = L + 8 P (N − 1) / (N B), with latency L and bandwidth B of gloo, measured
in the same run among as many processes. Where cores are left to send, t = c + max(0, s − ⅔ c); on a CPU that
computes on all cores the same cores send, and t = c + s.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NETWORKS = ("perceptron", "convolutions")
PROCESSES = (1, 2, 4)
BATCH = 128
STEPS = 8  # an epoch
SIZES = (1_000, 4_000_000)  # numbers in a message: what latency is read from, and bandwidth


def run(seconds: float, rounds: int) -> list[dict[str, Any]]:
    """Return the rows: one a network and number of processes; the numbers of processes take turns."""
    found: dict[int, list[dict[str, Any]]] = {processes: [] for processes in PROCESSES}
    for number in range(rounds):
        for processes in PROCESSES if number % 2 == 0 else PROCESSES[::-1]:
            found[processes].append(_measured(processes, seconds))
    rows = []
    for network in NETWORKS:
        alone = statistics.median(one[network]["step"] for one in found[1])
        rows += [_row(network, processes, alone, found[processes]) for processes in PROCESSES]
    return rows


def _row(network: str, processes: int, alone: float, found: list[dict[str, Any]]) -> dict[str, Any]:
    steps = [one[network]["step"] for one in found]
    cores, weights = len(os.sched_getaffinity(0)), found[0][network]["weights"]
    latency = statistics.median(one["latency"] for one in found)
    bandwidth = statistics.median(one["bandwidth"] for one in found)
    compute = alone / processes * max(1.0, processes / cores)
    sending = latency + 8 * weights * (processes - 1) / (processes * bandwidth) if processes > 1 else 0.0
    measured, beside = statistics.median(steps), compute + max(0.0, sending - 2 / 3 * compute)
    return {
        "network": network,
        "processes": processes,
        "weights": weights,
        "computing, ms": compute * 1e3,
        "latency, ms": latency * 1e3 if processes > 1 else "",
        "bandwidth, MB/s": bandwidth / 1e6 if processes > 1 else "",
        "sending, ms": sending * 1e3,
        "predicted, sent beside computing, ms": beside * 1e3,
        "predicted, ms": (compute + sending) * 1e3,
        "measured, ms": measured * 1e3,
        "spread, ms": (max(steps) - min(steps)) * 1e3,
        "measured / predicted": measured / (compute + sending),
    }


def _measured(processes: int, seconds: float) -> dict[str, Any]:
    """Return what process 0 of so many measures."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        launch = ["-m", "torch.distributed.run", "--nproc-per-node", str(processes)] if processes > 1 else []
        command = [sys.executable, *launch, str(Path(__file__).resolve()), str(out), str(seconds)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        return dict(json.loads(out.read_text()))


def _work(out: str, seconds: float) -> None:
    """Measure in one of the processes."""
    import torch

    from neocog.training._world import join

    torch.set_num_threads(1)
    world = join()
    found: dict[str, Any] = {"latency": 0.0, "bandwidth": float("inf")}
    if not world.alone:
        small, large = (_exchange(numbers, seconds / 4) for numbers in SIZES)
        bytes_moved = 8 * (SIZES[1] - SIZES[0]) * (world.size - 1) / world.size
        found = {"latency": small, "bandwidth": bytes_moved / max(large - small, 1e-9)}
    for network in NETWORKS:
        found[network] = _trained(network, seconds)
    if world.leads:
        Path(out).write_text(json.dumps(found))


def _exchange(numbers: int, seconds: float) -> float:
    """Return the median time of one sum over all processes, in seconds."""
    import torch
    from torch import distributed

    values, times = torch.zeros(numbers), []
    for _ in range(3):
        distributed.all_reduce(values)
    began = time.perf_counter()
    distributed.all_reduce(values)
    (count,) = _agreed([max(5, min(500, int(seconds / max(time.perf_counter() - began, 1e-6))))])
    for _ in range(count):
        distributed.barrier()
        began = time.perf_counter()
        distributed.all_reduce(values)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _trained(network: str, seconds: float) -> dict[str, Any]:
    """Return the median time of a step of `fit`, and the number of weights."""
    import numpy as np

    import neocog as keras
    from neocog import layers

    keras.utils.set_random_seed(1)
    if network == "perceptron":  # much to send, little to compute
        shape, inside = (784,), [layers.Dense(1024, activation="relu"), layers.Dense(1024, activation="relu")]
    else:  # little to send, much to compute
        shape, inside = (32, 32, 3), [
            layers.Conv2D(32, 3, activation="relu"), layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(), layers.Conv2D(64, 3, activation="relu"), layers.GlobalAveragePooling2D(),
        ]  # fmt: skip
    inputs = outputs = keras.Input(shape)
    for layer in [*inside, layers.Dense(10, activation="softmax")]:
        outputs = layer(outputs)
    model = _timed(keras)(inputs, outputs)
    model.compile("sgd", "sparse_categorical_crossentropy", precision="float32")
    draw = np.random.default_rng(0)
    x = draw.random((BATCH * STEPS, *shape), dtype="float32")
    y = draw.integers(0, 10, len(x))
    model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0)
    model.begun.clear()
    began = time.perf_counter()
    model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0)
    (epochs,) = _agreed([int(seconds / (time.perf_counter() - began))])
    model.fit(x, y, batch_size=BATCH, epochs=max(1, min(epochs, 50)), verbose=0)
    steps = [
        b - a for i, (a, b) in enumerate(zip(model.begun, model.begun[1:], strict=False)) if (i + 1) % STEPS
    ]
    return {"step": statistics.median(steps), "weights": model.count_params()}


def _agreed(numbers: list[int]) -> list[int]:
    """Return process 0's numbers."""
    from neocog.training._world import join, same_everywhere

    return list(same_everywhere(numbers, join()))


def _timed(keras: Any) -> Any:
    class Timed(keras.Model):  # type: ignore[misc,name-defined]
        """A model that notes when each step begins."""

        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.begun: list[float] = []

        def train_step(self, data: Any) -> Any:
            self.begun.append(time.perf_counter())
            return super().train_step(data)

    return Timed


if __name__ == "__main__":
    _work(sys.argv[1], float(sys.argv[2]))
