"""Several callbacks as one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from neocog.callbacks._progbar_logger import ProgbarLogger
from neocog.callbacks._registry import CALLBACKS
from neocog.core import tree_flatten
from neocog.training import History, HookList
from neocog.training._hook import Logs


@CALLBACKS.register()
class CallbackList(HookList):
    """Calls several callbacks in order, for a training loop of one's own.

    Args:
        callbacks: callbacks, nested lists allowed.
        add_history: add a `History` unless there is one; default False.
        add_progbar: add a `ProgbarLogger` unless there is one; default False.
        model: the model that they watch.
        **params: what they may know of the run: `epochs`, `steps`, `verbose`.

    Example:
        >>> callbacks = CallbackList(add_history=True, epochs=1)
        >>> callbacks.on_train_begin()
        >>> callbacks.on_epoch_end(0, {"loss": 1.5})
        >>> callbacks.history.history
        {'loss': [1.5]}
    """

    def __init__(
        self,
        callbacks: Iterable[Any] | Any | None = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        hooks = [] if callbacks is None else tree_flatten(callbacks)
        if add_history and not any(isinstance(hook, History) for hook in hooks):
            hooks.append(History())
        if add_progbar and not any(isinstance(hook, ProgbarLogger) for hook in hooks):
            hooks.append(ProgbarLogger())
        super().__init__(hooks)
        if model is not None:
            self.set_model(model)
        self.set_params({"verbose": 1, "epochs": 1, "steps": None, **params})

    @property
    def callbacks(self) -> list[Any]:
        """The callbacks, in the order in which they are called."""
        return self.hooks

    @property
    def history(self) -> History | None:
        """The first `History` among the callbacks."""
        return next((hook for hook in self.hooks if isinstance(hook, History)), None)

    def set_model(self, model: Any) -> None:
        """Give the model to every callback, and the history to the model."""
        super().set_model(model)
        if self.history is not None:
            model.history = self.history

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call `on_train_batch_begin`; the older name."""
        self.on_train_batch_begin(batch, logs)

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call `on_train_batch_end`; the older name."""
        self.on_train_batch_end(batch, logs)
