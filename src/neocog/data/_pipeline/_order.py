"""Stages that pick and order: shuffle, take, skip, shard, repeat, concatenate."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import torch

from neocog.data._pipeline._stage import INFINITE, UNKNOWN, Pass, RowStage, Stage
from neocog.data._source import epoch_order

_PART = 4096  # rows handed on at a time; random numbers drawn at a time


def shuffled(items: Iterable[Any], buffer_size: int, seed: int, epoch: int) -> Iterator[Any]:
    """Give the items mixed through a buffer: each step gives a random one of it and takes the next in.

    A pure function of (items, seed, epoch). Items that all fit in the buffer
    come in a uniformly random order.
    """
    iterator = iter(items)
    buffer = list(itertools.islice(iterator, buffer_size))
    places = _places(buffer_size, seed, epoch)
    for item in iterator:
        place = next(places)
        yield buffer[place]
        buffer[place] = item
    for place in epoch_order(len(buffer), seed, epoch).tolist():
        yield buffer[place]


def _places(count: int, seed: int, epoch: int) -> Iterator[int]:
    generator = torch.Generator()
    generator.manual_seed((seed * 1_000_003 + epoch * 7919 + 1) % 2**63)
    while True:
        yield from torch.randint(0, count, (_PART,), generator=generator).tolist()


class ShuffleStage(RowStage):
    """Mixed through a buffer, anew each pass unless `reshuffle` is off."""

    def __init__(self, parent: Stage, buffer_size: int, seed: int, reshuffle: bool) -> None:
        super().__init__(parent, parent.size)
        self.buffer_size, self.seed, self.reshuffle = buffer_size, seed, reshuffle
        self.samples = parent.samples

    def _epoch(self, run: Pass) -> int:
        return run.epoch if self.reshuffle else 0

    def picked(self, run: Pass, start: int) -> Iterator[Any]:
        """Give the elements of the stage below, mixed."""
        items = self.parent.elements(run)
        mixed = shuffled(items, self.buffer_size, self.seed, self._epoch(run))
        return itertools.islice(mixed, start, None)

    def rows(self, run: Pass) -> Iterator[torch.Tensor]:
        """Give the rows mixed: one permutation where all fit in the buffer."""
        if 0 <= self.size <= self.buffer_size:
            numbers = torch.cat(list(self.parent.rows(run)))
            yield numbers[epoch_order(len(numbers), self.seed, self._epoch(run))]
            return
        items = (number for part in self.parent.rows(run) for number in part.tolist())
        mixed = shuffled(items, self.buffer_size, self.seed, self._epoch(run))
        while part := list(itertools.islice(mixed, _PART)):
            yield torch.tensor(part)


class SliceStage(RowStage):
    """Every `step`-th element from `first` up to `last` (None: all): take, skip and shard."""

    def __init__(self, parent: Stage, first: int, last: int | None, step: int = 1) -> None:
        size = parent.size
        if size >= 0:
            size = len(range(size)[first:last:step])
        elif last is not None and size == INFINITE:
            size = len(range(first, last, step))
        super().__init__(parent, size)
        self.first, self.last, self.step = first, last, step
        if step == 1 and parent.samples is not None and parent.per is not None:
            end = parent.samples if last is None else min(parent.samples, last * parent.per)
            self.samples, self.per = max(0, end - first * parent.per), parent.per

    def picked(self, run: Pass, start: int) -> Iterator[Any]:
        """Give the elements from `first` to `last`; what lies before is skipped below."""
        begin = self.first + start * self.step
        length = None if self.last is None else max(self.last - begin, 0)
        return itertools.islice(self.parent.elements(run, begin), 0, length, self.step)

    def rows(self, run: Pass) -> Iterator[torch.Tensor]:
        """Give the rows from `first` to `last`."""
        seen = 0
        for part in self.parent.rows(run):
            begin = max(self.first - seen, 0)
            if seen > self.first:
                begin = (self.first - seen) % self.step
            end = len(part) if self.last is None else min(len(part), self.last - seen)
            if begin < end:
                yield part[begin : end : self.step]
            seen += len(part)
            if self.last is not None and seen >= self.last:
                return


class RepeatStage(RowStage):
    """The stage below again and again, each time as a pass of its own."""

    def __init__(self, parent: Stage, count: int | None) -> None:
        size = INFINITE if count is None else parent.size * count if parent.size >= 0 else parent.size
        super().__init__(parent, size)
        self.count = count
        self.samples = None if parent.samples is None or count is None else parent.samples * count

    def _runs(self, run: Pass, first: int) -> Iterator[Pass]:
        if self.count is None:
            return (run.at(run.epoch * 1_000_003 + number) for number in itertools.count(first))
        return (run.at(run.epoch * self.count + number) for number in range(first, self.count))

    def picked(self, run: Pass, start: int) -> Iterator[Any]:
        """Give the elements of one pass after the other; a stage that gives none ends it."""
        done, rest = divmod(start, self.parent.size) if self.parent.size > 0 else (0, start)
        found = itertools.count()
        number = 0
        for part in self._runs(run, done):
            before = number
            for element in self.parent.elements(part):
                number = next(found) + 1
                if number > rest:
                    yield element
            if number == before:
                return

    def rows(self, run: Pass) -> Iterator[torch.Tensor]:
        """Give the rows of one pass after the other."""
        for part in self._runs(run, 0):
            given = False
            for numbers in self.parent.rows(part):
                given = given or len(numbers) > 0
                yield numbers
            if not given:
                return


class ConcatenateStage(Stage):
    """The elements of one stage, then those of another."""

    def __init__(self, first: Stage, second: Stage) -> None:
        self.parents = (first, second)
        sizes = (first.size, second.size)
        self.size = INFINITE if INFINITE in sizes else UNKNOWN if UNKNOWN in sizes else sum(sizes)
        if first.samples is not None and second.samples is not None:
            self.samples = first.samples + second.samples

    def elements(self, run: Pass, start: int = 0) -> Iterator[Any]:
        """Give both, one after the other."""
        parts = [parent.elements(run.floats()) for parent in self.parents]
        return itertools.islice(itertools.chain(*parts), start, None)

    def spec(self) -> Any:
        """Return the first one's form."""
        return self.parents[0].spec()


