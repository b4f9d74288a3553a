"""Stages that change how many samples an element holds: batch, unbatch, padded_batch, window."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from neocog.core import tree_flatten, tree_pack
from neocog.data._pipeline._elements import TextArray, leaves_of, rows_of, stack, to_element
from neocog.data._pipeline._roots import ListStage
from neocog.data._pipeline._stage import INFINITE, UNKNOWN, Pass, Stage, with_first, without_first
from neocog.exceptions import ArgumentError, DataError, message


def grouped_size(size: int, count: int, drop: bool) -> int:
    """Return how many groups of `count` there are in `size` elements."""
    if size < 0:
        return size
    return size // count if drop else -(-size // count)


class BatchStage(Stage):
    """`count` elements stacked to one; rows of a table by one `index_select`."""

    def __init__(self, parent: Stage, count: int, drop: bool) -> None:
        self.parents = (parent,)
        self.count = self.per = count
        self.drop = drop
        self.size = grouped_size(parent.size, count, drop)
        if parent.size >= 0:
            self.samples = self.size * count if drop else parent.size

    def elements(self, run: Pass, start: int = 0) -> Iterator[Any]:
        """Give the batches."""
        parent = self.parents[0]
        if parent.table is not None:
            parts = grouped(parent.rows(run), self.count, start * self.count, self.drop)
            return map(parent.table.take, parts)
        return self._stacked(parent.elements(run, start * self.count))

    def _stacked(self, items: Iterator[Any]) -> Iterator[Any]:
        while group := list(itertools.islice(items, self.count)):
            if self.drop and len(group) < self.count:
                return
            yield stack(group)

    @property
    def cheap(self) -> bool:
        """Stacking thousands of small tensors is not cheap; taking rows of a table is."""
        return self.parents[0].table is not None

    def spec(self) -> Any:
        """Return the form of an element with the batch's axis in front."""
        return with_first(self.parents[0].spec(), self.count if self.drop else None)


def grouped(parts: Iterator[torch.Tensor], count: int, skip: int, drop: bool) -> Iterator[torch.Tensor]:
    """Give row numbers that come in parts of any length as groups of `count`, without the first `skip`."""
    held: list[torch.Tensor] = []
    have = 0
    for part in parts:
        if skip >= len(part):
            skip -= len(part)
            continue
        held.append(part[skip:])
        have += len(part) - skip
        skip = 0
        if have < count:
            continue
        numbers = torch.cat(held) if len(held) > 1 else held[0]
        whole = have // count * count
        yield from torch.split(numbers[:whole], count)
        held, have = [numbers[whole:]], have - whole
    if have and not drop:
        yield torch.cat(held)


class UnbatchStage(Stage):
    """The rows of each element as elements."""

    def __init__(self, parent: Stage) -> None:
        self.parents = (parent,)
        self.size = INFINITE if parent.size == INFINITE else UNKNOWN
        if parent.samples is not None:
            self.size = parent.samples

    def elements(self, run: Pass, start: int = 0) -> Iterator[Any]:
        """Give the rows."""
        rows = (row for element in self.parents[0].elements(run) for row in rows_of(element))
        return itertools.islice(rows, start, None)

    def spec(self) -> Any:
        """Return the form of an element without its first axis."""
        return without_first(self.parents[0].spec())


class PaddedBatchStage(Stage):
    """`count` elements padded to one shape and stacked.

    Args:
        parent: the stage below.
        count: elements a batch.
        drop: leave out a smaller last batch.
        shapes: nested like an element, of shapes with None or -1 for "the longest of the batch"; or None.
        values: nested like an element, of padding values; or one value, or None (0, "").
    """

    def __init__(self, parent: Stage, count: int, drop: bool, shapes: Any, values: Any) -> None:
        self.parents = (parent,)
        self.count, self.drop, self.shapes, self.values = count, drop, shapes, values
        self.size = grouped_size(parent.size, count, drop)

    def elements(self, run: Pass, start: int = 0) -> Iterator[Any]:
        """Give the batches."""
        items = self.parents[0].elements(run.floats(), start * self.count)
        while group := list(itertools.islice(items, self.count)):
            if self.drop and len(group) < self.count:
                return
            yield self._padded(group)

    def _padded(self, group: list[Any]) -> Any:
        columns = list(zip(*(leaves_of(item) for item in group), strict=True))
        shapes = _shapes_of(self.shapes, len(columns))
        values = _values_of(self.values, len(columns))
        leaves = [_pad_column(*column) for column in zip(columns, shapes, values, strict=True)]
        return tree_pack(group[0], leaves)

    def spec(self) -> Any:
        """Return the form of the first batch, with free sizes where it depends on the batch."""
        return with_first(self.parents[0].spec(), self.count if self.drop else None)


