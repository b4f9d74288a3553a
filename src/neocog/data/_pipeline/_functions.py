"""Stages that run a user's function, run ahead, or keep what they gave."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch

from neocog.data._pipeline._elements import leaves_of, map_leaves, to_element
from neocog.data._pipeline._randomness import RandomWatch, has_own_seed, same_random_state
from neocog.data._pipeline._stage import Pass, RowStage, Stage, leaf_spec
from neocog.data._prefetch import ordered_map, prefetch
from neocog.exceptions import DataError, message

_END: Any = object()


def call(function: Callable[..., Any], element: Any) -> Any:
    """Call a user's function on an element: a tuple as separate arguments, without recording gradients."""
    with torch.no_grad():
        return function(*element) if isinstance(element, tuple) else function(element)


class FunctionStage(Stage):
    """A stage with a user's function. Its passes repeat unless the function draws random numbers."""

    def __init__(self, parent: Stage, function: Callable[..., Any]) -> None:
        self.parents = (parent,)
        self.function = function
        self._draws: bool | None = True if has_own_seed(function) else None

    @property
    def cheap(self) -> bool:
        """A user's function may cost anything."""
        return False

    @property
    def pure(self) -> bool:
        """Whether passes repeat, as far as the first element tells."""
        if not super().pure:
            return False
        if self._draws is None:
            with same_random_state():
                next(self.elements(Pass()), None)
        return not self._draws

    def watched(self, element: Any) -> Any:
        """Call the function and note whether it drew random numbers."""
        watch = RandomWatch()
        result = call(self.function, element)
        self._draws = bool(self._draws) or watch.moved()
        return result

    def moved(self, device: torch.device) -> Stage:
        """Return itself: functions run on the CPU."""
        return self


class MapStage(FunctionStage):
    """The function's result for each element, by threads where that was asked for and can be repeated."""

    def __init__(self, parent: Stage, function: Callable[..., Any], workers: int, ordered: bool) -> None:
        super().__init__(parent, function)
        self.size, self.samples, self.per = parent.size, parent.samples, parent.per
        self.single = parent.single
        self.workers, self.ordered = workers, ordered

    def elements(self, run: Pass, start: int = 0) -> Iterator[Any]:
        """Give the results, in order."""
        items = self.parents[0].elements(run.floats(), start)
        first = next(items, _END)
        if first is _END:
            return
        yield to_element(self.watched(first), "map")
        if self.workers > 1 and not (self._draws and self.ordered):
            yield from ordered_map(self._one, items, workers=self.workers, depth=2 * self.workers)
        else:
            yield from map(self._one, items)

    def _one(self, element: Any) -> Any:
        return to_element(call(self.function, element), "map")

    def spec(self) -> Any:
        """Return the form of the first result; the batch's axis stays free where it was."""
        below = leaves_of(self.parents[0].spec())
        free = bool(below) and all(leaf.shape[:1] == (None,) for leaf in below)
        with same_random_state():
            given = next(self.parents[0].elements(Pass()), _END)
            if given is _END:
                return None
            result = to_element(call(self.function, given), "map")
        count = len(leaves_of(given)[0]) if free else None

        def one(leaf: Any) -> Any:
            spec = leaf_spec(leaf)
            fits = free and spec.shape[:1] == (count,)
            return replace(spec, shape=(None, *spec.shape[1:])) if fits else spec

        return map_leaves(one, result)


class FilterStage(FunctionStage):
    """The elements for which the function says so."""

    def elements(self, run: Pass, start: int = 0) -> Iterator[Any]:
        """Give the elements that pass."""
        return itertools.islice(self._passed(run), start, None)

    def _passed(self, run: Pass) -> Iterator[Any]:
        items = self.parents[0].elements(run.floats())
        for element in items:
            if bool(self.watched(element) if self._draws is None else call(self.function, element)):
                yield element

    def spec(self) -> Any:
        """Return the form of the elements below."""
        return self.parents[0].spec()


