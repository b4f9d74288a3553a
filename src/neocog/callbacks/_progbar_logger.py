"""The progress line as a callback."""

from __future__ import annotations

from neocog.callbacks._registry import CALLBACKS
from neocog.training import Progress


@CALLBACKS.register()
class ProgbarLogger(Progress):
    """Shows how training, evaluation and prediction advance; `fit` adds one unless `verbose=0`.

    Example:
        >>> logger = ProgbarLogger()
        >>> logger.set_params({"verbose": 2, "epochs": 1, "steps": 5})
        >>> logger.listens("on_train_batch_end")
        False
    """

    def __init__(self) -> None:
        super().__init__()
