"""Where pipelines begin: arrays, numbers, generators, windows of a series, lists."""

from __future__ import annotations

import copy
import glob
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch

from neocog.core import tree_pack
from neocog.data._arrays import check_lengths
from neocog.data._pipeline._elements import leaves_of, map_leaves, select, to_element
from neocog.data._pipeline._stage import INFINITE, UNKNOWN, Pass, Stage, Table
from neocog.exceptions import DataError, message


class ArrayTable(Table):
    """Rows of nested arrays of one length."""

    def __init__(self, element: Any) -> None:
        self.element = element
        leaves = leaves_of(element)
        single = [leaf for leaf in leaves if isinstance(leaf, str) or getattr(leaf, "ndim", 0) == 0]
        if single or not leaves:
            got, do = "a single value" if single else "none", "Use from_tensors for one element."
            raise DataError(message("from_tensor_slices", expected="arrays with rows", got=got, do=do))
        self.size = check_lengths(leaves, [f"array {i}" for i in range(len(leaves))])

    def take(self, index: torch.Tensor) -> Any:
        """Return rows stacked."""
        return map_leaves(lambda leaf: select(leaf, index), self.element)

    def row(self, index: int) -> Any:
        """Return one row."""
        return map_leaves(lambda leaf: leaf[index], self.element)

    def nbytes(self) -> int:
        """Return the bytes of all leaves."""
        return sum(int(leaf.nbytes) for leaf in leaves_of(self.element))

    def moved(self, device: torch.device) -> ArrayTable:
        """Return a copy on the device; text stays."""
        moved = copy.copy(self)
        moved.element = map_leaves(
            lambda leaf: leaf.to(device) if isinstance(leaf, torch.Tensor) else leaf, self.element
        )
        return moved


class WindowTable(Table):
    """Windows of a series, and the target that belongs to each: rows that overlap take no extra memory.

    Args:
        series: nested arrays (steps, …).
        targets: nested arrays (steps, …) or None.
        starts: first step of each window, (N,).
        offsets: steps of a window after its first, (length,).
    """

    def __init__(self, series: Any, targets: Any, starts: torch.Tensor, offsets: torch.Tensor) -> None:
        self.series, self.targets = series, targets
        self.starts, self.offsets = starts, offsets
        self.size = len(starts)

    def take(self, index: torch.Tensor) -> Any:
        """Return windows stacked: (N, length, …)."""
        first = self.starts.index_select(0, index)
        steps = first[:, None] + self.offsets
        shape = tuple(steps.shape)
        windows = map_leaves(
            lambda leaf: select(leaf, steps.flatten()).reshape(*shape, *leaf.shape[1:]), self.series
        )
        if self.targets is None:
            return windows
        return windows, map_leaves(lambda leaf: select(leaf, first), self.targets)

    def row(self, index: int) -> Any:
        """Return one window."""
        batch = self.take(torch.tensor([index], device=self.starts.device))
        return map_leaves(lambda leaf: leaf[0], batch)

    def nbytes(self) -> int:
        """Return the bytes of series and targets."""
        return sum(int(leaf.nbytes) for leaf in leaves_of((self.series, self.targets)))

    def moved(self, device: torch.device) -> WindowTable:
        """Return a copy on the device."""

        def to(leaf: Any) -> Any:
            return leaf.to(device) if isinstance(leaf, torch.Tensor) else leaf

        series, targets = map_leaves(to, self.series), map_leaves(to, self.targets)
        return WindowTable(series, targets, to(self.starts), to(self.offsets))


class TableStage(Stage):
    """All rows of a table, in order."""

    def __init__(self, table: Table) -> None:
        self.table: Table = table
        self.size = table.size

    def elements(self, run: Pass, start: int = 0) -> Iterator[Any]:
        """Give the rows."""
        return map(self.table.row, range(start, self.size))

    def rows(self, run: Pass) -> Iterator[torch.Tensor]:
        """Give every number once."""
        yield torch.arange(self.size)

    def moved(self, device: torch.device) -> Stage:
        """Return the stage with the table on the device."""
        return TableStage(self.table.moved(device))


