"""Going on where an interrupted training stopped."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from neocog.callbacks._callback import Callback
from neocog.callbacks._registry import CALLBACKS
from neocog.core import check_int, write_text
from neocog.exceptions import ArgumentError, FileFormatError, message
from neocog.training._hook import EpochLogs, Logs

_WEIGHTS, _EPOCH = "latest.weights.h5", "training_metadata.json"


@CALLBACKS.register()
class BackupAndRestore(Callback):
    """Keeps weights, optimizer state and epoch in a folder; the next `fit` goes on from there.

    An epoch that was under way begins anew. The folder is for one training alone, and is removed when that is
    complete.

    Args:
        backup_dir: the folder.
        save_freq: `"epoch"` (default), a number of batches, or False for never.
        double_checkpoint: keep the state before the last one too, for the case that the last one is damaged;
            default False.
        delete_checkpoint: remove the files after a complete training; default True.

    Raises:
        ArgumentError: the folder's name is empty, or `save_freq` is something else.
        FileFormatError: what is kept is damaged, and nothing older is there.

    Example:
        >>> BackupAndRestore("backup").save_freq
        'epoch'
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not os.fspath(backup_dir):
            raise ArgumentError(message("BackupAndRestore", expected="a folder", got="an empty backup_dir"))
        if isinstance(save_freq, str) and save_freq != "epoch":
            expected = "save_freq 'epoch' or a number of batches"
            raise ArgumentError(message("BackupAndRestore", expected=expected, got=repr(save_freq)))
        if save_freq is not False and save_freq != "epoch":
            check_int("BackupAndRestore", "save_freq", save_freq, minimum=1)
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._epoch = 0
        self._batch = -1
        self._batches = 0

    def _path(self, name: str) -> Path:
        return Path(self.backup_dir) / name

    def listens(self, verb: str) -> bool:
        """Return whether calling `verb` would do anything: batches only where `save_freq` counts them."""
        if verb == "on_train_batch_end" and (self.save_freq == "epoch" or self.save_freq is False):
            return False
        return super().listens(verb)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Take up what an interrupted training left."""
        self._epoch, self._batch, self._batches = 0, -1, 0
        try:
            self._restore()
        except (OSError, FileFormatError):
            if not self._path(_WEIGHTS + ".bkp").is_file():
                raise
            for name in (_WEIGHTS, _EPOCH):
                self._path(name).unlink(missing_ok=True)
                with suppress(FileNotFoundError):
                    shutil.copyfile(self._path(name + ".bkp"), self._path(name))
            self._restore()

    def _restore(self) -> None:
        if self._path(_WEIGHTS).is_file():
            self.model.load_weights(self._path(_WEIGHTS))
        if self._path(_EPOCH).is_file():
            self._epoch = _read_epoch(self._path(_EPOCH))
            state = self.model.training_state
            state.first_epoch = state.epochs_seen = self._epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Keep the state where enough batches have passed."""
        self._batches += batch - self._batch if batch > self._batch else batch + 1
        self._batch = batch
        if self.save_freq != "epoch" and self.save_freq and self._batches >= int(self.save_freq):
            self._batches = 0
            self._save()

    def on_epoch_end(self, epoch: int, logs: EpochLogs | None = None) -> None:
        """Keep the state."""
        self._epoch, self._batch = epoch + 1, -1
        if self.save_freq == "epoch":
            self._save()

    def _save(self) -> None:
        self._path("").mkdir(parents=True, exist_ok=True)
        if self.double_checkpoint:
            for name in (_WEIGHTS, _EPOCH):
                with suppress(FileNotFoundError):
                    shutil.copyfile(self._path(name), self._path(name + ".bkp"))
        self.model.save_weights(self._path(_WEIGHTS), overwrite=True)
        write_text(self._path(_EPOCH), json.dumps({"epoch": self._epoch, "batch": max(self._batch, 0)}))

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Remove the files where training is complete; an error on the way leaves them."""
        state = getattr(self.model, "training_state", None)
        if not self.delete_checkpoint or state is None or not state.finished:
            return
        for name in (_WEIGHTS, _EPOCH):
            self._path(name).unlink(missing_ok=True)
            self._path(name + ".bkp").unlink(missing_ok=True)
        with suppress(OSError):
            os.rmdir(self.backup_dir)

    def state_dict(self) -> dict[str, Any]:
        """Return the counters."""
        return {"epoch": self._epoch, "batch": self._batch, "batches": self._batches}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        self._epoch, self._batch, self._batches = state["epoch"], state["batch"], state["batches"]


def _read_epoch(path: Path) -> int:
    try:
        with open(path, encoding="utf-8") as file:
            epoch = json.loads(file.read(10_000))["epoch"]
        if type(epoch) is int and epoch >= 0:
            return epoch
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise FileFormatError(message(str(path), expected="the number of an epoch", got="something else"))
