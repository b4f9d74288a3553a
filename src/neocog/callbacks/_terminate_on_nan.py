"""Stopping at a loss that is no number."""

from __future__ import annotations

import math

from neocog.callbacks._callback import Callback
from neocog.callbacks._registry import CALLBACKS
from neocog.exceptions import TrainingError, message
from neocog.training._hook import Logs


@CALLBACKS.register()
class TerminateOnNaN(Callback):
    """Stops training when the loss is NaN or infinite.

    It reads the loss after every batch, so that each batch waits for the device.

    Args:
        raise_error: raise instead of stopping; default False.

    Raises:
        TrainingError: with `raise_error`, naming the batch.

    Example:
        >>> TerminateOnNaN().on_train_batch_end(0, {"loss": 0.5})
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Look at the loss."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(float(loss)):
            return
        if self.raise_error:
            raise TrainingError(
                message(
                    f"batch {batch}",
                    expected="a finite loss",
                    got=float(loss),
                    do="Lower the learning rate, clip gradients, or look for NaN in the data.",
                )
            )
        print(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
