"""`calibrate`: where on this machine one way to train becomes faster than another."""

from __future__ import annotations

import datetime
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from neocog import layers
from neocog.core import check_number, default_device
from neocog.models import Sequential
from neocog.training import (
    NEVER,
    Calibration,
    built_in,
    calibrated,
    calibration_file,
    calibration_for,
    calibration_place,
    forget_calibration,
    half_precision,
    save_calibration,
)
from neocog.workflows._events import Reporter, silent
from neocog.workflows._timing import Clock, Way, half_type, type_name

GAIN = 1.05  # a way must be this much faster before it is taken: what is measured wavers
_ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Two ways to train one network: by its size, how much faster the second way is than the first."""

    kind: str
    network: str
    size: float
    gain: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationResult:
    """What `calibrate` measured and kept.

    Attributes:
        calibration: the thresholds.
        before: those that neocog comes with for such hardware.
        points: the measurements behind them.
        file: where they are kept; None where they were not.
    """

    calibration: Calibration
    before: Calibration
    points: tuple[Point, ...]
    file: Path | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        points = [{"kind": p.kind, "network": p.network, "size": p.size, "gain": p.gain} for p in self.points]
        file = None if self.file is None else str(self.file)
        return {"calibration": self.calibration.as_dict(), "points": points, "file": file}


def calibrate(*, seconds: float = 0.4, keep: bool = True, report: Reporter = silent) -> CalibrationResult:
    """Measure where on this machine one way to train becomes faster than another, and keep it for `fit`.

    Half precision against float32, in networks with and without convolutions; on a GPU, recorded steps
    (CUDA graphs) against others. The machine should have nothing else to do.

    Args:
        seconds: about how long each way of each network is measured in each of three rounds.
        keep: write the thresholds to this machine's file.
        report: told of the progress.

    Raises:
        StorageError: the file cannot be written; said before anything is measured.
    """
    seconds = check_number("calibrate", "seconds", seconds, minimum=0.01, maximum=60)
    if keep:
        calibration_place()  # said now rather than after a minute of measuring
    device = default_device()
    hardware = half_precision(device)
    before = built_in(hardware)
    ladders = _ladders(device) if hardware is not None else []
    recorded = _recorded_ladder() if device.type == "cuda" else []
    clock = Clock(len(ladders) + len(recorded), report)
    points = [_compare_precisions(clock, device, rung, seconds) for rung in ladders]
    points += [_compare_recorded(clock, rung, seconds) for rung in recorded]
    clock.end()
    found = _thresholds(points, before)
    file = save_calibration(found, device) if keep else None
    return CalibrationResult(calibration=found, before=before, points=tuple(points), file=file)


def _thresholds(points: Sequence[Point], before: Calibration) -> Calibration:
    def of(kind: str) -> list[tuple[float, float]]:
        return [(point.size, point.gain) for point in points if point.kind == kind]

    recorded = of("recorded")
    return replace(
        before,
        bfloat16_dense=crossover(of("dense")),
        bfloat16_convolutional=crossover(of("convolutional")),
        graphs_flops_per_layer=last_gain(recorded) if recorded else before.graphs_flops_per_layer,
        source=f"{datetime.date.today():%Y-%m-%d}",
    )


def crossover(points: Sequence[tuple[float, float]], gain: float = GAIN) -> float:
    """Return the size from which a way gains, as all larger ones do that were measured; infinite without one.

    Between the last size that does not and the first that does, their geometric mean.

    Args:
        points: (size, how much faster).
        gain: what counts as faster.

    Example:
        >>> crossover([(1e6, 0.8), (1e8, 1.5), (1e10, 3.0)])
        10000000.0
    """
    ordered = sorted(points)
    first = len(ordered)
    while first and ordered[first - 1][1] >= gain:
        first -= 1
    if first == len(ordered):
        return NEVER
    return ordered[0][0] if first == 0 else math.sqrt(ordered[first - 1][0] * ordered[first][0])


def last_gain(points: Sequence[tuple[float, float]], gain: float = GAIN) -> float:
    """Return the size up to which a way gains: the other way round than `crossover`.

    Example:
        >>> round(last_gain([(1e6, 3.0), (1e8, 1.5), (1e10, 1.0)]))
        1000000000
    """
    found = crossover([(1.0 / size, how) for size, how in points], gain)
    return 0.0 if found == NEVER else 1.0 / found


Rung = tuple[str, str, Callable[[], Any], tuple[int, ...], int]  # kind, name, model, input shape, batch


def _dense(width: int) -> Any:
    return Sequential(
        [
            layers.Input((width,)),
            *(layers.Dense(width, activation="relu") for _ in range(3)),
            layers.Dense(10, activation="softmax"),
        ]
    )


def _convolutional(channels: int) -> Any:
    stack = [layers.Conv2D(channels, 3, padding="same", activation="relu") for _ in range(4)]
    return Sequential(
        [
            layers.Input((32, 32, channels)),
            *stack,
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def _ladders(device: torch.device) -> list[Rung]:
    """Networks of growing size: of a GPU's the larger ones too."""
    more = device.type != "cpu"
    widths = (128, 256, 512, 1024, 2048, *((4096, 8192) if more else ()))
    channels = (8, 16, 32, 64, *((128, 256) if more else ()))
    dense: list[Rung] = [("dense", f"3 × {w}", partial(_dense, w), (w,), 128) for w in widths]
    return dense + [
        ("convolutional", f"4 × {c} at 32×32", partial(_convolutional, c), (32, 32, c), 32) for c in channels
    ]


def _recorded_ladder() -> list[Rung]:
    """Networks of growing size a layer, for recorded steps."""
    return [
        ("recorded", f"4 × {c} at 32×32, batch {b}", partial(_convolutional, c), (32, 32, c), b)
        for c, b in ((16, 32), (32, 64), (64, 128), (128, 256), (256, 256))
    ]


def _faster(ways: tuple[Way, Way], seconds: float) -> float:
    """Return how much faster the second way is: the median over rounds, in which both take turns."""
    for way in ways:
        way.last(seconds)
    return statistics.median(ways[0].run() / ways[1].run() for _ in range(_ROUNDS))


def _compare_precisions(clock: Clock, device: torch.device, rung: Rung, seconds: float) -> Point:
    kind, name, make, shape, batch = rung
    clock.next(f"{kind} {name}")
    half = type_name(half_type(device))
    full = Way(make, shape, batch, precision="float32", jit_compile=False)
    gain = _faster((full, Way(make, shape, batch, precision=half, jit_compile=False)), seconds)
    return Point(kind=kind, network=name, size=full.model.plan.flops, gain=gain)


def _compare_recorded(clock: Clock, rung: Rung, seconds: float) -> Point:
    kind, name, make, shape, batch = rung
    clock.next(f"{kind} {name}")
    with calibrated(replace(Calibration(), graphs_flops_per_layer=NEVER, compile_flops=NEVER)):
        plain, recorded = (Way(make, shape, batch, jit_compile=asked) for asked in (False, "auto"))
        gain = _faster((plain, recorded), seconds)
    plan = plain.model.plan
    return Point(kind=kind, network=name, size=plan.flops / plan.layers, gain=gain)


def thresholds() -> CalibrationResult:
    """Return the thresholds that hold on this machine, without measuring anything."""
    device = default_device()
    hardware = half_precision(device)
    now = calibration_for(device, hardware)
    before = built_in(hardware)
    file = None if now.source == before.source else calibration_file()
    return CalibrationResult(calibration=now, before=before, points=(), file=file)


def forget_thresholds() -> bool:
    """Forget what was measured on this machine; return whether there was something."""
    return forget_calibration(default_device())
