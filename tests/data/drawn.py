"""Images that the tests draw: every mode that people's folders hold, and every fault."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def photo(height: int = 24, width: int = 36, seed: int = 0) -> np.ndarray:
    """Return a smooth coloured picture whose four corners differ."""
    rows, columns = np.mgrid[0:height, 0:width]
    red, green = 255 * rows / max(height - 1, 1), 255 * columns / max(width - 1, 1)
    blue = np.full_like(red, (40 * seed + 60) % 256)
    return np.stack([red, green, blue], -1).astype(np.uint8)


def save(path: Path, array: np.ndarray | None = None, mode: str | None = None, **options: object) -> Path:
    """Write an array as an image file, converted to `mode`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(photo() if array is None else array)
    (image if mode is None else image.convert(mode)).save(path, **options)
    return path


def tree(root: Path, counts: dict[str, int], suffix: str = ".png", size: tuple[int, int] = (8, 10)) -> Path:
    """Write a folder a class; images of one class share their blue."""
    for label, (name, count) in enumerate(counts.items()):
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            picture = photo(*size, seed=label)
            picture[0, 0] = (i, label, 0)
            save(root / name / f"{i}{suffix}", picture)
    return root
