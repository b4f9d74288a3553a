"""What `fit` adds to a step: microseconds of `fit`, of the model's own bare step, of a plain torch module's.

All three run in this process, in turns, on batches of the same arrays. The bare step is forward, loss,
backward, update, by the public parts of the model that `fit` has just trained, on batches that lie ready.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F
from torch_networks import made


def measure(runner: Any, steps: int, rounds: int) -> dict[str, Any]:
    """Return the microseconds a step of each, by round."""
    model, case = runner.model, runner.case
    runner.run(steps)  # the model is built, the optimizer has its state
    batch = case["batch"]
    count = min(16, len(runner.x) // batch)
    batches = [
        (
            torch.from_numpy(runner.x[i * batch : (i + 1) * batch]),
            torch.from_numpy(runner.y[i * batch : (i + 1) * batch]),
        )
        for i in range(count)
    ]
    ways: dict[str, Callable[[int], Any]] = {
        "fit": runner.run,
        "bare step of the same model": _own_step(runner.keras, model, batches),
        "bare step of a torch module": _torch_step(case, batches),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    calls: list[float] = []
    for way in ways.values():
        way(steps)
    for _ in range(rounds):
        for name, way in ways.items():
            once = _seconds(way, 1)  # what a call costs by itself is no step's
            found[name].append((_seconds(way, steps + 1) - once) / steps * 1e6)
            if name == "fit":
                calls.append(once * 1e3)
    base = found["bare step of the same model"]
    return {
        "µs": found,
        "a call of fit with one step, ms": statistics.median(calls),
        "over the bare step": statistics.median(a - b for a, b in zip(found["fit"], base, strict=True)),
        "over a torch module's": statistics.median(
            a - b for a, b in zip(found["fit"], found["bare step of a torch module"], strict=True)
        ),
    }


def _seconds(way: Callable[[int], Any], steps: int) -> float:
    begin = time.perf_counter()
    way(steps)
    return time.perf_counter() - begin


def _own_step(keras: Any, model: Any, batches: list[Any]) -> Callable[[int], None]:
    loss_of = keras.losses.SparseCategoricalCrossentropy()
    optimizer = model.optimizer

    def run(steps: int) -> None:
        torch.set_flush_denormal(True)
        for step in range(steps):
            x, y = batches[step % len(batches)]
            loss = loss_of(y, model(x, training=True))
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        torch.set_flush_denormal(False)

    return run


def _torch_step(case: dict[str, Any], batches: list[Any]) -> Callable[[int], None]:
    module = made(case["network"])
    optimizer = torch.optim.Adam(module.parameters(), case["rate"], eps=1e-7, fused=True)

    def run(steps: int) -> None:
        torch.set_flush_denormal(True)
        for step in range(steps):
            x, y = batches[step % len(batches)]
            loss = F.cross_entropy(module(x), y)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        torch.set_flush_denormal(False)

    return run
