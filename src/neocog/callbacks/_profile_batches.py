"""Profiling some batches of a run with torch's profiler."""

from __future__ import annotations

import os
from typing import Any

import torch

from neocog.core import check_int
from neocog.exceptions import ArgumentError, message


class BatchProfiler:
    """Records the batches from one number to another as a trace file.

    Args:
        batches: a batch, `(first, last)`, or either as text (`"10,15"`); counted from 1; 0 for none.
        folder: where the trace file goes, under `plugins/profile`.

    Example:
        >>> BatchProfiler("10,15", "logs").wanted
        True
    """

    def __init__(self, batches: Any, folder: str) -> None:
        self.first, self.last = _first_and_last(batches)
        self.folder = folder
        self._running: Any = None

    @property
    def wanted(self) -> bool:
        """Whether any batch is to be profiled."""
        return self.last > 0

    def begin(self, batch: int) -> None:
        """Start at the first batch."""
        if self.wanted and batch == max(self.first, 1):
            self._running = torch.profiler.profile()
            self._running.start()

    def end(self, batch: int) -> None:
        """Stop after the last batch."""
        if self._running is not None and batch >= self.last:
            self.stop()

    def stop(self) -> None:
        """Stop, and write the trace."""
        if self._running is None:
            return
        self._running.stop()
        folder = os.path.join(self.folder, "plugins", "profile", f"batch_{self.first}")
        os.makedirs(folder, exist_ok=True)
        self._running.export_chrome_trace(os.path.join(folder, "neocog.pt.trace.json"))
        self._running = None


def _first_and_last(batches: Any) -> tuple[int, int]:
    if isinstance(batches, str):
        parts = [int(part) for part in batches.split(",") if part.strip().isdigit()]
        batches = parts[0] if len(parts) == 1 else tuple(parts)
    pair = batches if isinstance(batches, (tuple, list)) else (batches, batches)
    if len(pair) != 2:
        raise ArgumentError(
            message("TensorBoard", expected="profile_batch as one batch or (first, last)", got=repr(batches))
        )
    first = check_int("TensorBoard", "profile_batch", pair[0], minimum=0)
    return first, check_int("TensorBoard", "profile_batch", pair[1], minimum=first)
