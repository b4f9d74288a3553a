"""Which rows of a batch this process has, where several share it, so that random numbers are those of one.

On a CPU the layers draw for all rows of the batch, from numbers that are the same in every process, and keep
those of their own rows: the result is that of one process. What else draws (a layer of the user's) draws from
numbers that differ from process to process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from neocog.core._tree import tree_map


@dataclass(slots=True)
class OwnRows:
    """The rows of the batch under way that belong to this process.

    Attributes:
        first: number of the first one in the whole batch.
        count: how many this process computes on, stand-ins included.
        total: how many all processes have together.
        stands_in: whether the process has no row of its own and computes on another's, which must not count.
        common: the generator that is in the same state in every process; None: each draws for itself.
        at_once: whether all processes compute on their rows now, so that they can exchange them.
    """

    first: int
    count: int
    total: int
    stands_in: bool = False
    common: torch.Generator | None = field(default=None)
    at_once: bool = False

    def whole(self, rows: int) -> int:
        """Return how many rows of all processes stand behind `rows` of this one; the same where none do."""
        return rows // self.count * self.total if self.count and rows % self.count == 0 else rows

    def own(self, rows: int) -> slice:
        """Return which of the `whole(rows)` are this process's `rows`."""
        first = rows // self.count * self.first
        return slice(first, first + rows)

    def part(self, value: torch.Tensor, rows: int) -> torch.Tensor:
        """Return this process's `rows` of values drawn for `whole(rows)`."""
        return value if self.whole(rows) == rows else value[self.own(rows)]


class _UnderWay(threading.local):
    rows: OwnRows | None = None


_under_way = _UnderWay()


def own_rows() -> OwnRows | None:
    """Return the rows that this process has of the batch under way; None where it has all."""
    return _under_way.rows


def draws_for_all() -> OwnRows | None:
    """Return the rows of this process where layers draw for the rows of all."""
    rows = _under_way.rows
    return None if rows is None or rows.common is None else rows


@contextmanager
def on_rows(rows: OwnRows | None) -> Iterator[None]:
    """Inside the block, this thread computes on these rows of a batch."""
    before, _under_way.rows = _under_way.rows, rows
    try:
        yield
    finally:
        _under_way.rows = before


def common_state() -> torch.Tensor | None:
    """Return the state of the generator that layers draw from for the rows of all; None where they don't."""
    rows = draws_for_all()
    return None if rows is None or rows.common is None else rows.common.get_state()


@contextmanager
def drawing_again(state: torch.Tensor | None) -> Iterator[None]:
    """Inside the block, layers draw for the rows of all as they did from a state of `common_state`."""
    rows = draws_for_all()
    if state is None or rows is None or rows.common is None:
        yield
        return
    now = rows.common.get_state()
    rows.common.set_state(state)
    try:
        yield
    finally:
        rows.common.set_state(now)


def drawn(
    like: torch.Tensor, shape: Sequence[int], draw: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """Return a tensor of a shape, filled at random, alike in one process and in several.

    Args:
        like: gives type, device and, where the shape is the same, the layout.
        shape: of the result; its first axis counts rows where it has as many as the batch.
        draw: fills a tensor in place and returns it.
    """
    shape, rows = tuple(shape), draws_for_all()
    if rows is None or not shape or rows.whole(shape[0]) == shape[0]:
        return draw(torch.empty_like(like) if shape == tuple(like.shape) else like.new_empty(shape))
    whole = (rows.whole(shape[0]), *shape[1:])
    if shape != tuple(like.shape):
        return rows.part(draw(like.new_empty(whole)), shape[0])
    strides = torch.empty_like(like).stride()  # of images in channels_last memory, say: rows lie one by one
    each = like[0].numel()
    return rows.part(draw(like.new_empty_strided(whole, (each, *strides[1:]))), shape[0])


def for_all_rows(values: torch.Tensor) -> torch.Tensor:
    """Return a stand-in, without memory of its own, for the rows of all processes; itself where that is one.

    Only its shape, type and device mean anything.
    """
    rows = draws_for_all()
    if rows is None or not len(values) or rows.whole(len(values)) == len(values):
        return values
    return values[:1].expand(rows.whole(len(values)), *values.shape[1:])


def own_part(tree: Any, count: int) -> Any:
    """Return this process's part of nested tensors that were drawn for `for_all_rows` of `count` rows."""
    rows = draws_for_all()
    if rows is None or rows.whole(count) == count:
        return tree
    whole = rows.whole(count)

    def part(leaf: Any) -> Any:
        fits = isinstance(leaf, torch.Tensor) and leaf.dim() > 0 and leaf.shape[0] == whole
        return rows.part(leaf, count) if fits else leaf

    return tree_map(part, tree)