class InterleaveStage(FunctionStage):
    """The elements of the data sets that the function makes, `block` at a time from `cycle` of them."""

    def __init__(
        self, parent: Stage, function: Callable[..., Any], cycle: int, block: int, where: str
    ) -> None:
        super().__init__(parent, function)
        self.cycle, self.block, self.where = cycle, block, where

    def elements(self, run: Pass, start: int = 0) -> Iterator[Any]:
        """Give the elements."""
        return itertools.islice(self._mixed(run.floats()), start, None)

    def _mixed(self, run: Pass) -> Iterator[Any]:
        made = self._made(run)
        ring: list[Iterator[Any] | None] = [None] * self.cycle
        ended, place = False, 0
        while not (ended and all(current is None for current in ring)):
            if ring[place] is None and not ended:
                ring[place] = next(made, None)
                ended = ring[place] is None
            given = 0
            for element in itertools.islice(ring[place] or iter(()), self.block):
                given += 1
                yield element
            if given < self.block:
                ring[place] = None  # another takes its place when its turn comes again
            place = (place + 1) % self.cycle

    def _made(self, run: Pass) -> Iterator[Iterator[Any]]:
        for number, element in enumerate(self.parents[0].elements(run)):
            inner = self.watched(element) if self._draws is None else call(self.function, element)
            stage = getattr(inner, "stage", None)
            if not isinstance(stage, Stage):
                got = f"a {type(inner).__name__}"
                raise DataError(message(self.where, expected="a function that returns a Dataset", got=got))
            yield stage.elements(run.at(run.epoch * 1_000_003 + number))


class PrefetchStage(RowStage):
    """The same elements, computed ahead by a thread; not where they cost nothing or draw random numbers."""

    def __init__(self, parent: Stage, depth: int) -> None:
        super().__init__(parent, parent.size)
        self.samples, self.per = parent.samples, parent.per
        self.depth = depth

    def picked(self, run: Pass, start: int) -> Iterator[Any]:
        """Give the elements; the first one is computed in the caller's thread, and watched."""
        items = self.parent.elements(run, start)
        if self.parent.cheap:
            yield from items
            return
        watch = RandomWatch()
        first = next(items, _END)
        if first is _END:
            return
        drew = watch.moved()
        yield first
        yield from items if drew else prefetch(items, self.depth)

    def rows(self, run: Pass) -> Iterator[torch.Tensor]:
        """Give the rows of the stage below."""
        return self.parent.rows(run)


class CacheStage(RowStage):
    """The elements of the first whole pass, kept in memory: each pass after that is the same."""

    def __init__(self, parent: Stage) -> None:
        super().__init__(parent, parent.size)
        self.samples, self.per = parent.samples, parent.per
        self._kept: list[Any] | None = None

    def picked(self, run: Pass, start: int) -> Iterator[Any]:
        """Give the kept elements, or those of pass 0 while keeping them."""
        return itertools.islice(self._all(), start, None)

    def _all(self) -> Iterator[Any]:
        if self._kept is None:
            fresh: list[Any] = []
            for element in self.parent.elements(Pass()):
                fresh.append(element)
                yield element
            self._kept = fresh
        else:
            yield from self._kept

    def rows(self, run: Pass) -> Iterator[torch.Tensor]:
        """Give the rows of pass 0: the table itself is in memory."""
        return self.parent.rows(Pass())

    @property
    def cheap(self) -> bool:
        """What is kept costs nothing."""
        return self._kept is not None or self.parent.cheap


class EnumerateStage(Stage):
    """(number, element) for each element."""

    def __init__(self, parent: Stage, start: int) -> None:
        self.parents = (parent,)
        self.first, self.size = start, parent.size

    def elements(self, run: Pass, start: int = 0) -> Iterator[Any]:
        """Give the pairs."""
        items = self.parents[0].elements(run.floats(), start)
        return ((torch.tensor(i), element) for i, element in enumerate(items, self.first + start))
