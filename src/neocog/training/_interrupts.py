"""SIGINT and SIGTERM between two steps, where the state of a run is whole."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self


class Interrupts:
    """Takes the first SIGINT or SIGTERM as a wish (its number is `asked`); a second SIGINT ends at once.

    Handlers are set in the main thread alone, where Python allows them, and only in the place of the default
    ones: a program with handlers of its own keeps them.
    """

    def __init__(self, numbers: tuple[int, ...] = (signal.SIGINT, signal.SIGTERM)) -> None:
        self.asked: int | None = None
        self._numbers = numbers
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in self._numbers:
                default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
                if signal.getsignal(number) is default:
                    self._previous[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    @property
    def is_asked(self) -> bool:
        """Whether a signal has come."""
        return self.asked is not None

    def leave(self) -> None:
        """End the run as the signal would have, whoever got it: `KeyboardInterrupt`, or exit code 143."""
        if self.asked == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + signal.SIGTERM)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked == signal.SIGINT == number:
            raise KeyboardInterrupt
        self.asked = number
