"""Setting up what watches a run: history, the user's callbacks, the progress line."""

from __future__ import annotations

from typing import Any

from neocog.data import Source
from neocog.exceptions import ArgumentError, message
from neocog.training._hook import HookList
from neocog.training._progress import Progress


def make_hooks(
    model: Any,
    callbacks: Any,
    *,
    verbose: Any,
    params: dict[str, Any],
    history: Any = None,
    leads: bool = True,
) -> HookList:
    """Return all hooks of a run: the user's, then the history, which keeps what they add, then the progress.

    A process that does not lead has none that write or show something.

    Raises:
        ArgumentError: something among the callbacks is none.
    """
    hooks: list[Any] = []
    for hook in as_list(callbacks):
        if isinstance(hook, type) or not hasattr(hook, "set_model"):
            advice = "Make an instance of it."
            raise ArgumentError(message("callbacks", expected="callback objects", got=repr(hook), do=advice))
        hooks.append(hook)
    hooks += [] if history is None else [history]
    if verbose and not any(isinstance(hook, Progress) for hook in hooks):
        hooks.append(Progress())
    together = HookList([hook for hook in hooks if leads or not getattr(hook, "writes", False)])
    together.set_model(model)
    together.set_params({"verbose": verbose, **params})
    return together


def as_list(callbacks: Any) -> list[Any]:
    """Return the user's callbacks: one, several or none, as a list."""
    return [callbacks] if hasattr(callbacks, "set_model") else list(callbacks or [])


def checked_verbose(verbose: Any) -> Any:
    """Return `verbose`, which must be 0, 1, 2 (or a bool) or "auto"."""
    if verbose == "auto":
        return verbose
    if verbose in (0, 1, 2):
        return int(verbose)
    raise ArgumentError(message("verbose", expected='0, 1, 2 or "auto"', got=repr(verbose)))


def steps_of(source: Source, limit: int | None) -> int | None:
    """Return the number of steps of one pass over a source, None where it is not known.

    Raises:
        ArgumentError: the source never ends, and no limit is given.
    """
    if limit is None and source.endless:
        do = "Pass steps_per_epoch (validation_steps, steps), or take(n) of the data."
        raise ArgumentError(message("data", expected="a number of steps", got="endless data", do=do))
    if limit is None or source.num_batches is None:
        return limit or source.num_batches
    return limit
