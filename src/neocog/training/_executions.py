"""`steps_per_execution`: what watches the batches hears of N at a time; nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neocog.core import check_int

Call = Callable[..., Any]


def checked_executions(value: Any) -> int:
    """Return `steps_per_execution`; "auto" is 1, as there is nothing to gain: a step waits for nobody.

    Raises:
        ArgumentError: neither a whole number of 1 or more nor "auto".
    """
    return 1 if value == "auto" else check_int("compile", "steps_per_execution", value, minimum=1)


def grouped(
    begin: tuple[Call, ...], end: tuple[Call, ...], every: int
) -> tuple[tuple[Call, ...], tuple[Call, ...], Callable[[], None]]:
    """Return the verbs around a batch, called for every N-th batch alone, and what ends the last group.

    As in Keras, the first verb is told the number of the first batch of a group, the second that of the last.

    Example:
        >>> seen = []
        >>> verbs = (lambda step, logs: seen.append(step),), (lambda *told: seen.append(told),)
        >>> begin, end, rest = grouped(*verbs, 2)
        >>> for step in range(3):
        ...     for call in (*begin, *end):
        ...         call(step, {})
        >>> rest()
        >>> seen
        [0, (1, {}), 2, (2, {})]
    """
    if every == 1:
        return begin, end, _nothing
    waiting: list[tuple[int, Any]] = []

    def begins(step: int, logs: Any) -> None:
        if step % every == 0:
            for call in begin:
                call(step, logs)

    def ends(step: int, logs: Any) -> None:
        waiting[:] = [(step, logs)]
        if (step + 1) % every == 0:
            rest()

    def rest() -> None:
        if waiting:
            step, logs = waiting.pop()
            for call in end:
                call(step, logs)

    return (begins,), (ends,), rest


def _nothing() -> None:
    """Nothing is left to tell."""