class ChooseStage(Stage):
    """Elements of several stages, in the order that a stage of numbers names."""

    def __init__(self, parents: tuple[Stage, ...], choice: Stage, stop_on_empty: bool) -> None:
        self.parents = (*parents, choice)
        self.stop_on_empty = stop_on_empty

    def elements(self, run: Pass, start: int = 0) -> Iterator[Any]:
        """Give the next element of the chosen stage; one that has ended is passed over."""
        return itertools.islice(self._chosen(run.floats()), start, None)

    def _chosen(self, run: Pass) -> Iterator[Any]:
        parts = [parent.elements(run) for parent in self.parents[:-1]]
        ended = [False] * len(parts)
        for number in self.parents[-1].elements(run):
            place = int(number)
            element = next(parts[place], _END)
            if element is not _END:
                yield element
                continue
            ended[place] = True
            if self.stop_on_empty or all(ended):
                return


class DrawStage(Stage):
    """Endless random numbers from 0 on, with given weights: what `sample_from_datasets` draws from."""

    size = INFINITE

    def __init__(self, weights: torch.Tensor, seed: int, reshuffle: bool) -> None:
        self.weights, self.seed, self.reshuffle = weights, seed, reshuffle

    def elements(self, run: Pass, start: int = 0) -> Iterator[Any]:
        """Give the numbers of this pass."""
        generator = torch.Generator()
        generator.manual_seed((self.seed * 1_000_003 + (run.epoch if self.reshuffle else 0)) % 2**63)
        parts = (
            torch.multinomial(self.weights, _PART, replacement=True, generator=generator)
            for _ in itertools.count()
        )
        return itertools.islice((number for part in parts for number in part), start, None)


_END: Any = object()
