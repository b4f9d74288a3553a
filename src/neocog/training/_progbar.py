"""A progress bar for loops that people write themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from neocog.core import check_int
from neocog.exceptions import ArgumentError, message
from neocog.training._progress_bar import ProgressBar


class Progbar:
    """Shows how far a loop is, how long it still takes, and the means of its values.

    Args:
        target: number of steps; None where unknown.
        width: characters of the bar; default 20.
        verbose: 0 silent, 1 a line that is rewritten (default), 2 one line at the end.
        interval: least seconds between two writes; default 0.05.
        stateful_metrics: names of values that are shown as they are; all others are averaged over the steps.
        stateless_metrics: names of values that are averaged; all others are shown as they are.
        unit_name: what a step is called; default "step".

    Raises:
        ArgumentError: both kinds of names are given.

    Example:
        >>> bar = Progbar(2, verbose=0)
        >>> bar.add(1, [("loss", 0.5)])
        >>> bar.update(2, [("loss", 0.25)])
        >>> bar.values
        {'loss': 0.375}
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            got = "stateful_metrics and stateless_metrics"
            raise ArgumentError(message("Progbar", expected="one of two lists of names", got=got))
        self.target = None if target is None else check_int("Progbar", "target", target, minimum=0)
        self.width = check_int("Progbar", "width", width, minimum=1)
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self._stateful = None if stateful_metrics is None else set(stateful_metrics)
        self._stateless = None if stateless_metrics is None else set(stateless_metrics)
        self._sums: dict[str, tuple[Any, int]] = {}
        self._seen = 0
        self._bar = ProgressBar(
            self.target, verbose=verbose, interval=interval, bar_width=self.width, unit=unit_name
        )

    @property
    def values(self) -> dict[str, Any]:
        """What is shown: means, and values as they are."""
        return {name: total / count if count > 1 else total for name, (total, count) in self._sums.items()}

    def update(
        self, current: int, values: Iterable[tuple[str, Any]] | None = None, finalize: bool | None = None
    ) -> None:
        """Note that `current` steps are done.

        Args:
            current: number of steps done.
            values: (name, value) pairs of the last step.
            finalize: end the line; None does so at the target.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        steps = max(current - self._seen, 1)
        for name, value in values or ():
            if not self._averages(name):
                self._sums[name] = (value, 1)
                continue
            total, count = self._sums.get(name, (0.0, 0))
            self._sums[name] = (total + value * steps, count + steps)
        self._seen = current
        self._bar.update(current, self.values)
        if finalize:
            self._bar.finish(self.values)

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Note that `n` more steps are done."""
        self.update(self._seen + n, values)

    def _averages(self, name: str) -> bool:
        if self._stateless is not None:
            return name in self._stateless
        return self._stateful is None or name not in self._stateful