def _is_shape(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(item is None or isinstance(item, int) for item in value)


def _shapes_of(shapes: Any, count: int) -> list[Any]:
    if shapes is None:
        return [None] * count
    if _is_shape(shapes) and not (count > 1 and len(shapes) == 0):
        listed: list[Any] = [shapes]
    else:
        parts = [shapes[key] for key in sorted(shapes)] if isinstance(shapes, dict) else list(shapes)
        listed = [shape for part in parts for shape in _shapes_of(part, 1)]
    if len(listed) != count:
        got = f"{len(listed)} of them"
        raise ArgumentError(message("padded_batch", expected=f"padded_shapes for {count} parts", got=got))
    return listed


def _values_of(values: Any, count: int) -> list[Any]:
    listed = tree_flatten(values)
    listed = listed * count if len(listed) == 1 else listed
    if len(listed) != count:
        got = f"{len(listed)} of them"
        raise ArgumentError(message("padded_batch", expected=f"padding_values for {count} parts", got=got))
    return listed


def _pad_column(column: tuple[Any, ...], shape: Any, value: Any) -> Any:
    sizes = [np.shape(item) for item in column]
    wanted = [max(axis) for axis in zip(*sizes, strict=True)]
    if shape is not None:
        fixed = [None if size in (None, -1) else int(size) for size in shape]
        small = [f is not None and f < w for f, w in zip(fixed, wanted, strict=False)]
        if len(fixed) != len(wanted) or any(small):
            got = f"elements of shape {tuple(wanted)}"
            raise DataError(message("padded_batch", expected=f"elements that fit {tuple(shape)}", got=got))
        wanted = [w if f is None else f for f, w in zip(fixed, wanted, strict=True)]
    if isinstance(column[0], torch.Tensor):
        out = column[0].new_full((len(column), *wanted), 0 if value is None else value)
        for row, item in zip(out, column, strict=True):
            row[tuple(slice(size) for size in item.shape)] = item
        return out
    texts: Any = np.full((len(column), *wanted), value or "", dtype=object)
    for i, item in enumerate(column):
        texts[(i, *(slice(size) for size in np.shape(item)))] = np.asarray(item)
    return texts.view(TextArray)


class WindowStage(Stage):
    """Runs of elements, each as a data set of its own (one for each part of a nested element)."""

    def __init__(
        self, parent: Stage, count: int, shift: int, stride: int, drop: bool, wrap: Callable[[Stage], Any]
    ) -> None:
        self.parents = (parent,)
        self.count, self.shift, self.stride, self.drop, self.wrap = count, shift, stride, drop, wrap
        span = (count - 1) * stride + 1
        if parent.size < 0:
            self.size = parent.size
        elif drop:
            self.size = max(0, (parent.size - span) // shift + 1)
        else:
            self.size = -(-parent.size // shift)

    def elements(self, run: Pass, start: int = 0) -> Iterator[Any]:
        """Give the windows; the last ones may be shorter unless they are dropped."""
        span = (self.count - 1) * self.stride + 1
        items = self.parents[0].elements(run.floats(), start * self.shift)
        held: list[Any] = list(itertools.islice(items, span))
        while held:
            window = held[:: self.stride]
            if len(window) == self.count or not self.drop:
                yield self._as_datasets(window)
            elif self.drop:
                return
            missing = max(0, self.shift - len(held))
            held = held[self.shift :]
            if missing and sum(1 for _ in itertools.islice(items, missing)) < missing:
                return
            held += list(itertools.islice(items, span - len(held)))

    def _as_datasets(self, window: list[Any]) -> Any:
        first = window[0]
        columns = zip(*(tree_flatten(item) for item in window), strict=True)
        return tree_pack(first, [self.wrap(ListStage([to_element(v) for v in column])) for column in columns])
