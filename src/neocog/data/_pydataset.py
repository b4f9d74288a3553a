"""Keras's `PyDataset` (`Sequence`): a data set that gives whole batches by number."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from neocog.core import check_int, draw_seed
from neocog.data._own_state import has_generator, own_state, set_own_state
from neocog.data._prefetch import ordered_map
from neocog.data._source import Batch, Source, epoch_order
from neocog.data._streams import as_batch
from neocog.exceptions import DataError, message


class PyDataset:
    """Base class of a data set written in Python: override `__len__` and `__getitem__`.

    Args:
        workers: threads that call `__getitem__` ahead of the training loop; 0 or 1 calls it in the loop.
        use_multiprocessing: accepted as in Keras; threads are used in either case.
        max_queue_size: batches that may wait.

    Example:
        >>> import numpy as np
        >>> class Squares(PyDataset):
        ...     def __len__(self): return 2
        ...     def __getitem__(self, index): return np.full((3, 1), index), np.full((3, 1), index**2)
        >>> len(Squares()), Squares()[1][1].ravel().tolist()
        (2, [1, 1, 1])
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers = check_int("PyDataset", "workers", workers, minimum=0)
        self.use_multiprocessing = bool(use_multiprocessing)
        self.max_queue_size = check_int("PyDataset", "max_queue_size", max_queue_size, minimum=1)

    def __getitem__(self, index: int) -> Any:
        """Return batch number `index`: x, (x, y) or (x, y, sample_weight)."""
        raise NotImplementedError

    @property
    def num_batches(self) -> int | None:
        """Number of batches in an epoch; None stands for an endless data set."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError("PyDataset: define __len__ (or the num_batches property).")

    def __iter__(self) -> Iterator[Any]:
        count = self.num_batches
        for index in itertools.count() if count is None else range(count):
            yield self[index]

    def on_epoch_begin(self) -> None:
        """Called before the first batch of each epoch; does nothing by itself."""

    def on_epoch_end(self) -> None:
        """Called after the last batch of each epoch; does nothing by itself."""


Sequence = PyDataset


class PyDatasetSource(Source):
    """A `PyDataset` (or an object of its form) as a source.

    With `shuffle` the order of the batches is drawn anew each epoch. It can be rewound unless the data set
    changes itself: by an `on_epoch_begin` or `on_epoch_end` of its own, or a generator of random numbers.
    """

    def __init__(self, dataset: Any, *, shuffle: bool = True, seed: int | None = None) -> None:
        self.dataset = dataset
        self.shuffle = shuffle
        self.seed = draw_seed() if seed is None else seed
        own = hasattr(dataset, "num_batches")  # Keras 2's form has the length only
        self.num_batches = dataset.num_batches if own else len(dataset)
        if self.num_batches == 0:
            raise DataError(
                message(type(dataset).__name__, expected="at least one batch", got="a length of 0")
            )
        self.repeatable = not (_overrides(dataset, "on_epoch_begin") or _overrides(dataset, "on_epoch_end"))
        self.rewindable = self.repeatable and not has_generator(dataset)

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Give the batches of `epoch` from `start` on; the hooks run before the first and after the last."""
        getattr(self.dataset, "on_epoch_begin", _nothing)()
        try:
            yield from self._read(self._indices(epoch, start))
        finally:
            getattr(self.dataset, "on_epoch_end", _nothing)()

    def state_dict(self) -> dict[str, Any]:
        """Return the seed, and of a data set that changes itself its numbers, texts and generators."""
        if self.rewindable:
            return super().state_dict()
        return {**super().state_dict(), "dataset": own_state(self.dataset)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state; a data set that changes itself is then as it was."""
        super().load_state_dict(state)
        set_own_state(self.dataset, state.get("dataset", {}))

    def peek(self) -> Batch | None:
        """Return batch number 0, without running the hooks."""
        return self._get(0)

    def _indices(self, epoch: int, start: int) -> Iterable[int]:
        if self.num_batches is None:
            return itertools.count(start)
        if self.shuffle:
            return epoch_order(self.num_batches, self.seed, epoch)[start:].tolist()
        return range(start, self.num_batches)

    def _read(self, indices: Iterable[int]) -> Iterator[Batch]:
        workers = int(getattr(self.dataset, "workers", 1) or 0)
        if workers <= 1:
            return map(self._get, indices)
        depth = max(int(getattr(self.dataset, "max_queue_size", 10)), workers)
        return ordered_map(self._get, indices, workers=workers, depth=depth)

    def _get(self, index: int) -> Batch:
        where = partial("{}[{}]".format, type(self.dataset).__name__, index)
        return as_batch(self.dataset[index], where)


def _overrides(dataset: Any, name: str) -> bool:
    method = getattr(type(dataset), name, None)
    return method is not None and method is not getattr(PyDataset, name)


def _nothing() -> None:
    """Stand in for a hook that the data set does not have."""
