"""Data that come as batches or samples by themselves: loaders, torch datasets, generators, iterables."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, DistributedSampler, SequentialSampler

from neocog.core import check_int, draw_seed, is_text, to_tensor, tree_flatten
from neocog.data._leaves import as_leaf, input_leaf, is_array, is_arrays, is_numbers, map_arrays
from neocog.data._own_state import changed_since, has_generator, own_state, parts_of_users, set_own_state
from neocog.data._source import Batch, Source, epoch_order
from neocog.exceptions import DataError, message

_FORMS = "x, (x, y) or (x, y, sample_weight), each an array or nested arrays"


def as_batch(item: Any, where: str | Callable[[], str]) -> Batch:
    """Return what a loader or generator gave as a `Batch`: x, (x,), (x, y) or (x, y, sample_weight).

    Args:
        item: the batch; lists count as tuples, a dict is x.
        where: what gave it, for the error text (a function when the text costs something).

    Raises:
        DataError: another form, text, or x and y of different lengths.
    """
    if isinstance(item, Batch):
        return item
    several = _has_parts(item)
    parts = item if several else (item,)
    place = where if isinstance(where, str) else where()
    if not 1 <= len(parts) <= 3:
        raise DataError(message(place, expected=f"a batch as {_FORMS}", got=f"a tuple of {len(parts)} items"))
    if parts[0] is None or not all(part is None or is_arrays(part) for part in parts):
        kinds = ", ".join(type(part).__name__ for part in parts)
        raise DataError(message(place, expected=f"a batch as {_FORMS}", got=f"({kinds})"))
    names = ("x", "y", "sample_weight")
    makers = (input_leaf, as_leaf, as_leaf)  # inputs may be strings
    trees = [
        map_arrays(maker, part, f"{place}: {name}")
        for maker, part, name in zip(makers, parts, names, strict=False)
    ]
    trees += [None] * (3 - len(trees))
    leaves = [[leaf for leaf in tree_flatten(tree) if leaf is not None] for tree in trees]
    size = int(leaves[0][0].shape[0]) if leaves[0] else 0
    for name, group in zip(names, leaves, strict=True):
        for leaf in group:
            if leaf.shape[0] != size:
                raise DataError(
                    message(place, expected=f"{size} samples in {name}, as in x", got=f"{leaf.shape[0]}")
                )
    return Batch(trees[0], trees[1], trees[2], size)


def _has_parts(item: Any) -> bool:
    """Return whether a batch is (x, y, …): a tuple or list that is not itself rows of numbers or strings."""
    if not isinstance(item, (tuple, list)):
        return False
    if item and all(isinstance(part, str) for part in item):
        return False
    arrays = any(isinstance(part, (torch.Tensor, np.ndarray)) for part in item)
    return isinstance(item, tuple) or arrays or not is_numbers(item)


class LoaderSource(Source):
    """A torch `DataLoader` as a source; it can be rewound when it reads a map-style dataset in order.

    Each pass begins with a number drawn for the workers, and samples may draw others.
    """

    repeatable = True
    draws = True

    def __init__(self, loader: DataLoader[Any]) -> None:
        self.loader = loader
        self.num_batches = length_of(loader)
        self.num_samples = length_of(loader.dataset)
        if self.num_batches == 0:
            raise DataError(message("DataLoader", expected="at least one batch", got="a length of 0"))
        self.rewindable = self.num_batches is not None and isinstance(loader.sampler, SequentialSampler)
        self.shared_already = isinstance(loader.sampler, DistributedSampler)
        self._before = [own_state(part) for part in self._parts()]

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Give the batches of one pass over the loader; `start` of them are read and left out."""
        if isinstance(self.loader.sampler, DistributedSampler):
            self.loader.sampler.set_epoch(epoch)
        for item in itertools.islice(iter(self.loader), start, None):
            yield as_batch(item, "DataLoader")

    def state_dict(self) -> dict[str, Any]:
        """Return the places of the loader's generators, and what the user's data set and samplers keep."""
        return {
            "generators": [generator.get_state() for generator in self._generators()],
            "own": [
                changed_since(before, own_state(part))
                for before, part in zip(self._before, self._parts(), strict=False)
            ],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set the loader's own generators, and the attributes of data set and samplers."""
        for generator, kept in zip(self._generators(), state.get("generators", ()), strict=False):
            generator.set_state(kept)
        for part, own in zip(self._parts(), state.get("own", ()), strict=False):
            set_own_state(part, own)

    def _parts(self) -> list[Any]:
        return parts_of_users(self.loader.dataset, self.loader.sampler, self.loader.batch_sampler)

    def _generators(self) -> list[torch.Generator]:
        """The generators that the order and the workers' seeds are drawn from, each once."""
        inner = self.loader.batch_sampler
        holders = (self.loader, self.loader.sampler, inner, getattr(inner, "sampler", None))
        found = (getattr(holder, "generator", None) for holder in holders)
        return list({id(one): one for one in found if isinstance(one, torch.Generator)}.values())


class IterableSource(Source):
    """Batches from a function that starts a fresh iterator for each epoch (a generator function)."""

    def __init__(self, start: Callable[[], Iterable[Any]], name: str, length: int | None = None) -> None:
        self._start = start
        self._name = name
        self.num_batches = length

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Give the batches of a fresh iterator; `start` of them are read and left out."""
        del epoch
        given = self._start()
        if not isinstance(given, Iterable):
            raise DataError(
                message(self._name, expected="an iterator of batches", got=f"a {type(given).__name__}")
            )
        for item in itertools.islice(iter(given), start, None):
            yield as_batch(item, self._name)


class GeneratorSource(Source):
    """Batches from one iterator that can be read once: each epoch goes on where the last one stopped."""

    read_once = True

    def __init__(self, iterator: Iterator[Any], name: str = "generator") -> None:
        self._iterator = iterator
        self._name = name
        self._first: list[Batch] = []

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Give the batches that are left.

        Raises:
            DataError: for `start` above 0, as a generator cannot be rewound.
        """
        del epoch
        if start:
            raise DataError(
                message(
                    self._name,
                    expected=f"data that can be read again from batch {start} on",
                    got="a generator, which cannot be rewound",
                    do="Use arrays, a PyDataset or a generator function.",
                )
            )
        return self._rest()

    def _rest(self) -> Iterator[Batch]:
        while self._first:
            yield self._first.pop()
        for item in self._iterator:
            yield as_batch(item, self._name)

    def peek(self) -> Batch | None:
        """Return the first batch that is left and keep it for `batches`."""
        if not self._first:
            for item in self._iterator:
                self._first.append(as_batch(item, self._name))
                break
        return self._first[0] if self._first else None


class DatasetSource(Source):
    """A map-style torch dataset as a source: samples are drawn by (seed, epoch) and stacked.

    They are read in the training loop's own thread, so that random transforms repeat under one seed; give a
    `DataLoader` with workers when reading is slow. Those whose own generators draw are read from the start.
    """

    repeatable = True

    def __init__(
        self,
        dataset: Dataset[Any],
        *,
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        drop_last: bool = False,
    ) -> None:
        self.dataset = dataset
        self.rewindable = not any(has_generator(part) for part in parts_of_users(dataset))
        self.batch_size = check_int("data", "batch_size", batch_size, minimum=1)
        self.shuffle = shuffle
        self.seed = draw_seed() if seed is None else seed
        count = len(dataset)  # type: ignore[arg-type]
        self.num_samples: int = count
        self.num_batches: int = count // batch_size if drop_last else -(-count // batch_size)
        if self.num_batches == 0:
            raise DataError(
                message(type(dataset).__name__, expected="at least one batch", got=f"{count} samples")
            )

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Give the batches of `epoch` from `start` on."""
        order = (
            epoch_order(self.num_samples, self.seed, epoch).tolist()
            if self.shuffle
            else range(self.num_samples)
        )
        for number in range(start, self.num_batches):
            chosen = order[number * self.batch_size : (number + 1) * self.batch_size]
            yield as_batch(collate([self.dataset[i] for i in chosen], type(self.dataset).__name__), "dataset")

    def state_dict(self) -> dict[str, Any]:
        """Return the seed, and of a data set that draws its own random numbers what it keeps."""
        own = [] if self.rewindable else [own_state(part) for part in parts_of_users(self.dataset)]
        return {**super().state_dict(), "own": own}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        super().load_state_dict(state)
        for part, own in zip(parts_of_users(self.dataset), state.get("own", ()), strict=False):
            set_own_state(part, own)


def collate(samples: list[Any], where: str) -> Any:
    """Stack samples (nested tuples, lists, dicts of arrays and numbers) to a batch of the same form.

    Raises:
        DataError: samples of different shapes, or of a type that is neither array nor number.
    """
    first = samples[0]
    if isinstance(first, dict):
        return {key: collate([sample[key] for sample in samples], f"{where}[{key!r}]") for key in first}
    if isinstance(first, (tuple, list)):
        columns = [[sample[i] for sample in samples] for i in range(len(first))]
        return tuple(collate(column, f"{where}[{i}]") for i, column in enumerate(columns))
    if isinstance(first, torch.Tensor):
        arrays: Any = samples
    elif is_array(first) or is_numbers(first):
        arrays = [np.asarray(sample) for sample in samples]
    else:
        raise DataError(
            message(
                where,
                expected="samples of tensors, arrays and numbers",
                got=f"a {type(first).__name__}",
                do="Turn it into a tensor in the dataset's transform.",
            )
        )
    shapes = {tuple(array.shape) for array in arrays}
    if len(shapes) > 1:
        listed = " and ".join(str(shape) for shape in sorted(shapes)[:2])
        raise DataError(
            message(where, expected="samples of one shape", got=listed, do="Resize or pad them first.")
        )
    if isinstance(first, torch.Tensor):
        return torch.stack(arrays)
    return np.stack(arrays) if is_text(arrays[0]) else to_tensor(np.stack(arrays))


def length_of(value: Any) -> int | None:
    """Return len(value), or None where it has none."""
    try:
        return len(value)
    except (TypeError, NotImplementedError):
        return None
