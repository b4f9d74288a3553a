"""Saving the model while it trains."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neocog._old_spellings import warn_old
from neocog.callbacks._checkpoint_template import CheckpointTemplate
from neocog.callbacks._monitor import MonitorCallback
from neocog.callbacks._registry import CALLBACKS
from neocog.core import check_int
from neocog.exceptions import ArgumentError, StorageError, message
from neocog.training._hook import EpochLogs, Logs


@CALLBACKS.register()
class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, after epochs or every so many batches.

    Args:
        filepath: the file; may name `{epoch}` (from 1) and values of the logs, as in
            `"weights.{epoch:03d}-{val_loss:.4f}.weights.h5"`.
        monitor: name of the watched value; default `"val_loss"`.
        verbose: 1 says what it does; default 0.
        save_best_only: save only when the watched value is the best so far; default False.
        save_weights_only: call `model.save_weights` instead of `model.save`; default False.
        mode: `"min"`, `"max"` or `"auto"` (default), told from the metric of that name.
        save_freq: `"epoch"` (default), or a number of batches.
        initial_value_threshold: the value that the first saved model must beat; default none.
        period: older: save every so many epochs; default 1.

    Raises:
        ArgumentError: `filepath` names a value that cannot be there; before training where possible.
        StorageError: the folder cannot be made; found out before training.

    Example:
        >>> ModelCheckpoint("best.keras", save_best_only=True).file_for(0, None, {})
        'best.keras'
    """

    writes = True

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        period: int | None = None,
    ) -> None:
        super().__init__(monitor, mode, best=initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = _checked_save_freq(save_freq)
        self.period = 1
        if period is not None:
            self.period = check_int("ModelCheckpoint", "period", period, minimum=1)
            warn_old("ModelCheckpoint", "period", "save_freq with a number of batches")
        if self.filepath.endswith(".hdf5"):
            warn_old("ModelCheckpoint", ".hdf5", ".weights.h5" if save_weights_only else ".keras")
        self._template = CheckpointTemplate(self.filepath)
        self._epoch = 0
        self._epochs_since_saving = 0
        self._batches_since_saving = 0
        self._last_batch: int | None = None

    def file_for(self, epoch: int, batch: int | None, logs: Mapping[str, Any]) -> str:
        """Return the file of an epoch (and batch), both from 0."""
        return self._template.fill(epoch, batch, logs)

    def listens(self, verb: str) -> bool:
        """Return whether calling `verb` would do anything: batches only where `save_freq` counts them."""
        if verb == "on_train_batch_end" and self.save_freq == "epoch":
            return False
        return super().listens(verb)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Check the file name and make its folder, before any time is spent."""
        params = self.params or {}
        self._template.check(validates=params.get("do_validation"), by_batch=self.save_freq != "epoch")
        folder = os.path.dirname(self.filepath)
        if "{" not in folder:
            _make_folder(folder)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save where enough batches have passed."""
        if self.save_freq == "epoch":
            return
        new_epoch = self._last_batch is None or batch <= self._last_batch
        self._batches_since_saving += batch + 1 if new_epoch else batch - (self._last_batch or 0)
        self._last_batch = batch
        if self._batches_since_saving >= int(self.save_freq):
            self._batches_since_saving = 0
            self._save(self._epoch, batch, {} if logs is None else logs)

    def on_epoch_end(self, epoch: int, logs: EpochLogs | None = None) -> None:
        """Save."""
        if self.save_freq != "epoch":
            return
        self._epochs_since_saving += 1
        if self._epochs_since_saving >= self.period:
            self._epochs_since_saving = 0
            self._save(epoch, None, {} if logs is None else logs)

    def _save(self, epoch: int, batch: int | None, logs: Mapping[str, Any]) -> None:
        path = self.file_for(epoch, batch, logs)
        if not self._wanted(epoch, logs, path):
            return
        if os.path.isdir(path):
            raise StorageError(f"ModelCheckpoint: expected a file name, got the folder {path!r}.")
        _make_folder(os.path.dirname(path))
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: finished saving model to {path}")

    def _wanted(self, epoch: int, logs: Mapping[str, Any], path: str) -> bool:
        say = f"\nEpoch {epoch + 1}: "
        current = self.current(logs) if self.save_best_only else None
        if current is None:  # nothing to compare: better one file too many
            if self.verbose > 0:
                print(f"{say}saving model to {path}")
            return True
        best = "None" if self.best is None else f"{self.best:.5f}"
        if not self.improves(current, self.best):
            if self.verbose > 0:
                print(f"{say}{self.monitor} did not improve from {best}")
            return False
        if self.verbose > 0:
            print(f"{say}{self.monitor} improved from {best} to {current:.5f}, saving model to {path}")
        self.best = current
        return True

    def state_dict(self) -> dict[str, Any]:
        """Return the best value and the counters."""
        return {
            "best": self.best,
            "epochs_since_saving": self._epochs_since_saving,
            "batches_since_saving": self._batches_since_saving,
            "last_batch": self._last_batch,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        self.best = state["best"]
        self._epochs_since_saving = state["epochs_since_saving"]
        self._batches_since_saving = state["batches_since_saving"]
        self._last_batch = state["last_batch"]


def _checked_save_freq(save_freq: str | int) -> str | int:
    if not isinstance(save_freq, str):
        return check_int("ModelCheckpoint", "save_freq", save_freq, minimum=1)
    if save_freq != "epoch":
        expected = "save_freq 'epoch' or a number of batches"
        raise ArgumentError(message("ModelCheckpoint", expected=expected, got=repr(save_freq)))
    return save_freq


def _make_folder(folder: str) -> None:
    if not folder:
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"ModelCheckpoint: expected a folder that can be made, got {folder!r} "
            f"({error.strerror or error})."
        ) from error
