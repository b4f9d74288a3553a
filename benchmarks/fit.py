"""Suite `fit`: samples a second of neocog's `fit` against a PyTorch loop written for speed, on the same work.

The loop has what a tuned one has: data in memory as tensors, one permutation an epoch, channels_last memory,
a fused
optimizer, bfloat16 autocast where it is faster (both precisions run, the faster counts), no host sync; loss
and accuracy
are accumulated on the device, as `fit` reports them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from networks import NETWORKS, Network, channels_first
from torch.nn import functional as F

import neocog as keras
from neocog.core import default_device, keep_freed_memory


def run(seconds: float = 2.0, rounds: int = 5) -> list[dict[str, Any]]:
    """Run the suite.

    Args:
        seconds: about how long each competitor runs in each round.
        rounds: how often the competitors alternate.

    Returns:
        One row for each network and batch size.
    """
    keep_freed_memory()  # for both: the loop must not pay for what the library knows of the allocator
    torch.set_flush_denormal(True)  # and of the processor
    cases = [(network, size) for network in NETWORKS.values() for size in (32, 128)]
    return [_case(network, size, seconds, rounds) for network, size in cases]


def _case(network: Network, batch_size: int, seconds: float, rounds: int) -> dict[str, Any]:
    device = default_device()
    runners: dict[str, Callable[[int], None]] = {
        "neocog": _NeocogFit(network, batch_size),
        "torch float32": _TorchLoop(network, batch_size, device, None),
    }
    if device.type == "cuda" or torch.ops.mkldnn._is_mkldnn_bf16_supported():
        runners["torch bfloat16"] = _TorchLoop(network, batch_size, device, torch.bfloat16)
    steps = {name: _steps_for(runner, seconds) for name, runner in runners.items()}
    speeds: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(rounds):
        for name, runner in runners.items():
            elapsed = _time(runner, steps[name])
            speeds[name].append(steps[name] * batch_size / elapsed)
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    best = max((name for name in medians if name != "neocog"), key=lambda name: medians[name])
    ratios = [a / b for a, b in zip(speeds["neocog"], speeds[best], strict=True)]
    return {
        "network": network.name,
        "batch": batch_size,
        "neocog": medians["neocog"],
        **{name: value for name, value in medians.items() if name != "neocog"},
        "against": best,
        "ratio": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
        "plan": str(runners["neocog"].model.plan),  # type: ignore[attr-defined]
    }


def _steps_for(runner: Callable[[int], None], seconds: float) -> int:
    runner(3)  # warm-up: kernels chosen, memory at its peak
    steps = 4
    while (elapsed := _time(runner, steps)) < seconds / 4:
        steps *= 2
    return max(4, int(steps * seconds / elapsed))


def _time(runner: Callable[[int], None], steps: int) -> float:
    start = time.perf_counter()
    runner(steps)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _data(network: Network, samples: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand((samples, *network.input_shape), generator=generator)
    return x, torch.randint(0, 10, (samples,), generator=generator)


def _copy_weights(network: Network, module: torch.nn.Module) -> None:
    """Start both from the same weights: units that die at once leave slow subnormal numbers in Adam."""
    keras.utils.set_random_seed(0)
    with torch.no_grad():
        for own, theirs in zip(module.parameters(), network.neocog().parameters(), strict=True):
            own.copy_(theirs)


class _NeocogFit:
    """`steps` steps by one call of `fit`, as a user writes it."""

    def __init__(self, network: Network, batch_size: int) -> None:
        keras.utils.set_random_seed(0)
        self.batch_size = batch_size
        self.model = network.neocog()
        self.model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        x, y = _data(network, 8192)
        self.x, self.y = x.numpy(), y.numpy()

    def __call__(self, steps: int) -> None:
        per_epoch = len(self.x) // self.batch_size
        epochs, rest = divmod(steps, per_epoch)
        if epochs:
            whole = per_epoch * self.batch_size
            self.model.fit(
                self.x[:whole], self.y[:whole], batch_size=self.batch_size, epochs=epochs, verbose=0
            )
        if rest:
            part = rest * self.batch_size
            self.model.fit(self.x[:part], self.y[:part], batch_size=self.batch_size, epochs=1, verbose=0)


class _TorchLoop:
    """`steps` steps of a PyTorch loop written for speed."""

    def __init__(
        self, network: Network, batch_size: int, device: torch.device, dtype: torch.dtype | None
    ) -> None:
        torch.manual_seed(0)
        self.batch_size = batch_size
        self.module = network.torch()
        _copy_weights(network, self.module)
        self.module.to(device, memory_format=torch.channels_last)
        self.optimizer = torch.optim.Adam(self.module.parameters(), lr=1e-3, eps=1e-7, fused=True)
        self.autocast = nullcontext() if dtype is None else torch.autocast(device.type, dtype=dtype)
        x, y = _data(network, 8192)
        self.x, self.y = x.to(device), y.to(device)
        self.module.train()

    def __call__(self, steps: int) -> None:
        total = torch.zeros((), device=self.x.device)
        correct = torch.zeros((), device=self.x.device)
        per_epoch = len(self.x) // self.batch_size
        done = 0
        while done < steps:
            order = torch.randperm(len(self.x), device=self.x.device)
            for step in range(min(per_epoch, steps - done)):
                index = order[step * self.batch_size : (step + 1) * self.batch_size]
                x, y = self.x.index_select(0, index), self.y.index_select(0, index)
                with self.autocast:
                    logits = self.module(channels_first(x))
                logits = logits.float()
                loss = F.cross_entropy(logits, y)
                loss.backward()
                self.optimizer.step()
                self.optimizer.zero_grad(set_to_none=True)
                total += loss.detach() * len(y)
                correct += (logits.detach().argmax(1) == y).sum()
            done += min(per_epoch, steps - done)
        (total + correct).item()
