"""One step of a pipeline: a `Stage` gives the elements of a pass, and says what is known about them.

A stage whose elements are rows of a table, in some order, says so (`table`, `rows`): a batch of them is then
one `index_select`, and nothing runs sample by sample.
"""

from __future__ import annotations

import copy
import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from neocog.data._pipeline._elements import map_leaves

AUTOTUNE = -1
INFINITE = -1
UNKNOWN = -2


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over a pipeline: its number, and whether images may come as bytes."""

    epoch: int = 0
    raw: bool = False

    def floats(self) -> Pass:
        """Return the pass as a user's function is to see it: images as floats."""
        return replace(self, raw=False)

    def at(self, epoch: int) -> Pass:
        """Return the pass with another number."""
        return replace(self, epoch=epoch)


class Cardinality(int):
    """How many elements there are: a whole number that also answers `.numpy()`; -1 endless, -2 unknown."""

    def numpy(self) -> np.int64:
        """Return the number as NumPy's."""
        return np.int64(self)


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Shape (None: it differs) and type of a leaf."""

    shape: tuple[int | None, ...]
    dtype: Any
    name: str | None = None


class Table(ABC):
    """Rows that can be taken by number, many at once."""

    size: int

    @abstractmethod
    def take(self, index: torch.Tensor) -> Any:
        """Return the rows `index` (N,) stacked to one element."""

    @abstractmethod
    def row(self, index: int) -> Any:
        """Return one row."""

    @abstractmethod
    def nbytes(self) -> int:
        """Return how much memory the tensors take."""

    @abstractmethod
    def moved(self, device: torch.device) -> Table:
        """Return a copy on the device."""


class Stage(ABC):
    """One step of a pipeline.

    Attributes:
        parents: the stages it reads.
        size: elements in a pass, INFINITE or UNKNOWN.
        samples: rows in all its elements, where they are batches and that is known.
        per: rows in each element but the last, where they are batches and that is known.
        single: whether its elements are known to be single samples.
        table: what its elements are rows of, or None.
    """

    parents: tuple[Stage, ...] = ()
    size: int = UNKNOWN
    samples: int | None = None
    per: int | None = None
    single: bool = False
    table: Table | None = None

    @abstractmethod
    def elements(self, run: Pass, start: int = 0) -> Iterator[Any]:
        """Give the elements of a pass from number `start` on."""

    def rows(self, run: Pass) -> Iterator[torch.Tensor]:
        """Give the numbers of the rows of `table` in the order of the pass, in parts."""
        raise NotImplementedError

    @property
    def cheap(self) -> bool:
        """Whether elements cost next to nothing."""
        return all(parent.cheap for parent in self.parents)

    @property
    def pure(self) -> bool:
        """Whether a pass can be asked for again and is the same."""
        return all(parent.pure for parent in self.parents)

    def spec(self) -> Any:
        """Return the shapes and types of an element."""
        for element in self.elements(Pass()):
            return map_leaves(leaf_spec, element)
        return None

    def moved(self, device: torch.device) -> Stage:
        """Return the stage with its table on the device, where it has one, else itself."""
        if len(self.parents) != 1:
            return self
        parent = self.parents[0].moved(device)
        if parent is self.parents[0]:
            return self
        changed = copy.copy(self)
        changed.parents = (parent,)
        changed.table = None if self.table is None else parent.table
        return changed


class RowStage(Stage):
    """A stage that picks or orders the elements of another, row by row of a table where there is one."""

    def __init__(self, parent: Stage, size: int) -> None:
        self.parents = (parent,)
        self.table = parent.table
        self.size, self.single = size, parent.single

    @property
    def parent(self) -> Stage:
        """The stage below."""
        return self.parents[0]

    def elements(self, run: Pass, start: int = 0) -> Iterator[Any]:
        """Give the elements; of a table they are looked up by number."""
        if self.table is None:
            yield from self.picked(run, start)
            return
        numbers = (number for part in self.rows(run) for number in part.tolist())
        for number in itertools.islice(numbers, start, None):
            yield self.table.row(number)

    @abstractmethod
    def picked(self, run: Pass, start: int) -> Iterator[Any]:
        """Give the elements where there is no table."""

    def spec(self) -> Any:
        """Return the form of the elements below."""
        return self.parent.spec()


def leaf_spec(leaf: Any) -> TensorSpec:
    """Return the form of one leaf."""
    if isinstance(leaf, torch.Tensor):
        return TensorSpec(tuple(leaf.shape), leaf.dtype)
    return TensorSpec(tuple(np.shape(leaf)), "string" if isinstance(leaf, (str, np.ndarray)) else type(leaf))


def with_first(spec: Any, size: int | None) -> Any:
    """Return a form with one more first axis."""
    return map_leaves(lambda leaf: replace(leaf, shape=(size, *leaf.shape)), spec)


def without_first(spec: Any) -> Any:
    """Return a form without its first axis."""
    return map_leaves(lambda leaf: replace(leaf, shape=leaf.shape[1:]), spec)


def least(first: int, second: int) -> int:
    """Return the smaller of two sizes, where INFINITE is large and UNKNOWN stays unknown."""
    if UNKNOWN in (first, second):
        return UNKNOWN
    if INFINITE in (first, second):
        return max(first, second)
    return min(first, second)
