"""Evaluating with averaged weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from neocog.callbacks._callback import Callback
from neocog.callbacks._registry import CALLBACKS
from neocog.exceptions import ArgumentError, message
from neocog.training._hook import EpochLogs, Logs


@CALLBACKS.register()
class SwapEMAWeights(Callback):
    """Puts the moving averages of the weights in their place while the model is evaluated.

    The optimizer keeps them: `SGD(use_ema=True)`.

    Args:
        swap_on_epoch: also from the end of an epoch to the begin of the next, so that callbacks after this
            one (`ModelCheckpoint`) see the averages; default False.

    Raises:
        ArgumentError: the optimizer keeps no averages.

    Example:
        >>> SwapEMAWeights(swap_on_epoch=True).swap_on_epoch
        True
    """

    moves_weights = True

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False
        # The weights of the last epoch, whose averages stand in both places: for a run that gets more epochs.
        self._plain: list[torch.Tensor] = []

    def _averaging(self) -> list[Any]:
        """The optimizers that keep averages."""
        outer = self.model.optimizer
        inner = getattr(outer, "inner_optimizer", outer)
        found = [one for one in getattr(inner, "optimizers", [inner]) if getattr(one, "use_ema", False)]
        if not found:
            raise ArgumentError(
                message(
                    "SwapEMAWeights",
                    expected="an optimizer that keeps averages",
                    got=f"{type(inner).__name__} without",
                    do="Make it with use_ema=True.",
                )
            )
        return [one for one in found if one.built]

    def _swap(self, into_model: bool) -> None:
        if self._swapped == into_model:
            return
        pairs = self._pairs()
        with torch.no_grad():
            for number, (param, average) in enumerate(pairs):
                if self._plain:  # the averages are where they belong
                    param.copy_(self._plain[number])
                    continue
                held = param.clone()
                param.copy_(average)
                average.copy_(held)
        self._swapped, self._plain = into_model, []

    def _keep_averages(self) -> None:
        """Give the averages back to the optimizer, which puts them into the model at the end of `fit`."""
        with torch.no_grad():
            self._plain = [average.clone() for _, average in self._pairs()]
            for param, average in self._pairs():
                average.copy_(param)

    def _pairs(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Return each weight with its average."""
        tables = [optimizer._table for optimizer in self._averaging()]
        return [pair for table in tables for pair in zip(table.params, table.slots["average"], strict=True)]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget what an earlier `fit` left."""
        self._swapped, self._plain = False, []
        self._averaging()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Let the weights of the last epoch go."""
        self._plain = []

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Train on with the plain weights."""
        if self.swap_on_epoch:
            self._swap(False)

    def on_epoch_end(self, epoch: int, logs: EpochLogs | None = None) -> None:
        """Show the averages to the callbacks that follow."""
        if not self.swap_on_epoch or self._swapped:
            return
        self._swap(True)
        if self.model.stop_training or epoch == (self.params or {}).get("epochs", 0) - 1:
            self._keep_averages()

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Evaluate with the averages."""
        self._swap(True)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Go back to the plain weights."""
        self._swap(False)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Predict with the averages."""
        self._swap(True)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Go back to the plain weights."""
        self._swap(False)

    def state_dict(self) -> dict[str, Any]:
        """Return whether the averages stand in the model, and the weights where they took their place."""
        return {"swapped": self._swapped, "plain": list(self._plain)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        self._swapped, self._plain = state["swapped"], list(state["plain"])
