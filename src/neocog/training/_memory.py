"""Steps that outlive running out of memory: done again with fewer rows at once, to the same result.

Before each step its state is kept (`_memory_kept`). A step that fails for want of memory is undone and done
again in 2, 4, 8, … parts (`_memory_parts`), and the batches that follow are computed in parts of that size.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from neocog.exceptions import OutOfMemoryError, message
from neocog.training._cost import needs_whole_batch
from neocog.training._memory_errors import LESS, Failure, free_memory, is_out_of_memory
from neocog.training._memory_gradients import Gradients, gradients_of
from neocog.training._memory_kept import Kept
from neocog.training._memory_parts import Progress, rows_of, step_in_parts, update_again
from neocog.training._step import LazyLogs, unpack
from neocog.training._trainable import forget_gradients, runs_own
from neocog.training._world import ALONE, World


def log_line(text: str) -> None:
    """Tell whoever listens to the log; the standard error stream where nobody does."""
    logging.getLogger("neocog").warning(text)


class Steps:
    """The training steps of a run, done again in parts where memory runs out.

    Args:
        model: built and compiled.
        where: what error texts begin with.
        world: the processes that train together.
        tell: called with a line for the user when the rows at once become fewer.
    """

    def __init__(
        self,
        model: Any,
        where: str = "fit",
        *,
        world: World = ALONE,
        tell: Callable[[str], None] = log_line,
    ) -> None:
        self.model = model
        self.where = where
        self.world = world
        self.tell = tell
        self.kept = Kept(model)
        self._rows = model.training_state.rows
        forget_gradients(model)

    def __call__(self, data: Any, run: Callable[[], Any] | None = None) -> Any:
        """Train on one batch and return what `train_step` returns.

        Args:
            data: the batch.
            run: does the step; default: the model's `train_step`, as the plan has it.
        """
        recorded = self.model.training_state.recorded
        if recorded is not None and run is None:
            logs = recorded.repeated(data)
            if logs is not None:
                return logs  # a step that takes no memory cannot run out of it
        self.kept.take()
        if "train" in self._rows:
            self.model.training_state.recorded = None  # a record holds the memory of a whole batch
            if rows_of(unpack(data)[0]) > self._rows["train"]:
                return self._in_parts(data, None)
        try:
            return self.model.training_state.train_step(self.model, data) if run is None else run()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            failure = Failure.of(error, self.model.optimizer)
        return self._in_parts(data, failure)  # out of the handler, which holds on to the step's tensors

    def _in_parts(self, data: Any, failure: Failure | None) -> Any:
        rows = rows_of(unpack(data)[0])
        limit = min(rows, self._rows.get("train", rows))
        gradients = self._gradients(failure)
        progress = Progress("")
        by_rows = False
        before = None
        while True:
            if failure is not None:
                self.model.training_state.recorded = None
                if self.kept.update_done:
                    return self._without_metrics()
                if not failure.in_backward and gradients.exchanged and not self.kept.update_begun:
                    return self._update_again(data, limit, gradients)
                self._refuse(rows, limit, failure, before)
                gradients.undo()
                free_memory()
                if progress.phase == "whole loss":
                    by_rows = True
                else:
                    limit = halved(rows, limit)
                before = failure
            try:
                logs = step_in_parts(self.model, data, limit, gradients, progress, by_rows=by_rows)
                break
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                failure = Failure.of(error, self.model.optimizer)
        if limit < self._rows.get("train", rows):
            self._rows["train"] = limit
            count = -(-rows // limit)
            text = f"out of memory with {rows} rows at once: from here on in {count} parts of {limit}"
            self.tell(f"{self.where}: {text} ({before.text if before else ''}).")
        return logs

    def _gradients(self, failure: Failure | None) -> Gradients:
        begun = failure is not None and failure.in_backward
        return gradients_of(self.model, self.kept, begun=begun)

    def _update_again(self, data: Any, limit: int, gradients: Gradients) -> Any:
        """Do an update once more that failed before it changed anything; the gradients are those of all."""
        free_memory()
        try:
            return update_again(self.model, data, limit, gradients)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            failure = replace(Failure.of(error, self.model.optimizer), in_update=True)
        if self.kept.update_done:
            return self._without_metrics()
        return self._refuse(rows_of(unpack(data)[0]), limit, failure, failure)

    def _without_metrics(self) -> Any:
        """Finish a step whose update is done; its outputs are lost, so that its metrics are left out."""
        free_memory()
        self.model.optimizer.zero_grad()
        self.model.training_state.apply_constraints()
        self.tell(f"{self.where}: memory ran out after an update: loss and metrics leave this batch out.")
        return LazyLogs(self.model)

    def _refuse(self, rows: int, limit: int, failure: Failure, before: Failure | None) -> None:
        """Raise where the step cannot be done in smaller parts; the model is as before the step."""
        begun = self.kept.update_begun
        got = f"none left at {limit} at once ({failure.text})"
        do = self._remedy(rows, limit, failure, begun)
        if do is None and failure.in_update and before is not None and before.in_update:
            do = f"The optimizer itself needs more: take one that keeps less (SGD), {LESS}."
        if do is None:
            return
        if not begun:
            self.kept.undo()
        free_memory()
        expected = f"memory for a step on {rows} rows"
        raise OutOfMemoryError(message(self.where, expected=expected, got=got, do=do + self._snapshot()))

    def _remedy(self, rows: int, limit: int, failure: Failure, begun: bool) -> str | None:
        smaller = f"Use batch_size={max(1, limit // 2) * self.world.size}"
        if begun:
            return f"Some weights are updated, some not: begin again from a file or snapshot. {smaller}."
        if limit == 1:
            return f"One row alone does not fit: use {LESS}."
        if not runs_own(self.model, "train_step"):
            return f"A train_step of your own cannot be split: {smaller.lower()} or less."
        if needs_whole_batch(self.model):
            return f"The model needs whole batches (fixed size, or states between them): {smaller.lower()}."
        if not self.world.alone and _talks_in_forward(self.model):
            return f"The processes were exchanging numbers: start them all again. {smaller} or less."
        return None

    def _snapshot(self) -> str:
        snapshots = self.model.training_state.snapshots
        return "" if snapshots is None else f" The snapshots in {snapshots.folder} are kept."


def halved(rows: int, limit: int) -> int:
    """Return the rows at once for twice as many parts."""
    return max(1, -(-rows // (2 * -(-rows // limit))))


def _talks_in_forward(model: Any) -> bool:
    """Whether the forward pass exchanges numbers with other processes."""
    if model.training_state.sharded is not None:
        return True
    return any(
        getattr(module, "synchronized", False)
        or getattr(module, "asked_to_synchronize", False)
        or getattr(module, "exchanges_rows", False)
        or isinstance(module, torch.nn.SyncBatchNorm)
        or any(cls.__name__ == "FSDPModule" for cls in type(module).__mro__)
        for module in model.modules()
    )
