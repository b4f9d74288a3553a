"""The contract between data and the training loop: a `Source` gives `Batch`es, epoch by epoch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from neocog.exceptions import DataError, message


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch: inputs, targets and sample weights as nested torch tensors.

    Attributes:
        x, y, sample_weight: nested tensors; None where there are none.
        size: how many samples it has.
        share: weight of its loss where several processes share a batch: 1 for an even share, 0 for a batch
            that only stands in for one without samples.
        rows: number of its first row in the whole batch, and how many rows that has; None for the whole one.
    """

    x: Any
    y: Any = None
    sample_weight: Any = None
    size: int = 0
    share: float = 1.0
    rows: tuple[int, int] | None = None


class Source(ABC):
    """A stream of batches for `fit`, `evaluate` and `predict`.

    Attributes:
        num_batches: batches in an epoch, or None when that is unknown before the end.
        num_samples: samples in an epoch, or None when unknown.
        rewindable: whether `batches(epoch, start)` can be asked for again and gives the same. A source
            that is not can still be read once (a generator) or afresh each epoch (a shuffled `DataLoader`).
        endless: whether an epoch is known never to end by itself.
        read_once: whether each epoch goes on where the last one stopped, as with a generator.
        repeatable: whether an epoch read again from its start, with the random numbers that it began with,
            is the same; what can be rewound is.
        draws: whether reading draws from the process's random numbers, whatever place it begins at. A run
            that goes on reads again from the start of the pass, with the random numbers that it began with.
        shared_already: whether each of several processes reads a part of its own.
    """

    num_batches: int | None = None
    num_samples: int | None = None
    rewindable: bool = False
    endless: bool = False
    read_once: bool = False
    repeatable: bool = False
    draws: bool = False
    shared_already: bool = False

    @abstractmethod
    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Give the batches of `epoch`, from batch number `start` on."""

    def to(self, device: torch.device | str) -> Source:
        """Return a source whose data lie on `device` where that is possible and they fit, else this one."""
        return self

    def in_batches_of(self, size: int) -> Source:
        """Return the same data in batches of another size.

        Raises:
            DataError: the batches come as they are, as from a generator, a loader or a pipeline.
        """
        expected, do = "arrays or image files", "Say the batch size where the data are made."
        raise DataError(message(f"batches of {size}", expected=expected, got=type(self).__name__, do=do))

    def state_dict(self) -> dict[str, Any]:
        """Return what the order of the data depends on besides the epoch: the seed, where there is one."""
        seed = getattr(self, "seed", None)
        return {} if seed is None else {"seed": int(seed)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state, so that the order of the data is that of the run it was taken from."""
        if "seed" in state:
            self.seed = int(state["seed"])

    def peek(self) -> Batch | None:
        """Return the first batch without losing it, or None when there is none."""
        batches = self.batches(0)
        try:
            return next(batches, None)
        finally:
            close = getattr(batches, "close", None)
            if close is not None:
                close()


class MappedSource(Source):
    """Another source with a function applied to each batch.

    Args:
        source: where the batches come from.
        function: pure function of one batch.
    """

    def __init__(self, source: Source, function: Callable[[Batch], Batch]) -> None:
        self.source = source
        self.function = function
        self.num_batches = source.num_batches
        self.num_samples = source.num_samples
        self.rewindable = source.rewindable
        self.endless = source.endless
        self.read_once = source.read_once
        self.repeatable = source.repeatable
        self.draws = source.draws
        self.shared_already = source.shared_already

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the source below."""
        return self.source.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Give the source below its state."""
        self.source.load_state_dict(state)

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Give the mapped batches of `epoch`, from `start` on."""
        return map(self.function, self.source.batches(epoch, start))

    def to(self, device: torch.device | str) -> Source:
        """Move the source below; the function runs on what it gives then."""
        moved = self.source.to(device)
        return self if moved is self.source else MappedSource(moved, self.function)

    def peek(self) -> Batch | None:
        """Return the first batch, mapped."""
        first = self.source.peek()
        return None if first is None else self.function(first)


def epoch_order(size: int, seed: int, epoch: int) -> torch.Tensor:
    """Return the permutation of `size` positions that (seed, epoch) stands for."""
    generator = torch.Generator()
    # Spreads neighbouring epochs and seeds; both parts stay below 2**63 for any seed of 32 bits.
    generator.manual_seed((int(seed) * 1_000_003 + int(epoch)) % 2**63)
    return torch.randperm(size, generator=generator)
