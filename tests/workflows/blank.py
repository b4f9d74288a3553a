"""Pictures of one pixel in the place of a run's curves and matrices, for tests of something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from neocog.workflows import _train_job

DRAWING = ("draw_curves", "draw_confusion", "draw_scatter")


def draw_blank(path: Path, *_: Any) -> None:
    Image.new("L", (1, 1)).save(path)


@pytest.fixture
def blank_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that draws nothing: half a second sooner."""
    for name in DRAWING:
        monkeypatch.setattr(_train_job, name, draw_blank)
