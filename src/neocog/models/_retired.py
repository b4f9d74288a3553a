"""Arguments and methods of older Keras that `fit`, `evaluate` and `predict` took over."""

from __future__ import annotations

import math
from typing import Any

from neocog._old_spellings import warn_old
from neocog.exceptions import ArgumentError, message

_OLD_WORKERS = {
    "max_queue_size": "PyDataset(max_queue_size=…)",
    "workers": "PyDataset(workers=…)",
    "use_multiprocessing": "PyDataset(workers=…)",
}
# Keras 1 to today's.
_OLD_NAMES = {
    "nb_epoch": "epochs",
    "nb_val_samples": "validation_steps",
    "samples_per_epoch": "steps_per_epoch",
    "val_samples": "steps",
}
_OLD_QUEUE = ("max_q_size", "nb_worker", "pickle_safe")


def warn_of_workers(method: str, **given: Any) -> None:
    """Warn of arguments about worker processes, where one was given: they belong to the data today."""
    for name, value in given.items():
        if value is not None:
            warn_old(method, name, _OLD_WORKERS[name])


def epochs_of(epochs: int, nb_epoch: int | None) -> int:
    """Return the number of epochs, which Keras 1 called `nb_epoch`."""
    if nb_epoch is None:
        return epochs
    warn_old("fit", "nb_epoch", "epochs")
    return nb_epoch


def todays(method: str, older: dict[str, Any], generator: Any, validation: Any = None) -> dict[str, Any]:
    """Return the arguments of a retired method under today's names.

    Counts of samples become counts of batches where the data say how large these are, as in Keras 2.

    Raises:
        ArgumentError: a name that never was an argument of it.
    """
    arguments: dict[str, Any] = {}
    for name, value in older.items():
        if name in _OLD_NAMES:
            warn_old(method, name, _OLD_NAMES[name])
            data = validation if name == "nb_val_samples" else generator
            size = 1 if name == "nb_epoch" else getattr(data, "batch_size", None) or 1
            arguments[_OLD_NAMES[name]] = value if size == 1 else value / size
        elif name not in _OLD_QUEUE:
            raise ArgumentError(message(method, expected="an argument of it", got=repr(name)))
    return arguments


def whole_steps(steps: Any) -> int | None:
    """Return a number of steps as older code computes it (`len(x) / 32`): rounded up."""
    return None if steps is None else math.ceil(steps)
