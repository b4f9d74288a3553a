"""`--batch-size auto`: the size by `fit`'s rule, for the network and the images of a run."""

from __future__ import annotations

from typing import Any

from neocog.core import set_random_seed
from neocog.optimizers import AdamW
from neocog.training import auto_batch_size
from neocog.workflows._data import ImageData
from neocog.workflows._events import Reporter, Warned

AUTO = "auto"


def batch_size_of(model: Any, data: ImageData, seed: int, report: Reporter) -> int:
    """Return the batch size for a network on its training images, and tell it.

    Args:
        model: of the run; its weights stay.
        data: in parts.
        seed: of the run, whose random numbers begin anew.
        report: told the size and the reason.
    """
    source = data.parts["train"].source
    model.compile(AdamW(1e-3), data.task.loss(), precision="float32")
    size, reason = auto_batch_size(model, source.in_batches_of, source.num_samples)
    set_random_seed(seed)
    report(Warned(text=f"batch size {size}: {reason}"))
    return size
