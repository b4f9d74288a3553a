"""The values of each epoch in a CSV file."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch

from neocog.callbacks._callback import Callback
from neocog.callbacks._registry import CALLBACKS
from neocog.exceptions import StorageError
from neocog.training._hook import EpochLogs, Logs


@CALLBACKS.register()
class CSVLogger(Callback):
    """Writes one row an epoch to a CSV file, and flushes it.

    The columns are `epoch` and the values of the first epoch by name. Where that one had no validation,
    columns for `val_` values follow; a value that is missing reads `NA`.

    Args:
        filename: the file.
        separator: what stands between values; default a comma.
        append: go on with an existing file; default False, start it anew.

    Raises:
        StorageError: the file cannot be written; found out before training.

    Example:
        >>> CSVLogger("history.csv", append=True).sep
        ','
    """

    writes = True

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        self._file: TextIO | None = None
        self._writer: Any = None
        self._header = True

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Open the file."""
        self._close()
        path = Path(self.filename)
        self._header = not (self.append and path.exists() and path.stat().st_size > 0)
        self.keys = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a" if self.append else "w", encoding="utf-8", newline="")
        except OSError as error:
            raise StorageError(
                f"CSVLogger: expected a file that can be written, got {self.filename!r} "
                f"({error.strerror or error}). Choose another filename."
            ) from error

    def on_epoch_end(self, epoch: int, logs: EpochLogs | None = None) -> None:
        """Write a row."""
        logs = {} if logs is None else logs
        if self._file is None:
            return
        if self.keys is None:
            self.keys = sorted(logs)
            if self.keys and not any(key.startswith("val_") for key in self.keys):
                self.keys += [f"val_{key}" for key in self.keys]
            self._writer = csv.writer(self._file, delimiter=self.sep)
            if self._header:
                self._writer.writerow(["epoch", *self.keys])
                self._header = False
        self._writer.writerow([epoch, *(_cell(logs.get(key, "NA")) for key in self.keys)])
        self._file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the file."""
        self._close()

    def state_dict(self) -> dict[str, Any]:
        """Return the columns, and all that the file holds so far."""
        path = Path(self.filename)
        text = ""
        if self._file is not None and path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                text = file.read()
        return {"keys": self.keys, "header": self._header, "text": text}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with the file as it was."""
        self.keys, self._header = state["keys"], state["header"]
        if self._file is not None:
            self._file.seek(0)
            self._file.truncate()
            self._file.write(state["text"])
            self._file.flush()
            self._writer = csv.writer(self._file, delimiter=self.sep)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = self._writer = None


def _cell(value: Any) -> Any:
    if isinstance(value, (torch.Tensor, np.ndarray)):
        value = value.tolist()
    if isinstance(value, Iterable) and not isinstance(value, str):
        return f'"[{", ".join(map(str, value))}]"'
    return value
