"""Keras's `timeseries_dataset_from_array`: windows of a series as a data set."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neocog.core import check_int, check_one_of, draw_seed
from neocog.data._pipeline import Dataset
from neocog.data._pipeline._elements import leaves_of, map_leaves, to_element
from neocog.data._pipeline._roots import TableStage, WindowTable
from neocog.exceptions import ArgumentError, DataError, message

_WHERE = "timeseries_dataset_from_array"


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Dataset:
    """Return windows of a series, each with the target at its first step: `targets[i]` beside `data[i : …]`.

    Args:
        data: array (steps, …).
        targets: array (steps, …) whose row i belongs to the window that begins at i, or None.
        sequence_length: steps of a window.
        sequence_stride: steps between the beginnings of two windows.
        sampling_rate: steps between two steps of a window.
        batch_size: windows a batch; None gives single windows.
        shuffle: mix the windows, anew each pass.
        seed: of the mixing.
        start_index: steps before it are left out.
        end_index: steps from it on are left out.
        format: accepted as in Keras.

    Raises:
        ArgumentError: numbers that do not fit the data.
        DataError: the series is shorter than one window.

    Example:
        >>> series = np.arange(10)
        >>> data = timeseries_dataset_from_array(series[:-3], series[3:], sequence_length=3)
        >>> x, y = next(iter(data))
        >>> x[0].tolist(), int(y[0]), len(x)
        ([0, 1, 2], 3, 5)
    """
    check_one_of(_WHERE, "format", format, ("tf", "grain"))
    series = to_element(data, _WHERE)
    count = min((len(leaf) for leaf in leaves_of(series)), default=0)
    first, last = _limits(start_index, end_index, count)
    length = check_int(_WHERE, "sequence_length", sequence_length, minimum=1)
    rate = _below(count, "sampling_rate", sampling_rate)
    stride = _below(count, "sequence_stride", sequence_stride)
    if batch_size is not None:
        batch_size = check_int(_WHERE, "batch_size", batch_size, minimum=1)
    windows = last - first - (length - 1) * rate
    series = map_leaves(lambda leaf: leaf[first:last], series)
    wanted = None if targets is None else to_element(targets, _WHERE)
    if wanted is not None:
        windows = min(windows, *(len(leaf) for leaf in leaves_of(wanted)))
        wanted = map_leaves(lambda leaf: leaf[first:last], wanted)
        windows = min(windows, *(len(leaf) for leaf in leaves_of(wanted)))
    if windows <= 0:
        got = f"{last - first} steps" + ("" if targets is None else " and their targets")
        expected = f"at least one window of {length} steps at a rate of {rate}"
        raise DataError(message(_WHERE, expected=expected, got=got))
    starts = np.arange(0, windows, stride)
    if shuffle:  # Keras's order of the windows before any buffer
        seed = draw_seed() if seed is None else check_int(_WHERE, "seed", seed, minimum=0)
        np.random.RandomState(seed).shuffle(starts)
    table = WindowTable(series, wanted, torch.from_numpy(starts), torch.arange(0, length * rate, rate))
    dataset = Dataset(TableStage(table))
    if shuffle:
        dataset = dataset.shuffle(len(dataset), seed)
    return dataset if batch_size is None else dataset.batch(batch_size)


def _limits(start: int | None, end: int | None, count: int) -> tuple[int, int]:
    """Return the first step and the step after the last."""
    first = 0 if start is None else check_int(_WHERE, "start_index", start, minimum=0)
    last = count if end is None else check_int(_WHERE, "end_index", end, minimum=1)
    if first and first >= count:
        raise ArgumentError(message(_WHERE, expected=f"start_index below {count}", got=first))
    if end is not None and not first < last < count:
        raise ArgumentError(message(_WHERE, expected=f"end_index above {first} and below {count}", got=last))
    return first, last


def _below(count: int, name: str, value: int) -> int:
    number = check_int(_WHERE, name, value, minimum=1)
    if number >= count:
        raise ArgumentError(message(_WHERE, expected=f"{name} below the {count} steps", got=number))
    return number
