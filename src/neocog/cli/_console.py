"""How a training looks: live on a terminal, plain lines in a log, on the stream that holds no result."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

if TYPE_CHECKING:
    from neocog import workflows

MOST_BROKEN_SHOWN = 10


class TrainingView:
    """Shows what `train` tells.

    Args:
        quiet: show warnings alone.
        to_stderr: write to stderr, where stdout holds a machine's result.
    """

    def __init__(self, *, quiet: bool = False, to_stderr: bool = False) -> None:
        self.quiet = quiet
        # In a log a line has no width to keep to.
        stream = sys.stderr if to_stderr else sys.stdout
        width = None if stream.isatty() else 10_000
        self.console = Console(stderr=to_stderr, highlight=False, markup=False, width=width, soft_wrap=True)
        self.errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        self._bar: Progress | None = None
        self._task: Any = None
        self._width = 1

    def __enter__(self) -> TrainingView:
        return self

    def __exit__(self, *details: object) -> None:
        self._close()

    def __call__(self, event: workflows.Event) -> None:
        """Show one event."""
        show = getattr(self, f"_{type(event).__name__}", None)
        if show is not None:
            show(event)

    def _Reading(self, event: workflows.Reading) -> None:
        self._move(event.what, event.done, event.total, "")
        if event.done >= event.total:
            self._close()

    def _DataReady(self, event: workflows.DataReady) -> None:
        self._close()
        counts = ", ".join(f"{count} {part}" for part, count in event.counts.items())
        names = ", ".join(event.class_names[:10]) + (", …" if len(event.class_names) > 10 else "")
        height, width, channels = event.image_shape
        several = len(event.class_names) > 1
        noun = {"multi-label": "label", "regression": "target"}.get(event.task, "class")
        noun += ("es" if noun == "class" else "s") if several else ""
        self._line(f"data: {event.name}, {len(event.class_names)} {noun} ({names})")
        self._line(f"      {counts} images, read as {height}×{width}×{channels}")
        for file, reason in event.broken[:MOST_BROKEN_SHOWN]:
            self._warn(f"left out: {file}: {reason}")
        if len(event.broken) > MOST_BROKEN_SHOWN:
            more = len(event.broken) - MOST_BROKEN_SHOWN
            self._warn(f"left out: {more} more broken images; the report lists them")

    def _Warned(self, event: workflows.Warned) -> None:
        self._warn(event.text)

    def _TrainingStarted(self, event: workflows.TrainingStarted) -> None:
        self._width = len(str(event.epochs))
        self._line(f"model: {event.model}, {event.parameters:,} parameters, up to {event.epochs} epochs")
        self._line(event.plan)
        self._line(f"run: {event.folder}")

    def _StepsDone(self, event: workflows.StepsDone) -> None:
        left = "" if event.seconds_left is None else f"at most {clock(event.seconds_left)} left"
        text = f"epoch {event.epoch:>{self._width}}/{event.epochs}"
        self._move(text, event.step, event.steps, f"{_values(event.values)}  {left}".strip())

    def _EpochDone(self, event: workflows.EpochDone) -> None:
        self._close()
        best = "  best so far" if event.best else ""
        text = f"epoch {event.epoch:>{self._width}}/{event.epochs}  {_values(event.values)}"
        self._line(f"{text}  {event.seconds:.1f} s{best}")

    def _Featured(self, event: workflows.Featured) -> None:
        self._close()
        when = "kept from an earlier run" if event.cached else f"{event.seconds:.1f} s"
        self._line(f"features: {event.images} images through {event.base}, {when}")
        self._line(f"advice: {event.advice}")

    def _PhaseDone(self, event: workflows.PhaseDone) -> None:
        self._close()
        name = event.headline.replace("_", " ")
        pairs = (("validation", event.validation), ("test", event.test))
        figures = ", ".join(f"{part} {name} {value:.4f}" for part, value in pairs if value is not None)
        self._line(f"{event.title}: {figures} ({event.epochs} epochs, {event.seconds:.1f} s)")

    def _Interrupted(self, event: workflows.Interrupted) -> None:
        self._close()
        text = f"interrupted after epoch {event.epoch}: keeping the best weights so far"
        self._warn(text if event.epoch else "interrupted in the first epoch: keeping the weights so far")

    def _Resumed(self, event: workflows.Resumed) -> None:
        self._close()
        phase = f"{event.phase}: " if event.phase else ""
        at = f", step {event.step}" if event.step > 1 else ""
        going = "trained already" if event.finished else f"goes on at epoch {event.epoch}/{event.epochs}{at}"
        self._line(f"resumed: {phase}{going}")

    def _Unfinished(self, event: workflows.Unfinished) -> None:
        self._close()
        self.errors.print(Text(printable(f"go on with: neocog resume {shlex.quote(event.folder)}")))

    def _Complete(self, event: workflows.Complete) -> None:
        self._line(f"{event.folder}: this run is complete; nothing was changed")

    def _Measuring(self, event: workflows.Measuring) -> None:
        left = "" if event.seconds_left is None else f"about {clock(event.seconds_left)} left"
        self._move(event.what, event.done, event.total, left)
        if event.done >= event.total:
            self._close()

    def _Evaluating(self, event: workflows.Evaluating) -> None:
        self._close()

    def _line(self, text: str) -> None:
        if not self.quiet:
            self.console.print(printable(text))

    def _warn(self, text: str) -> None:
        self._close()
        self.errors.print(Text(printable(f"note: {text}"), style="yellow"))

    def _move(self, what: str, done: int, total: int, values: str) -> None:
        """Move the live line, which only a terminal has."""
        if self.quiet or not self.console.is_terminal:
            return
        if self._bar is None:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(24),
                MofNCompleteColumn(),
                TextColumn("{task.fields[values]}"),
            )
            self._bar = Progress(*columns, console=self.console, transient=True, refresh_per_second=5)
            self._task = self._bar.add_task(what, total=total, values=values)
            self._bar.start()
        self._bar.update(self._task, description=what, completed=done, total=total, values=values)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _values(values: Mapping[str, float]) -> str:
    """Return losses and metrics in the order in which they are read."""
    shown = []
    titles = {"loss": "loss", "accuracy": "accuracy", "macro_f1": "macro F1", "r2": "R²"}
    for before, words in (("", ""), ("val_", "validation ")):
        for name, title in titles.items():
            if before + name in values:
                shown.append(f"{words}{title} {values[before + name]:.4f}")
    return "  ".join(shown)


def clock(seconds: float) -> str:
    """Return seconds as minutes and seconds, with hours where there are any.

    Example:
        >>> clock(42.4), clock(185), clock(3753)
        ('0:42', '3:05', '1:02:33')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def printable(text: str) -> str:
    """Return a text that every stream takes: no bytes that are no Unicode, no control characters."""
    plain = text.encode("utf-8", "replace").decode()
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in plain)
