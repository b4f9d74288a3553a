"""One line that counts steps, and how times and values stand in it."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from neocog.training._hook import Logs

_BAR_WIDTH = 20
_SHORT_BAR_WIDTH = 8


class ProgressBar:
    """One line that counts steps: position, bar, time left or taken, time a step, values.

    Args:
        target: number of steps; None where unknown.
        verbose: 0 silent, 1 a line that is rewritten while it runs (where `live`), 2 one line at the end.
        stream: where to write; default `sys.stdout` at the time of writing.
        clock: seconds, monotonic; default `time.perf_counter`.
        interval: least seconds between two writes; default 0.1.
        live: whether the stream can rewrite a line; default whether it is a terminal or a notebook.
        width: columns of the terminal; default asked at each write, unlimited in a notebook.
        bar_width: characters of the bar; default 20.
        unit: what a step is called; default "step".
    """

    def __init__(
        self,
        target: int | None,
        *,
        verbose: int = 1,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.perf_counter,
        interval: float = 0.1,
        live: bool | None = None,
        width: int | None = None,
        bar_width: int = _BAR_WIDTH,
        unit: str = "step",
    ) -> None:
        self.target = target
        self.verbose = verbose
        self.seen = 0
        self._stream = stream
        self._clock = clock
        self._interval = interval
        self._live = is_live(stream) if live is None else live
        self._width = width
        self._bar_width = bar_width
        self._unit = unit
        self._start = clock()
        self._first_step: float | None = None
        self._paused: float | None = None
        self._last_write = float("-inf")
        self._shown = 0  # columns of the line on screen
        self._values = ""
        self._done = False

    @property
    def open(self) -> bool:
        """Whether an unfinished line is on the screen."""
        return self._shown > 0 and not self._done

    def update(self, current: int, logs: Logs | None = None) -> None:
        """Note that `current` steps are done; read `logs` and write only when a write is due."""
        now = self._clock()
        self.seen = current
        if self._first_step is None:
            self._first_step = now
        if self._due(now):
            self._values = format_values(logs)
            self._rewrite(now)

    def note(self, text: str) -> None:
        """Show a word at the end of the line (the state of a validation), when a write is due."""
        now = self._clock()
        if self._due(now):
            self._rewrite(now, suffix=f" - {text}")

    def pause(self) -> None:
        """Stop counting towards the time a step: what follows is validation."""
        self._paused = self._clock()

    def finish(self, logs: Logs | None = None) -> None:
        """Write the last form of the line, with its values and a line end."""
        if self.verbose == 0 or self._done:
            return
        now = self._clock()
        self._values = format_values(logs)
        current = self.seen or self.target or 0
        self.target = self.target or self.seen
        bar = f"{self._bar(current, self._bar_width)} " if self.verbose == 1 else "- "
        taken = f"{now - self._start:.0f}s {self._rate(current, now)}"
        line = f"{self._position(current)} {bar}{taken}{self._values}"
        self._write(("\r" if self._shown else "") + line.ljust(self._shown) + "\n")
        self._done = True

    def abandon(self) -> None:
        """End an unfinished line, so that what follows starts on its own."""
        if self.open:
            self._write("\n")
            self._done = True

    def _due(self, now: float) -> bool:
        return self.verbose == 1 and self._live and now - self._last_write >= self._interval

    def _rewrite(self, now: float, suffix: str = "") -> None:
        self._last_write = now
        position, rate = self._position(self.seen), self._rate(self.seen, now)
        head = f"{self._time_left(now)} {rate}{self._values}{suffix}"
        line = f"{position} {self._bar(self.seen, self._bar_width)} {head}"
        width = self._columns() - 1  # the last column would wrap
        if len(line) > width:
            line = f"{position} {self._bar(self.seen, min(self._bar_width, _SHORT_BAR_WIDTH))} {head}"
        if len(line) > width:
            line = f"{position} {head}"
        if len(line) > width:
            more = _glyph(self._out(), "…", "~")
            line = line[: max(width - 1, 0)] + more
        self._write("\r" + line.ljust(self._shown))
        self._shown = len(line)

    def _position(self, current: int) -> str:
        if not self.target:
            return f"{current}/?"
        return f"{current:>{len(str(self.target))}}/{self.target}"

    def _bar(self, current: int, width: int) -> str:
        full, rest = _glyph(self._out(), "━", "="), _glyph(self._out(), "─", "-")
        if not self.target:
            return rest * width
        filled = min(width, width * current // self.target)
        return full * filled + rest * (width - filled)

    def _rate(self, current: int, now: float) -> str:
        return format_step(self._seconds_a_step(current, now), self._unit)

    def _seconds_a_step(self, current: int, now: float) -> float:
        """Return the mean step time; the first step is left out, since it also pays for starting up."""
        now = self._paused if self._paused is not None else now
        if current > 1 and self._first_step is not None:
            return (now - self._first_step) / (current - 1)
        return (now - self._start) / max(current, 1)

    def _time_left(self, now: float) -> str:
        if not self.target:
            return f"{now - self._start:.0f}s"
        left = self._seconds_a_step(self.seen, now) * max(self.target - self.seen, 0)
        return format_duration(left)

    def _columns(self) -> int:
        if self._width is not None:
            return self._width
        if "ipykernel" in sys.modules:
            return sys.maxsize
        return shutil.get_terminal_size().columns

    def _out(self) -> TextIO:
        return self._stream or sys.stdout

    def _write(self, text: str) -> None:
        out = self._out()
        out.write(text)
        out.flush()


def is_live(stream: TextIO | None = None) -> bool:
    """Return whether a carriage return rewrites the line: on a terminal and in a notebook."""
    out = stream or sys.stdout
    return bool(getattr(out, "isatty", lambda: False)()) or (stream is None and "ipykernel" in sys.modules)


def format_values(logs: Logs | None) -> str:
    """Return ` - name: value` for each log, small values in exponent form.

    Example:
        >>> format_values({"accuracy": 0.91, "loss": 0.00031})
        ' - accuracy: 0.9100 - loss: 3.1000e-04'
    """
    return "".join(f" - {name}: {_number(logs[name])}" for name in logs) if logs else ""


def format_step(seconds: float, unit: str = "step") -> str:
    """Return the time of a step in the largest unit that leaves whole digits.

    Example:
        >>> format_step(0.0031), format_step(2.2), format_step(0.00005)
        ('3ms/step', '2s/step', '50us/step')
    """
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/{unit}"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.0f}ms/{unit}"
    return f"{seconds * 1e6:.0f}us/{unit}"


def format_duration(seconds: float) -> str:
    """Return seconds as `42s`, `3:05` or `1:02:33`.

    Example:
        >>> format_duration(42.9), format_duration(185), format_duration(3753)
        ('42s', '3:05', '1:02:33')
    """
    whole = int(seconds)
    if whole > 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    if whole > 60:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole}s"


def _number(value: Any) -> str:
    try:
        number = float(value)
    except (TypeError, ValueError, RuntimeError):
        try:
            number = float(value.mean())  # one value a class: their mean
        except (AttributeError, TypeError, RuntimeError):
            return str(value)
    return f"{number:.4f}" if abs(number) > 1e-3 else f"{number:.4e}"


def _glyph(out: TextIO, wanted: str, plain: str) -> str:
    """Return a character that the stream can encode."""
    try:
        wanted.encode(getattr(out, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return plain
    return wanted
