"""Suite `gpu`: `fit` on an NVIDIA GPU against PyTorch as a specialist would tune it, on the same work.

    scripts/bench gpu                             on a GPU: dated results
    python benchmarks/gpu.py --dry-run            anywhere: the same code at tiny sizes, nothing is written

- `resnet50`: ResNet-50 at 224×224 in bfloat16, random bytes that lie on the GPU. Against bare PyTorch:
  channels_last, bfloat16 autocast, fused SGD, eager and with `torch.compile`; the faster one counts. cuDNN
  may try its kernels for both (`torch.backends.cudnn.benchmark`), and once more for neither.
- small networks: against bare PyTorch whose whole step (forward, backward, update, loss and accuracy added
  up) is one CUDA graph, and eager.

Both read the data alike: bytes or floats on the device, one permutation an epoch, batches picked by index.
The clock of `fit` starts after its first epoch, in which kernels are chosen, compiled and recorded; PyTorch
has that behind it when its clock starts. Before a small network is measured, two short epochs are trained
with recorded steps and two without: their losses must agree (column `recorded against eager`).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

sys.path.insert(1, str(Path(__file__).parent / "peers"))

from gpu_networks import ResNet50, neocog_resnet50
from networks import NETWORKS, Network, channels_first

import neocog as keras
from neocog.core import default_device

Rows = list[dict[str, Any]]
TOLERANCE = 0.01
WARM_UP = 12  # steps: kernels chosen, compilers done, steps recorded, memory at its peak


@dataclass(frozen=True, kw_only=True)
class Case:
    """One network at one batch size.

    Attributes:
        name: for `--only`.
        network: both forms of it.
        batch: samples a step.
        images: of random bytes; else floats.
        samples: of the data set.
        optimizer: "sgd" (momentum 0.9) or "adam".
        forms: of bare PyTorch.
        tries: whether cuDNN may try its kernels.
    """

    name: str
    network: Network
    batch: int
    images: bool
    samples: int
    optimizer: str
    forms: tuple[str, ...]
    tries: bool = False


def cases(dry: bool) -> list[Case]:
    """Return the cases, in order; tiny ones for a dry run."""
    size, width, batch = (32, 8, 2) if dry else (224, 64, 256)
    network = Network(
        name=f"ResNet-50 at {size}×{size}",
        input_shape=(size, size, 3),
        neocog=lambda: neocog_resnet50(size, width),
        torch=lambda: ResNet50(width),
    )
    found = [
        Case(
            name="resnet50" if tries else "resnet50-untried",
            network=network,
            batch=batch,
            images=True,
            samples=(4 if dry else 16) * batch,
            optimizer="sgd",
            forms=("compiled", "eager"),
            tries=tries,
        )
        for tries in (True, False)
    ]
    for name, small in NETWORKS.items():
        for batch in (4,) if dry else (32, 128):
            found.append(
                Case(
                    name=f"{name}-{batch}",
                    network=small,
                    batch=batch,
                    images=False,
                    samples=5 * batch if dry else 65_536,
                    optimizer="adam",
                    forms=("graph", "eager"),
                )
            )
    return found


def run(
    seconds: float = 2.0,
    rounds: int = 5,
    only: str | None = None,
    done: Callable[[dict[str, Any]], None] | None = None,
    dry: bool = False,
) -> Rows:
    """Run the suite.

    Args:
        seconds: about how long each competitor runs in each round.
        rounds: how often the competitors take turns.
        only: names of cases, by commas.
        done: called with each row when it stands.
        dry: tiny sizes, on whatever device there is.

    Returns:
        One row for each case.
    """
    if not dry and default_device().type != "cuda":
        raise SystemExit(
            "gpu: no NVIDIA GPU here. python benchmarks/gpu.py --dry-run runs the code at tiny sizes."
        )
    every = cases(dry)
    wanted = [case.name for case in every] if only is None else only.split(",")
    unknown = set(wanted) - {case.name for case in every}
    if unknown:
        raise SystemExit(f"--only: no case {sorted(unknown)}; there are {[case.name for case in every]}.")
    rows: Rows = []
    for case in every:
        if case.name in wanted:
            rows.append(_row(case, seconds, rounds))
            if done is not None:
                done(rows[-1])
    return rows


def _row(case: Case, seconds: float, rounds: int) -> dict[str, Any]:
    """Measure one case: the competitors take turns; memory is each one's own peak."""
    device = default_device()
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = case.tries
    try:
        makers: dict[str, Callable[[], Any]] = {"neocog": lambda: NeocogFit(case, device)}
        makers |= {f"torch {form}": lambda form=form: BareTorch(case, device, form) for form in case.forms}
        agreement = _disagreement(case, device) if "graph" in case.forms else None
        runners, memory = {}, {}
        for name, make in makers.items():
            held = _start_memory(device)
            runners[name] = make()
            runners[name](WARM_UP)
            memory[name] = _peak_memory(device, held)
        steps = {name: _steps_for(runner, seconds) for name, runner in runners.items()}
        speeds: dict[str, list[float]] = {name: [] for name in runners}
        for _ in range(rounds):
            for name, runner in runners.items():
                speeds[name].append(case.batch / runner(steps[name]))
    finally:
        torch.backends.cudnn.benchmark = before
    row = _summary(case, runners, speeds, memory)
    return row if agreement is None else {**row, "recorded against eager": agreement}


