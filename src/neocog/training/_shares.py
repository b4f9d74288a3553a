"""Which rows of every batch are whose, where several processes train together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import distributed

from neocog.core import OwnRows, tree_map
from neocog.data import Batch, MappedSource, Source
from neocog.exceptions import ArgumentError, DataError, message
from neocog.training._cost import fixed_batch_size
from neocog.training._world import World, from_everywhere, same_everywhere


class SharedSource(MappedSource):
    """The rows of another source's batches that belong to one process; all go through the same batches.

    A batch that is too small for all leaves a process its last row with the share 0, so that the processes
    stay in step.

    Args:
        source: the same in every process: same order, same batches.
        world: the processes.
    """

    def __init__(self, source: Source, world: World) -> None:
        super().__init__(source, self._part)
        self.world = world

    def peek(self) -> Batch | None:
        """Return the first batch, whole: forms, checks and plan are those of one process."""
        return self.source.peek()

    def to(self, device: torch.device | str) -> Source:
        """Move the source below."""
        return SharedSource(self.source.to(device), self.world)

    def _part(self, batch: Batch) -> Batch:
        return part_of(batch, self.world)


class HandedOutSource(SharedSource):
    """The rows of batches that process 0 alone reads, and hands out: a generator, a shuffled `DataLoader`.

    What only one can read, or would give others in each process, is so seen exactly once.
    """

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Give the rows of this process; all processes must go through them together."""
        read = iter(self.source.batches(epoch, start)) if self.world.leads else iter(())
        while True:
            parts, error = self._read(read) if self.world.leads else ([None] * self.world.size, None)
            received: list[Any] = [None]
            distributed.scatter_object_list(received, parts if self.world.leads else None, src=0)
            if error is not None:
                raise error
            batch, state, fault = received[0]
            if fault is not None:
                raise DataError(f"process 0 could not read the data: {fault}")
            if state is not None:
                torch.set_rng_state(state)  # reading drew from it
            if batch is None:
                return
            yield Batch(*batch)

    def _read(self, read: Iterator[Batch]) -> tuple[list[Any], BaseException | None]:
        """Return what each process gets of the next batch, and the error that there was."""
        before = torch.get_rng_state()
        try:
            batch = next(read, None)
        except Exception as error:
            return [(None, None, f"{type(error).__name__}: {error}")] * self.world.size, error
        now = torch.get_rng_state()
        state = None if torch.equal(before, now) else now
        if batch is None:
            return [(None, state, None)] * self.world.size, None
        worlds = [World(rank, self.world.size) for rank in range(self.world.size)]
        return [(_plain(part_of(batch, world)), state, None) for world in worlds], None

    def to(self, device: torch.device | str) -> Source:
        """Return this source: rows are moved as they come."""
        return self


def part_of(batch: Batch, world: World) -> Batch:
    """Return the rows of a batch that belong to a process, with their share in its loss."""
    rows = world.rows(batch.size)
    own = rows.stop - rows.start
    if own == 0:
        rows = slice(batch.size - 1, batch.size)
    x, y, weight = (
        None if tree is None else tree_map(lambda leaf: leaf[rows], tree)
        for tree in (batch.x, batch.y, batch.sample_weight)
    )
    share = own * world.size / batch.size
    return Batch(x, y, weight, own, share=share, rows=(rows.start, batch.size))


def rows_of(batch: Batch, common: torch.Generator | None = None, *, at_once: bool = False) -> OwnRows | None:
    """Return which rows of a batch are this process's, see `OwnRows`; None where it has all."""
    if batch.rows is None:
        return None
    first, total = batch.rows
    return OwnRows(first, max(batch.size, 1), total, batch.size == 0, common, at_once)


def _plain(batch: Batch) -> tuple[Any, ...]:
    """Return a batch's fields, its rows copied out of the whole batch's memory."""
    trees = [
        tree_map(lambda leaf: leaf.clone() if isinstance(leaf, torch.Tensor) else leaf, tree)
        for tree in (batch.x, batch.y, batch.sample_weight)
    ]
    return (*trees, batch.size, batch.share, batch.rows)


def shared_out(
    model: Any, world: World, source: Source, validation: Source | None
) -> tuple[Source, Source | None]:
    """Return what each process trains and validates on; all begin with process 0's weights and orders."""
    if world.alone:
        return source, validation
    _check_divisible(model, world, source, validation)
    _check_alike("training data", source, world)
    _check_alike("validation data", validation, world)
    held_out = None if validation is None else _shared(validation, world)
    for value in model.state_dict().values():
        if isinstance(value, torch.Tensor):
            distributed.broadcast(value, src=0)
    return _shared(source, world), held_out


def _check_divisible(model: Any, world: World, *sources: Source | None) -> None:
    """Raise where batches are to be shared out to a model that takes them whole alone."""
    size = fixed_batch_size(model)
    if size is None or all(source is None or source.shared_already for source in sources):
        return
    expected = f"inputs that take batches of any size: {world.size} processes share the rows of each"
    do = 'Leave the batch size out: Input(shape=...), not "batch_shape" or "batch_size".'
    raise ArgumentError(message("fit", expected=expected, got=f"an Input for {size} rows", do=do))


def _check_alike(what: str, source: Source | None, world: World) -> None:
    """Raise in all processes where their data are not as long: they would wait for each other for ever."""
    told = from_everywhere(None if source is None else _length_of(source), world)
    handed_out = told[0] is not None and told[0][0] == "read by process 0"
    if (handed_out and None not in told) or all(other == told[0] for other in told):
        return
    got = [f"{'none' if one is None else one[1]} in process {rank}" for rank, one in enumerate(told)]
    do = "Give all of the data to every process: each takes its rows of every batch."
    expected = f"the same {what} in all {world.size} processes"
    raise DataError(message("fit", expected=expected, got=", ".join(got), do=do))


def _length_of(source: Source) -> tuple[str, str]:
    """Return who reads a source, and how long it is, in words."""
    count = source.num_batches
    batches = "batches of unknown number" if count is None else f"{count} batch{'' if count == 1 else 'es'}"
    if source.shared_already:
        return "read in parts", batches
    if source.rewindable:
        samples = "" if source.num_samples is None else f"{source.num_samples} samples in "
        return "read by all", samples + batches
    return "read by process 0", batches


def _shared(source: Source, world: World) -> Source:
    if source.shared_already:
        return source
    if same_everywhere(source.rewindable, world):
        source.load_state_dict(same_everywhere(source.state_dict(), world))
        return SharedSource(source, world)
    return HandedOutSource(source, world)
