"""How a network is trained: a table of settings by the size of the images."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from neocog.workflows._augmentations import AUGMENTATIONS, augmentation_layers

__all__ = ["AUGMENTATIONS", "Recipe", "augmentation_layers", "choose_recipe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """The settings for images up to `longest` pixels a side."""

    longest: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    updates: int  # steps that training should take in all
    epochs: tuple[int, int]  # least and most
    augment: str


_TABLE = (
    _Row(longest=16, batch_size=32, learning_rate=2e-3, weight_decay=1e-2, updates=1000,
         epochs=(10, 40), augment="light"),
    _Row(longest=64, batch_size=64, learning_rate=2e-3, weight_decay=1e-2, updates=6000,
         epochs=(8, 60), augment="light"),
    _Row(longest=10**9, batch_size=32, learning_rate=2e-3, weight_decay=2e-2, updates=3800,
         epochs=(10, 60), augment="photo"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a network is trained.

    Attributes:
        batch_size: images a step.
        epochs: most epochs.
        patience: epochs without a lower validation loss before training stops.
        learning_rate: after the warm-up; falls along a cosine to 0.
        warmup_epochs: epochs in which the rate rises.
        weight_decay: of AdamW.
        augment: name in `AUGMENTATIONS`.
    """

    batch_size: int
    epochs: int
    patience: int
    learning_rate: float
    warmup_epochs: float
    weight_decay: float
    augment: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def choose_recipe(
    shape: tuple[int, int, int],
    samples: int,
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    augment: str = "auto",
    weight_decay: float | None = None,
) -> Recipe:
    """Return the recipe for images of a shape; what is given overrides the table.

    Args:
        shape: of one image (H, W, C).
        samples: training images.
        epochs, batch_size, learning_rate, weight_decay: None takes the table's.
        augment: a name in `AUGMENTATIONS`, or `"auto"`.
    """
    row = next(row for row in _TABLE if max(shape[:2]) <= row.longest)
    size = min(batch_size or row.batch_size, samples)
    if batch_size is None:
        size = max(min(size, samples // 4), 1)  # a few steps an epoch, also with few images
    steps = -(-samples // size)
    least, most = row.epochs
    count = epochs or min(max(-(-row.updates // steps), least), most)
    return Recipe(
        batch_size=size,
        epochs=count,
        patience=max(8, count // 3),
        learning_rate=learning_rate or row.learning_rate,
        warmup_epochs=min(3.0, count / 8),
        weight_decay=row.weight_decay if weight_decay is None else weight_decay,
        augment=row.augment if augment == "auto" else augment,
    )
