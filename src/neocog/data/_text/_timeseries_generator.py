"""Keras's older `TimeseriesGenerator`: windows of a series as batches."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from neocog.core import check_int
from neocog.data._pydataset import PyDataset
from neocog.exceptions import ArgumentError, DataError, message


class TimeseriesGenerator(PyDataset):
    """Batches of windows of a series, each with the target of the step after it.

    New code may take `neocog.utils.timeseries_dataset_from_array`.

    Args:
        data: steps in order: an array or list.
        targets: a target a step.
        length: steps that a window spans.
        sampling_rate: steps between two steps of a window.
        stride: steps between two windows.
        start_index: first step that is used.
        end_index: last step that is used; None for all.
        shuffle: True draws windows at random.
        reverse: True turns each window round in time.
        batch_size: windows a batch.
        **kwargs: as in `PyDataset`.

    Raises:
        DataError: data and targets of different lengths.
        ArgumentError: no step is left for a window.

    Example:
        >>> windows = TimeseriesGenerator(np.arange(6), np.arange(6), length=2, batch_size=2)
        >>> windows[0][0].tolist(), windows[0][1].tolist(), len(windows)
        ([[0, 1], [1, 2]], [2, 3], 2)
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        where = type(self).__name__
        if len(data) != len(targets):
            expected = "as many targets as steps"
            raise DataError(
                message(where, expected=expected, got=f"{len(data)} steps, {len(targets)} targets")
            )
        self.data = data
        self.targets = targets
        self.length = check_int(where, "length", length, minimum=1)
        self.sampling_rate = check_int(where, "sampling_rate", sampling_rate, minimum=1)
        self.stride = check_int(where, "stride", stride, minimum=1)
        self.start_index = check_int(where, "start_index", start_index) + self.length
        self.end_index = len(data) - 1 if end_index is None else check_int(where, "end_index", end_index)
        self.shuffle = bool(shuffle)
        self.reverse = bool(reverse)
        self.batch_size = check_int(where, "batch_size", batch_size, minimum=1)
        if self.start_index > self.end_index:
            got = f"start_index + length = {self.start_index} and end_index = {self.end_index}"
            raise ArgumentError(message(where, expected="a step behind the first window", got=got))

    def __len__(self) -> int:
        span = self.batch_size * self.stride
        return (self.end_index - self.start_index + span) // span

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if self.shuffle:
            rows = np.random.randint(self.start_index, self.end_index + 1, self.batch_size)  # noqa: NPY002
        else:
            first = self.start_index + self.batch_size * self.stride * index
            last = min(first + self.batch_size * self.stride, self.end_index + 1)
            rows = np.arange(first, last, self.stride)
        windows = np.array([self.data[row - self.length : row : self.sampling_rate] for row in rows])
        targets = np.array([self.targets[row] for row in rows])
        return (windows[:, ::-1] if self.reverse else windows), targets

    def get_config(self) -> dict[str, Any]:
        """Return the arguments as plain values, data and targets as JSON texts, in Keras's form."""
        names = (
            "length",
            "sampling_rate",
            "stride",
            "start_index",
            "end_index",
            "shuffle",
            "reverse",
            "batch_size",
        )
        plain = {name: getattr(self, name) for name in names}
        return {"data": _as_json(self.data), "targets": _as_json(self.targets), **plain}

    def to_json(self, **kwargs: Any) -> str:
        """Return the generator as JSON; arguments go to `json.dumps`."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def _as_json(values: Any) -> str:
    return json.dumps(values.tolist() if hasattr(values, "tolist") else values)
