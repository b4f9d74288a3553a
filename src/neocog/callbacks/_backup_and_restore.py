"""Going on where an interrupted training stopped."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from neocog.callbacks._callback import Callback
from neocog.callbacks._registry import CALLBACKS
from neocog.core import check_int
from neocog.exceptions import ArgumentError, message
from neocog.files import remove_unfinished, snapshots_in
from neocog.training import Every, Snapshots
from neocog.training._hook import Logs
from neocog.training._sharded_files import remove_shares


@CALLBACKS.register()
class BackupAndRestore(Callback):
    """Keeps snapshots of a training in a folder; the next `fit` goes on from the newest, bit for bit.

    It is Keras's name for `fit(..., snapshots=backup_dir)`, and goes on in the middle of an epoch where Keras
    begins the epoch anew. The folder is for one training alone, and is emptied when that is complete.

    Args:
        backup_dir: the folder.
        save_freq: `"epoch"` (default), a number of batches, or False for a snapshot at signals alone.
        double_checkpoint: accepted as in Keras; the last two snapshots are always kept.
        delete_checkpoint: remove the snapshots after a complete training; default True.

    Raises:
        ArgumentError: the folder's name is empty, or `save_freq` is something else.
        FileFormatError: every snapshot there is damaged.

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

    def new_snapshots(self) -> Snapshots:
        """Return what takes the snapshots of the next run; `fit` asks for it."""
        every = Every() if self.save_freq is False else self.save_freq
        return Snapshots(self.backup_dir, every, keeps_end=not self.delete_checkpoint)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Remove the snapshots where training is complete; an error on the way leaves them."""
        state = getattr(self.model, "training_state", None)
        if not self.delete_checkpoint or state is None or not state.finished:
            return
        if state.snapshots is not None:
            state.snapshots.close()
        for path in snapshots_in(self.backup_dir):
            path.unlink(missing_ok=True)
        remove_unfinished(self.backup_dir, older_than=0)
        remove_shares(self.backup_dir)
        with suppress(OSError):
            os.rmdir(self.backup_dir)

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: the snapshots are the state."""
        return {}
