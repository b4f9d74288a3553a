"""The progress line of `fit`, `evaluate` and `predict`.

It is plain text. Metric values are read (a device sync) only when it is written, ten times a second at most.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from neocog.core import is_interactive_logging_enabled
from neocog.training._hook import EpochLogs, Hook, Logs
from neocog.training._progress_bar import ProgressBar, is_live


class Progress(Hook):
    """Shows how training, evaluation and prediction advance.

    Args:
        stream: where to write; default `sys.stdout` at the time of writing.
        clock: seconds, monotonic; default `time.perf_counter`.
        interval: least seconds between two writes of the live line; default 0.1.
        live: whether the stream can rewrite a line; default whether it is a terminal or a notebook.
        width: columns of the terminal; default asked at each write.

    `params["verbose"]`: 0 silent; 1 a live line (only its last form where the stream is a file); 2 one line
    an epoch; `"auto"` is 1 on a terminal or notebook and 2 elsewhere.
    """

    writes = True

    def __init__(
        self,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.perf_counter,
        interval: float = 0.1,
        live: bool | None = None,
        width: int | None = None,
    ) -> None:
        self._stream = stream
        self._options: dict[str, Any] = {"clock": clock, "interval": interval, "width": width}
        self._live = live
        self.verbose = 1
        self.epochs = 1
        self.target: int | None = None
        self._validation_steps: int | None = None
        self._in_fit = False
        self._bar: ProgressBar | None = None

    @property
    def live(self) -> bool:
        """Whether the line is rewritten while it runs."""
        own = is_live(self._stream) if self._live is None else self._live
        return own and is_interactive_logging_enabled()

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Receive `verbose`, `epochs`, `steps` and `validation_steps`."""
        super().set_params(params)
        verbose = params.get("verbose", 1)
        self.verbose = (1 if self.live else 2) if verbose == "auto" else int(verbose)
        self.epochs = params.get("epochs") or 1
        self.target = params.get("steps")
        self._validation_steps = params.get("validation_steps")

    def listens(self, verb: str) -> bool:
        """Return False for batches that nothing is shown of, so that the loop need not call."""
        if verb.endswith("_batch_end"):
            # A line that is written once still counts the steps where their number is unknown.
            shown_live = self.verbose == 1 and self.live
            return shown_live or (self.verbose > 0 and self.target is None)
        return super().listens(verb)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Keep validations quiet from here on: they are part of the epoch's line."""
        self._in_fit = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """End a line that was left open."""
        self._in_fit = False
        if self._bar is not None:
            self._bar.abandon()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Write `Epoch 3/10` and start the line."""
        if self.verbose and self.epochs > 1:
            out = self._stream or sys.stdout
            out.write(f"Epoch {epoch + 1}/{self.epochs}\n")
            out.flush()
        self._new_bar()

    def on_epoch_end(self, epoch: int, logs: EpochLogs | None = None) -> None:
        """Write the finished line."""
        self._finish(logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Advance by one."""
        self._advance(batch, logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Start a line, or inside `fit` stop the clock of the training steps."""
        if not self._in_fit:
            self._new_bar()
        elif self._bar is not None:
            self._bar.pause()

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Advance by one, or inside `fit` show how far validation is."""
        if not self._in_fit:
            self._advance(batch, logs)
        elif self._bar is not None:
            of = f"/{self._validation_steps}" if self._validation_steps else ""
            self._bar.note(f"validation {batch + 1}{of}")

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Write the finished line, unless it belongs to `fit`."""
        if not self._in_fit:
            self._finish(logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Start a line."""
        self._new_bar()

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Advance by one; predictions themselves are not shown."""
        self._advance(batch, None)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Write the finished line."""
        self._finish(None)

    def _new_bar(self) -> None:
        self._bar = ProgressBar(
            self.target, verbose=self.verbose, stream=self._stream, live=self.live, **self._options
        )

    def _advance(self, batch: int, logs: Logs | None) -> None:
        if self._bar is None:
            self._new_bar()
        if self._bar is not None:
            self._bar.update(batch + 1, logs)

    def _finish(self, logs: Logs | None) -> None:
        if self._bar is None:
            return
        if self.target is None and self._bar.seen:
            # Known from the first epoch on.
            self.target = self._bar.target = self._bar.seen
        self._bar.finish(logs)
