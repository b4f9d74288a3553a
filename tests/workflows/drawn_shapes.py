"""Classes that a small network learns in seconds: drawn shapes in folders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from neocog.workflows import Event, TrainResult

# File and class names that would break a report, a shell or a table that trusts them.
HOSTILE = "<img src=x onerror=alert(1)>"
HOSTILE_FILE = "circle/\"><script>alert('1')&.png"


@dataclass
class Trained:
    """A finished run, its data, and what it told."""

    result: TrainResult
    data: Path | None
    events: list[Event] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Of the run."""
        return self.result.folder


def draw(shape: str, seed: int, size: int = 20) -> Image.Image:
    """Return a filled circle (red), square (blue) or bar (green) on a noisy ground."""
    rng = np.random.default_rng(seed)
    image = Image.fromarray(rng.integers(0, 60, (size, size, 3), dtype=np.uint8))
    pen = ImageDraw.Draw(image)
    a, b = int(rng.integers(2, 5)), int(rng.integers(size - 5, size - 2))
    if shape == "circle":
        pen.ellipse((a, a, b, b), fill=(220, 40, 40))
    elif shape == "square":
        pen.rectangle((a, a, b, b), fill=(40, 40, 220))
    else:
        pen.rectangle((a, size // 2 - 2, b, size // 2 + 2), fill=(40, 200, 40))
    return image


def shapes(root: Path, counts: dict[str, int], suffix: str = ".png", first: int = 0) -> Path:
    """Write a folder a class; the first three classes get a shape each."""
    for name, shape in zip(counts, ("circle", "square", "bar"), strict=False):
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(counts[name]):
            draw(shape, first + number).save(root / name / f"{first + number:03d}{suffix}")
    return root


def mosaics(root: Path, counts: dict[str, int], first: int = 0) -> Path:
    """Write a folder a class of images so unlike each other that no copies are looked for closely."""
    for place, (name, count) in enumerate(counts.items()):
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(first, first + count):
            tiles = np.random.default_rng([place, number]).integers(0, 200, (5, 5, 3)) + 55 * (place % 2)
            image = Image.fromarray(tiles.astype(np.uint8)).resize((20, 20), Image.Resampling.NEAREST)
            image.save(root / name / f"{number:03d}.jpg")
    return root


def fill(root: Path, counts: dict[str, dict[str, int]], draw_all: Callable[..., Path] = shapes) -> Path:
    """Write train, validation and test folders with different images."""
    for position, (part, classes) in enumerate(counts.items()):
        draw_all(root / part, classes, first=1000 * position)
    return root