class ListStage(Stage):
    """Elements that are there already."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items
        self.size = len(items)

    def elements(self, run: Pass, start: int = 0) -> Iterator[Any]:
        """Give the elements."""
        return iter(self.items[start:])


class RangeStage(Stage):
    """Whole numbers as 0-d tensors."""

    def __init__(self, numbers: range, dtype: torch.dtype) -> None:
        self.numbers, self.dtype = numbers, dtype
        self.size = len(numbers)

    def elements(self, run: Pass, start: int = 0) -> Iterator[Any]:
        """Give the numbers."""
        return (torch.tensor(number, dtype=self.dtype) for number in self.numbers[start:])


class GeneratorStage(Stage):
    """What a function's fresh iterator gives, pass by pass.

    Args:
        function: returns an iterable.
        size: how many elements, where known.
        dtypes: nested like an element, of torch types and None ("as it comes"); or None.
        where: for error texts.
    """

    def __init__(
        self, function: Callable[[], Iterable[Any]], size: int = UNKNOWN, dtypes: Any = None, where: str = ""
    ) -> None:
        self.function, self.size, self.dtypes = function, size, dtypes
        self.where = where or "from_generator"

    @property
    def cheap(self) -> bool:
        """A generator may read or compute: it may run ahead."""
        return False

    @property
    def pure(self) -> bool:
        """What a generator gives next time nobody knows."""
        return False

    def elements(self, run: Pass, start: int = 0) -> Iterator[Any]:
        """Give the elements of a fresh iterator; the first `start` are read and left out."""
        for item in itertools.islice(iter(self.function()), start, None):
            yield self._typed(to_element(item, self.where))

    def _typed(self, element: Any) -> Any:
        if self.dtypes is None:
            return element
        leaves, wanted = leaves_of(element), leaves_of(self.dtypes)
        if len(leaves) != len(wanted):
            got = f"{len(leaves)}"
            raise DataError(message(self.where, expected=f"elements of {len(wanted)} parts", got=got))
        parts = [
            leaf.to(kind) if isinstance(leaf, torch.Tensor) and isinstance(kind, torch.dtype) else leaf
            for leaf, kind in zip(leaves, wanted, strict=True)
        ]
        return tree_pack(element, parts)


class ZipStage(Stage):
    """Elements of several stages side by side, in the form in which the stages are nested."""

    def __init__(self, form: Any, parents: tuple[Stage, ...]) -> None:
        self.form, self.parents = form, parents
        known = [parent.size for parent in parents if parent.size != INFINITE]
        self.size = UNKNOWN if UNKNOWN in known else min(known, default=INFINITE)

    def elements(self, run: Pass, start: int = 0) -> Iterator[Any]:
        """Give tuples until the first stage ends."""
        for items in zip(*(parent.elements(run.floats(), start) for parent in self.parents), strict=False):
            yield fill_form(self.form, iter(items))

    def spec(self) -> Any:
        """Return the forms side by side."""
        return fill_form(self.form, iter([parent.spec() for parent in self.parents]))


def fill_form(form: Any, items: Iterator[Any]) -> Any:
    """Return `form` with each leaf replaced by the next item, left to right."""
    if isinstance(form, dict):
        return {key: fill_form(part, items) for key, part in form.items()}
    if isinstance(form, (tuple, list)):
        return tuple(fill_form(part, items) for part in form)
    return next(items)


def leaves_in_order(form: Any) -> list[Any]:
    """Return the leaves of nested tuples, lists and dicts, left to right."""
    if isinstance(form, dict):
        return [leaf for part in form.values() for leaf in leaves_in_order(part)]
    if isinstance(form, (tuple, list)):
        return [leaf for part in form for leaf in leaves_in_order(part)]
    return [form]


def file_names(patterns: Any) -> list[str]:
    """Return the files that glob patterns name, sorted.

    Raises:
        DataError: nothing is there.
    """
    listed = [patterns] if isinstance(patterns, (str, np.str_)) else list(patterns)
    found = sorted({path for pattern in listed for path in glob.glob(str(pattern))})
    if not found:
        raise DataError(message("list_files", expected="files that match", got=f"none for {listed[:3]}"))
    return found