def _disagreement(case: Case, device: torch.device) -> float:
    """Return the largest relative difference between losses of an epoch, recorded and eager.

    Raises:
        SystemExit: more than sums in another order explain: the speed of wrong steps is of no use.
    """
    losses = []
    for asked in ("auto", False):
        runner = NeocogFit(case, device, asked, most=64 * case.batch)
        losses.append(runner.losses(2))
    found = max(abs(one - other) / other for one, other in zip(*losses, strict=True))
    if not found < TOLERANCE:
        raise SystemExit(f"gpu: {case.name}: recorded steps give losses {losses[0]}, eager ones {losses[1]}.")
    return found


def _summary(
    case: Case, runners: dict[str, Any], speeds: dict[str, list[float]], memory: dict[str, float]
) -> dict[str, Any]:
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    best = max((name for name in medians if name != "neocog"), key=lambda name: medians[name])
    ratios = [own / other for own, other in zip(speeds["neocog"], speeds[best], strict=True)]
    return {
        "case": case.name,
        "network": case.network.name,
        "batch": case.batch,
        **{f"{name}, samples/s": value for name, value in medians.items()},
        "against": best,
        "ratio": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
        **{f"{name}, GB": value for name, value in memory.items() if value},
        "cuDNN tries kernels": case.tries,
        "plan": str(runners["neocog"].model.plan),
        "recorded": runners["neocog"].recorded,
    }


def _start_memory(device: torch.device) -> int:
    if device.type != "cuda":
        return 0
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    return torch.cuda.memory_allocated()


def _peak_memory(device: torch.device, held: int) -> float:
    return (torch.cuda.max_memory_allocated() - held) / 1e9 if device.type == "cuda" else 0.0


def _steps_for(runner: Callable[[int], float], seconds: float) -> int:
    return max(4, round(seconds / runner(WARM_UP)))


def _now(device: torch.device) -> float:
    """The time when the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def make_data(case: Case) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs, channels last, and labels of ten classes."""
    generator = torch.Generator().manual_seed(0)
    shape = (case.samples, *case.network.input_shape)
    y = torch.randint(0, 10, (case.samples,), generator=generator)
    if case.images:
        return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8), y
    return torch.rand(shape, generator=generator), y


