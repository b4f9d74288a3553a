"""Small batches that a metric looks at together, later: counting hits costs more calls than work."""

from __future__ import annotations

import torch

_MOST_BATCHES = 64
_MOST_VALUES = 8192  # predictions of a batch: above, the work itself is what costs


class Later:
    """Targets and predictions that wait. What is counted does not depend on when.

    A batch waits only behind one of the same shapes and types that was looked at in its turn: what is wrong
    with the first is said when it comes.
    """

    def __init__(self) -> None:
        self._kind: tuple[object, ...] = ()
        self._targets: list[torch.Tensor] = []
        self._predictions: list[torch.Tensor] = []

    def __bool__(self) -> bool:
        return bool(self._targets)

    @property
    def is_full(self) -> bool:
        """Whether what waits should be looked at now."""
        return len(self._targets) >= _MOST_BATCHES

    def keep(self, y_true: torch.Tensor, y_pred: torch.Tensor) -> bool:
        """Keep a batch; return whether it was: one of another kind, or a large one, has to be taken now."""
        kind = (y_true.shape[1:], y_pred.shape[1:], y_true.dtype, y_pred.dtype)
        if kind != self._kind or y_pred.numel() > _MOST_VALUES:
            self._kind = kind
            return False
        # Its owner may write the next batch into the same memory; the predictions belong to nobody else.
        self._targets.append(y_true.clone())
        self._predictions.append(y_pred)
        return True

    def take(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return all that waits, as one batch, and forget it."""
        found = torch.cat(self._targets), torch.cat(self._predictions)
        self.clear()
        return found

    def clear(self) -> None:
        """Forget what waits."""
        self._targets, self._predictions = [], []
