"""The seam between the training loop and everything that watches it.

A hook overrides the verbs that it needs. The loop asks `HookList` once which hooks listen to batches, so
that a run without batch hooks calls nothing per batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any

from neocog.exceptions import ArgumentError, message

Logs = Mapping[str, Any]
# At the end of an epoch all hooks share one plain dict: what an earlier one adds, a later one sees.
EpochLogs = MutableMapping[str, Any]

PHASES = ("train", "test", "predict")
VERBS = (
    "on_epoch_begin",
    "on_epoch_end",
    *(f"on_{phase}_{when}" for phase in PHASES for when in ("begin", "end")),
    *(f"on_{phase}_batch_{when}" for phase in PHASES for when in ("begin", "end")),
)


class Hook:
    """Watches training, evaluation and prediction; every verb does nothing unless overridden.

    `logs` of the batch verbs may compute values on access (a device sync): read it only when needed. Epoch
    and batch numbers start at 0.
    """

    writes = False  # whether it writes files or shows something: one of several processes has it then
    moves_weights = False  # whether its verbs around a validation change the model or the optimizer
    state_is_needed = True  # whether a resumed run without this hook would be another one
    model: Any = None
    params: Mapping[str, Any] | None = None

    def set_model(self, model: Any) -> None:
        """Receive the model before anything else is called."""
        self.model = model

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Receive what is known of the run.

        Keys: `verbose`, `epochs`, `steps` (None where unknown); where the loop knows them also
        `validation_steps`, `do_validation` (bool) and `metrics` (the names that epoch logs will have).
        """
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Called at the start of `fit`."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called at the end of `fit`."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called at the start of an epoch."""

    def on_epoch_end(self, epoch: int, logs: EpochLogs | None = None) -> None:
        """Called at the end of an epoch, after validation; `logs` is a plain dict that may be added to."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a training batch."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a training batch."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called at the start of `evaluate` and of each validation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called at the end of `evaluate` and of each validation."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before an evaluation batch."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after an evaluation batch."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Called at the start of `predict`."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Called at the end of `predict`."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a prediction batch."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a prediction batch."""

    def listens(self, verb: str) -> bool:
        """Return whether calling `verb` would do anything."""
        return getattr(getattr(self, verb), "__func__", None) is not getattr(Hook, verb)

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs: numbers, strings, lists and tensors by name."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state; a resumed run calls it after `on_train_begin`."""


class HookList(Hook):
    """Calls several hooks in order.

    Args:
        hooks: the hooks; an object without `listens` counts as listening to every verb that it has.

    Example:
        >>> class Count(Hook):
        ...     batches = 0
        ...     def on_train_batch_end(self, batch, logs=None):
        ...         self.batches += 1
        >>> count = Count()
        >>> hooks = HookList([count])
        >>> hooks.on_train_batch_end(0)
        >>> count.batches, hooks.listens("on_train_batch_begin")
        (1, False)
    """

    def __init__(self, hooks: Iterable[Any] = ()) -> None:
        self.hooks: list[Any] = list(hooks)
        self._calls: dict[str, tuple[Callable[..., Any], ...]] = {}
        self.refresh()

    def append(self, hook: Any) -> None:
        """Add a hook that is called after the others."""
        self.hooks.append(hook)
        self.refresh()

    def refresh(self) -> None:
        """Find out again who listens to what; needed after a hook changed its methods or its mind."""
        self._calls = {
            verb: tuple(getattr(hook, verb) for hook in self.hooks if _listens(hook, verb)) for verb in VERBS
        }

    def listens(self, verb: str) -> bool:
        """Return whether any hook listens to `verb`."""
        return bool(self._calls[verb])

    def calls(self, verb: str) -> tuple[Callable[..., Any], ...]:
        """Return the bound methods that `verb` calls, for a loop that calls them itself."""
        return self._calls[verb]

    def set_model(self, model: Any) -> None:
        """Give the model to every hook."""
        self.model = model
        for hook in self.hooks:
            hook.set_model(model)
        self.refresh()

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Give the run's parameters to every hook."""
        self.params = params
        for hook in self.hooks:
            hook.set_params(params)
        self.refresh()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Call every hook."""
        self._call("on_train_begin", logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Call every hook."""
        self._call("on_train_end", logs)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Call every hook."""
        self._call_at("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: EpochLogs | None = None) -> None:
        """Call every hook with the same dict."""
        self._call_at("on_epoch_end", epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call the hooks that listen."""
        self._call_at("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call the hooks that listen."""
        self._call_at("on_train_batch_end", batch, logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Call every hook."""
        self._call("on_test_begin", logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Call every hook."""
        self._call("on_test_end", logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call the hooks that listen."""
        self._call_at("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call the hooks that listen."""
        self._call_at("on_test_batch_end", batch, logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Call every hook."""
        self._call("on_predict_begin", logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Call every hook."""
        self._call("on_predict_end", logs)

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call the hooks that listen."""
        self._call_at("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call the hooks that listen."""
        self._call_at("on_predict_batch_end", batch, logs)

    def state_dict(self) -> dict[str, Any]:
        """Return every hook's class and state, in order."""
        return {
            "hooks": [
                {
                    "class_name": type(hook).__name__,
                    "state": hook.state_dict() if _has_state(hook) else {},
                    "needed": bool(getattr(hook, "state_is_needed", True)),
                }
                for hook in self.hooks
            ]
        }

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        """Give every hook its state back, by its class and place; those that need none may come and go.

        Args:
            state: what `state_dict` returned.
            strict: False lets others be missing too: a process that writes nothing has no hooks that write.

        Raises:
            ArgumentError: a hook that needs the state that it left is missing.
        """
        waiting = [hook for hook in self.hooks if _has_state(hook)]
        for entry in state["hooks"]:
            if not entry["state"]:
                continue
            names = [type(hook).__name__ for hook in waiting]
            if entry["class_name"] not in names:
                if not (entry["needed"] and strict):
                    continue
                saved = [other["class_name"] for other in state["hooks"] if other["state"]]
                raise ArgumentError(
                    message(
                        "callbacks",
                        expected=f"the callbacks of the saved run, {saved}",
                        got=[type(hook).__name__ for hook in self.hooks],
                        do="Pass the same callbacks in the same order to resume.",
                    )
                )
            found = names.index(entry["class_name"])
            waiting[found].load_state_dict(entry["state"])
            del waiting[: found + 1]

    def _call(self, verb: str, logs: Logs | None) -> None:
        logs = {} if logs is None else logs
        for call in self._calls[verb]:
            call(logs)

    def _call_at(self, verb: str, index: int, logs: Logs | None) -> None:
        logs = {} if logs is None else logs
        for call in self._calls[verb]:
            call(index, logs)


def _listens(hook: Any, verb: str) -> bool:
    if hasattr(hook, "listens"):
        return bool(hook.listens(verb))
    return callable(getattr(hook, verb, None))


def _has_state(hook: Any) -> bool:
    return hasattr(hook, "state_dict") and hasattr(hook, "load_state_dict")
