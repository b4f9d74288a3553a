"""Suite `augment`: milliseconds to change a batch of 32 photographs, our layers against Keras's on torch.

Both run in one process and take turns, on the same images: float32 in 0…255, called with `training=True`. The
first row is the chain flip, rotation, zoom, contrast; then each layer by itself, and the chain on uint8.
"""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"

import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch

import neocog
from neocog.core import default_device, keep_freed_memory

SHAPE = (32, 180, 180, 3)
CHAIN: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("RandomFlip", ("horizontal",)),
    ("RandomRotation", (0.1,)),
    ("RandomZoom", (0.2,)),
    ("RandomContrast", (0.2,)),
)
ALONE: tuple[tuple[str, tuple[Any, ...]], ...] = (
    *CHAIN,
    ("RandomTranslation", (0.1, 0.1)),
    ("RandomShear", (0.2, 0.2)),
    ("RandomCrop", (160, 160)),
    ("RandomPerspective", ()),
    ("RandomElasticTransform", ()),
    ("RandomBrightness", (0.2,)),
    ("RandomSaturation", (0.3,)),
    ("RandomHue", (0.2,)),
    ("RandomColorJitter", ((0, 255), 0.2, 0.2, 0.2, 0.2)),
    ("RandomGrayscale", (0.5,)),
    ("RandomColorDegeneration", (0.5,)),
    ("RandomInvert", ()),
    ("RandomPosterization", (4,)),
    ("Solarization", (0.5, 0.5)),
    ("AutoContrast", ()),
    ("Equalization", ()),
    ("RandomSharpness", (0.5,)),
    ("RandomGaussianBlur", ()),
    ("RandomErasing", ()),
    ("RandAugment", ()),
    ("AugMix", ()),
    ("MixUp", ()),
    ("CutMix", ()),
)


def run(seconds: float = 2.0, rounds: int = 5) -> list[dict[str, Any]]:
    """Run the suite.

    Args:
        seconds: about how long each competitor runs in each round.
        rounds: how often the competitors alternate.

    Returns:
        One row for each case.
    """
    import keras

    keep_freed_memory()  # for both, as `fit` has it
    torch.set_flush_denormal(True)
    device = default_device()
    generator = torch.Generator().manual_seed(0)
    images = (torch.rand(SHAPE, generator=generator) * 255).to(device)
    rows = []
    for name, inputs in (("chain", images), ("chain on uint8", images.to(torch.uint8))):
        pair = [_chain(kind) for kind in (neocog, keras)]
        rows.append(_row(name, pair, inputs, seconds, rounds))
    for name, arguments in ALONE:
        layers = [getattr(kind.layers, name)(*arguments) for kind in (neocog, keras)]
        inputs = images
        if name in ("MixUp", "CutMix"):
            inputs = {"images": images, "labels": torch.eye(SHAPE[0], device=device)}
        rows.append(_row(name, layers, inputs, seconds / 4, rounds))
    return rows


def _chain(kind: Any) -> Any:
    return kind.Sequential([getattr(kind.layers, name)(*arguments) for name, arguments in CHAIN])


def _row(name: str, pair: list[Any], inputs: Any, seconds: float, rounds: int) -> dict[str, Any]:
    works = [lambda layer=layer: layer(inputs, training=True) for layer in pair]
    counts = [_count(work, seconds) for work in works]
    times: list[list[float]] = [[], []]
    for _ in range(rounds):
        for each, work, count in zip(times, works, counts, strict=True):
            each.append(_time(work, count) / count * 1e3)
    ratios = [theirs / ours for ours, theirs in zip(*times, strict=True)]
    return {
        "case": name,
        "neocog (ms)": statistics.median(times[0]),
        "Keras (ms)": statistics.median(times[1]),
        "ratio": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
    }


def _count(work: Callable[[], Any], seconds: float) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's layers use what torch deprecates
        work()
        return max(1, int(seconds / _time(work, 1)))


def _time(work: Callable[[], Any], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start
