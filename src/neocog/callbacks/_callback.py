"""The base of Keras-named callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neocog.callbacks._registry import CALLBACKS
from neocog.files import is_storable
from neocog.training import Hook
from neocog.training._hook import Logs
from neocog.training._put_back import put_back


@CALLBACKS.register()
class Callback(Hook):
    """Watches training, evaluation and prediction: override the verbs that you need.

    `self.model` is the model and `self.params` a dict with `verbose`, `epochs` and `steps`. Set
    `self.model.stop_training = True` to stop after the current batch and epoch end.

    Verbs: `on_(train|test|predict)_(begin|end)(logs)`, `on_epoch_(begin|end)(epoch, logs)`,
    `on_(train|test|predict)_batch_(begin|end)(batch, logs)`, and `on_batch_(begin|end)`, the older names of
    `on_train_batch_(begin|end)`. Reading a value from the `logs` of a batch waits for the device. Snapshots
    of a run keep your attributes that are plain data; override `state_dict` and `load_state_dict` for others.

    Example:
        >>> class Last(Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         self.loss = logs["loss"]
        >>> last = Last()
        >>> last.on_epoch_end(0, {"loss": 0.5})
        >>> last.loss
        0.5
    """

    def __init__(self) -> None:
        self.params = None
        self.model = None

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a training batch; the older name."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a training batch; the older name."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a training batch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a training batch."""
        self.on_batch_end(batch, logs)

    @property
    def state_is_needed(self) -> bool:  # type: ignore[override]
        """Whether the callback says itself what its state is."""
        return type(self).state_dict is not Callback.state_dict

    def state_dict(self) -> dict[str, Any]:
        """Return the attributes that are numbers, texts, tensors, generators, nested ones of them."""
        own = {name: value for name, value in vars(self).items() if name not in ("model", "params")}
        return {name: value for name, value in own.items() if is_storable(value)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set the attributes that `state_dict` returned; lists, dicts and tensors stay the same objects."""
        put_back(self, state)

    def listens(self, verb: str) -> bool:
        """Return whether calling `verb` would do anything."""
        if verb in ("on_train_batch_begin", "on_train_batch_end") and _plain(self, verb):
            return not _plain(self, verb.replace("train_", ""))
        return super().listens(verb)


def _plain(callback: Callback, verb: str) -> bool:
    """Return whether `verb` is the one of the base class."""
    return getattr(getattr(callback, verb), "__func__", None) is getattr(Callback, verb)