class NeocogFit:
    """At least `steps` steps by one call of `fit`, as a user writes it; the seconds of a step.

    Args:
        case: what is trained.
        device: where the data lie.
        jit_compile: as in `compile`.
        most: at most so many samples.

    Attributes:
        recorded: whether steps were recorded, or why not.
    """

    def __init__(
        self, case: Case, device: torch.device, jit_compile: bool | str = "auto", most: int | None = None
    ) -> None:
        keras.utils.set_random_seed(0)
        self.case, self.device = case, device
        self.recorded = ""
        self.model = case.network.neocog()
        optimizer = keras.optimizers.SGD(0.1, momentum=0.9) if case.optimizer == "sgd" else "adam"
        loss = "sparse_categorical_crossentropy"
        self.model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=jit_compile)
        self.x, self.y = (part[:most].to(device) for part in make_data(case))

    def losses(self, epochs: int) -> list[float]:
        """Train, and return the mean loss of each epoch."""
        run = self.model.fit(self.x, self.y, batch_size=self.case.batch, epochs=epochs, verbose=0)
        return list(run.history["loss"])

    def __call__(self, steps: int) -> float:
        per_epoch = self.case.samples // self.case.batch
        epochs = -(-steps // per_epoch)
        times: list[float] = []

        def note(epoch: int, logs: Any) -> None:
            if epoch in (0, epochs):
                times.append(_now(self.device))
            recorded = self.model.training_state.recorded
            self.recorded = "no" if recorded is None else recorded.why_not or "yes"

        clock = keras.callbacks.LambdaCallback(on_epoch_end=note)
        self.model.fit(
            self.x, self.y, batch_size=self.case.batch, epochs=epochs + 1, verbose=0, callbacks=[clock]
        )
        return (times[1] - times[0]) / (epochs * per_epoch)


class BareTorch:
    """`steps` steps of a PyTorch loop written for speed ("eager", "compiled", "graph"); seconds of a step."""

    def __init__(self, case: Case, device: torch.device, form: str) -> None:
        torch.manual_seed(0)
        self.case, self.device = case, device
        module = case.network.torch().to(device, memory_format=torch.channels_last).train()
        if case.optimizer == "sgd":
            self.optimizer: Any = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9, fused=True)
        else:
            self.optimizer = torch.optim.Adam(module.parameters(), lr=1e-3, eps=1e-7, fused=True)
        self.module = module
        # A dry run has no use for the minutes of a compiler.
        self.forward: Any = torch.compile(module) if form == "compiled" and device.type == "cuda" else module
        self.half = case.images
        self.x, self.y = (part.to(device) for part in make_data(case))
        self.total = torch.zeros((), device=device)
        self.correct = torch.zeros((), device=device)
        self.still_x, self.still_y = self.x[: case.batch].clone(), self.y[: case.batch].clone()
        self.replay = self._recorded() if form == "graph" and device.type == "cuda" else None

    def step(self, x: torch.Tensor, y: torch.Tensor) -> None:
        """Do one step; nothing waits for the device."""
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.half):
            logits = self.forward(channels_first(x.to(torch.bfloat16) / 255 if self.case.images else x))
        logits = logits.float()
        loss = F.cross_entropy(logits, y)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.total += loss.detach() * len(y)
        self.correct += (logits.detach().argmax(1) == y).sum()

    def _recorded(self) -> Callable[[], None]:
        """Record the whole step as torch's notes on CUDA graphs say."""
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.step(self.still_x, self.still_y)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.step(self.still_x, self.still_y)
        return graph.replay

    def __call__(self, steps: int) -> float:
        began, asked = _now(self.device), steps
        size, per_epoch = self.case.batch, self.case.samples // self.case.batch
        self.total.zero_()
        self.correct.zero_()
        while steps > 0:
            order = torch.randperm(len(self.x), device=self.device)
            for number in range(min(per_epoch, steps)):
                index = order[number * size : (number + 1) * size]
                if self.replay is None:
                    self.step(self.x.index_select(0, index), self.y.index_select(0, index))
                else:
                    torch.index_select(self.x, 0, index, out=self.still_x)
                    torch.index_select(self.y, 0, index, out=self.still_y)
                    self.replay()
            steps -= per_epoch
        (self.total + self.correct).item()
        return (_now(self.device) - began) / asked


def main() -> None:
    """Run without writing files: for a dry run, or a look."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--dry-run", action="store_true", help="tiny sizes, on any machine")
    parser.add_argument("--only", help="names of cases, by commas")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    from tables import as_table

    seconds, rounds = (0.01, 1) if options.dry_run else (options.seconds, options.rounds)
    print(as_table(run(seconds, rounds, options.only, dry=options.dry_run)))


if __name__ == "__main__":
    main()
