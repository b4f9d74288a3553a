"""Callbacks from functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neocog.callbacks._callback import Callback
from neocog.callbacks._registry import CALLBACKS
from neocog.exceptions import ArgumentTypeError, message

_Verb = Callable[..., Any] | None


@CALLBACKS.register()
class LambdaCallback(Callback):
    """Calls functions at the verbs that they are given for.

    Args:
        on_epoch_begin: function `(epoch, logs)`.
        on_epoch_end: function `(epoch, logs)`.
        on_train_begin: function `(logs)`.
        on_train_end: function `(logs)`.
        on_train_batch_begin: function `(batch, logs)`.
        on_train_batch_end: function `(batch, logs)`.
        **kwargs: further verbs by name (`on_test_end`, …), or attributes.

    Example:
        >>> seen = []
        >>> LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch)).on_epoch_end(3, {})
        >>> seen
        [3]
    """

    def __init__(
        self,
        on_epoch_begin: _Verb = None,
        on_epoch_end: _Verb = None,
        on_train_begin: _Verb = None,
        on_train_end: _Verb = None,
        on_train_batch_begin: _Verb = None,
        on_train_batch_end: _Verb = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        verbs = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        for name, value in {**verbs, **kwargs}.items():
            if value is None:
                continue
            if name.startswith("on_") and not callable(value):
                raise ArgumentTypeError(
                    message("LambdaCallback", expected=f"{name} to be a function", got=repr(value))
                )
            setattr(self, name, value)
