"""Arrays as a source: one permutation an epoch, one `index_select` for one or more batches, or slices."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from neocog.core import check_int, check_number, draw_seed
from neocog.data._leaves import as_leaf, input_leaf, is_array, map_arrays, own_rows, take_rows
from neocog.data._source import Batch, Source, epoch_order
from neocog.exceptions import ArgumentError, DataError, message

# `ArraySource.to` moves the data to an accelerator when they take no more than this part of its free memory.
DEVICE_FRACTION = 0.25
# Of shuffled batches that are small and whose memory is aligned, several are gathered together.
_MOST_TOGETHER, _BYTES_TOGETHER, _ALIGNMENT = 16, 1 << 19, 64
_BYTES_ON_GPU = 1 << 24  # likewise there, where starting the work costs as much as 10 MB of it


class ArraySource(Source):
    """Nested arrays of one length as batches; inputs may be strings, which stay NumPy arrays.

    Args:
        x: inputs: an array, or a list, tuple or dict of arrays.
        y: targets likewise, or None.
        sample_weight: weights likewise, or None.
        batch_size: samples a batch; the last one may be smaller.
        shuffle: draw a new order each epoch, from `seed` and the number of the epoch.
        seed: whole number; None draws one from torch's global generator.
        drop_last: leave out a last batch that is smaller.

    Raises:
        DataError: lengths that differ, no samples, text or objects.

    Example:
        >>> source = ArraySource(np.arange(5), batch_size=2, shuffle=False)
        >>> [batch.x.tolist() for batch in source.batches(epoch=0)]
        [[0, 1], [2, 3], [4]]
    """

    rewindable = True

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        drop_last: bool = False,
    ) -> None:
        self.batch_size = check_int("data", "batch_size", batch_size, minimum=1)
        self.shuffle = bool(shuffle)
        self.drop_last = bool(drop_last)
        self.seed = draw_seed() if seed is None else check_int("data", "seed", seed, minimum=0)
        leaves: list[Any] = []
        self._shared_read_only = False

        def add(value: Any, name: str) -> int:
            self._shared_read_only |= isinstance(value, np.ndarray) and not value.flags.writeable
            leaves.append(_leaf(value, name))
            names.append(name)
            return len(leaves) - 1

        names: list[str] = []
        named = (("x", x), ("y", y), ("sample_weight", sample_weight))
        self._places = tuple(map_arrays(add, tree, name) for name, tree in named)
        self.num_samples: int = check_lengths(leaves, names)
        self._leaves = leaves
        self._order: tuple[tuple[int, int], torch.Tensor] | None = None
        self._ahead: tuple[tuple[int, int], torch.Tensor] | None = None  # the next order, in pinned memory
        self.num_batches: int = _count_batches(self.num_samples, self.batch_size, self.drop_last)

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Give the batches of `epoch` from `start` on: a pure function of (seed, epoch, start)."""
        size, leaves = self.batch_size, self._leaves
        order = self._order_of(epoch) if self.shuffle else None
        end = min(self.num_batches * size, self.num_samples)
        together = 1 if order is None else self._gathered_together
        step = size * together
        for first in range(start // together * step, end, step):
            last = min(first + step, end)
            if order is not None:
                index = order[first:last]
                parts = [take_rows(leaf, index) for leaf in leaves]
            elif self._shared_read_only:
                parts = [own_rows(leaf, first, last) for leaf in leaves]
            else:
                parts = [leaf[first:last] for leaf in leaves]
            if last - first <= size:
                if first // size >= start:  # a place after the last batch has nothing left
                    yield self._batch(parts, last - first)
                continue
            # A start in the middle finds each batch where it lies in memory otherwise: kernels may go by it.
            pieces = zip(*(part.split(size) for part in parts), strict=True)
            for piece in itertools.islice(pieces, max(0, start - first // size), None):
                yield self._batch(piece, piece[0].shape[0])
        if order is not None and order.device.type == "cuda":
            self._draw_ahead(epoch + 1)  # the GPU is at work still: later it would wait

    def _batch(self, parts: Sequence[Any], size: int) -> Batch:
        x, y, weight = (_fill(place, parts) for place in self._places)
        return Batch(x, y, weight, size)

    @property
    def _gathered_together(self) -> int:
        """How many shuffled batches are gathered by one call: small ones cost less than the call."""
        if not all(isinstance(leaf, torch.Tensor) for leaf in self._leaves):
            return 1
        sizes = [leaf.nbytes // self.num_samples * self.batch_size for leaf in self._leaves]
        if any(size % _ALIGNMENT for size in sizes):
            return 1
        most = _BYTES_TOGETHER if self.device.type == "cpu" else _BYTES_ON_GPU
        fitting: int = most // max(1, sum(sizes))
        return max(1, min(_MOST_TOGETHER, fitting))

    def to(self, device: torch.device | str) -> Source:
        """Return a copy on `device` when the data take at most a quarter of its free memory, else self."""
        device = torch.device(device)
        numbers = [leaf for leaf in self._leaves if isinstance(leaf, torch.Tensor)]  # strings stay
        if all(leaf.device.type == device.type for leaf in numbers):
            return self
        if sum(leaf.nbytes for leaf in numbers) > DEVICE_FRACTION * free_memory(device):
            return self
        moved = object.__new__(ArraySource)
        moved.__dict__.update(self.__dict__)
        moved._leaves = [leaf.to(device) if isinstance(leaf, torch.Tensor) else leaf for leaf in self._leaves]
        moved._order = moved._ahead = None
        moved._shared_read_only = False
        return moved

    @property
    def device(self) -> torch.device:
        """Where the numbers lie."""
        numbers = (leaf.device for leaf in self._leaves if isinstance(leaf, torch.Tensor))
        return next(numbers, torch.device("cpu"))

    def in_batches_of(self, size: int) -> ArraySource:
        """Return the same data in batches of another size."""
        other = object.__new__(ArraySource)
        other.__dict__.update(self.__dict__)
        other.batch_size = size
        other.num_batches = _count_batches(self.num_samples, size, self.drop_last)
        return other

    def arrays(self) -> tuple[Any, Any, Any]:
        """Return x, y and sample_weight whole, as tensors (strings: NumPy arrays) in their nested form."""
        x, y, weight = (_fill(place, self._leaves) for place in self._places)
        return x, y, weight

    def _order_of(self, epoch: int) -> torch.Tensor:
        """Return the order of `epoch` on the device of the data; the last one asked for is kept."""
        if self._order is None or self._order[0] != (self.seed, epoch):
            ahead, self._ahead = self._ahead, None
            drawn = ahead is not None and ahead[0] == (self.seed, epoch)
            order = ahead[1] if drawn else epoch_order(self.num_samples, self.seed, epoch)  # type: ignore[index]
            first = next((leaf for leaf in self._leaves if isinstance(leaf, torch.Tensor)), order)
            self._order = ((self.seed, epoch), order.to(first.device, non_blocking=drawn))
        return self._order[1]

    def _draw_ahead(self, epoch: int) -> None:
        """Draw the order of an epoch to come, while a GPU works on what it was given."""
        order = epoch_order(self.num_samples, self.seed, epoch)
        self._ahead = (self.seed, epoch), order.pin_memory()


def _count_batches(samples: int, batch_size: int, drop_last: bool) -> int:
    whole, rest = divmod(samples, batch_size)
    batches = whole + (1 if rest and not drop_last else 0)
    if batches == 0:
        expected, do = f"at least one batch of {batch_size} (drop_last=True)", "Use a smaller batch_size."
        raise DataError(message("data", expected=expected, got=f"{samples} samples", do=do))
    return batches


def _leaf(value: Any, name: str) -> Any:
    """Return one array by its name: inputs (`x`, `x['title']`) may be strings, the others are numbers."""
    return input_leaf(value, name) if name.startswith("x") else as_leaf(value, name)


def _fill(place: Any, parts: Sequence[Any]) -> Any:
    """Return the nested form `place` with each position replaced by the part that stands there."""
    if isinstance(place, int):
        return parts[place]
    if place is None:
        return None
    if isinstance(place, dict):
        return {key: _fill(item, parts) for key, item in place.items()}
    items = [_fill(item, parts) for item in place]
    return type(place)(*items) if hasattr(place, "_fields") else type(place)(items)


def check_lengths(leaves: list[Any], names: list[str]) -> int:
    """Return the number of samples that all arrays share.

    Raises:
        DataError: when they differ (it names which) or there are none.
    """
    if not leaves:
        raise DataError(message("x", expected="at least one array", got="none"))
    lengths = [leaf.shape[0] for leaf in leaves]
    if len(set(lengths)) > 1:
        listed = ", ".join(f"{name} {length}" for name, length in zip(names[1:], lengths[1:], strict=True))
        raise DataError(
            f"data: expected one number of samples, got {names[0]} has {lengths[0]} samples, {listed}. "
            "Check that every array has one row a sample."
        )
    if lengths[0] == 0:
        raise DataError(message("data", expected="at least one sample", got=f"{names[0]} with 0 samples"))
    return int(lengths[0])


def split_validation(
    x: Any, y: Any, sample_weight: Any, fraction: float
) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    """Split off the last `fraction` of the samples, before any shuffling (`validation_split` of `fit`).

    Args:
        x: inputs: an array or nested arrays.
        y: targets or None.
        sample_weight: weights or None.
        fraction: part for validation, above 0 and below 1.

    Returns:
        ((x, y, sample_weight) for training, the same for validation), as tensors that share the arrays'
        memory.

    Raises:
        DataError: for data that are not arrays, or when one side would be empty.
    """
    fraction = check_number("validation_split", "the fraction", fraction)
    if not 0 < fraction < 1:
        raise ArgumentError(message("validation_split", expected="a number between 0 and 1", got=fraction))
    leaves: list[Any] = []
    names: list[str] = []

    def add(value: Any, name: str) -> int:
        if not (is_array(value) or isinstance(value, (list, tuple))):
            raise DataError(
                message(
                    "validation_split",
                    expected="arrays (the last part of them is split off)",
                    got=f"{name} of type {type(value).__name__}",
                    do="Pass validation_data= instead.",
                )
            )
        leaves.append(_leaf(value, name))
        names.append(name)
        return len(leaves) - 1

    places = [
        map_arrays(add, tree, name) for name, tree in (("x", x), ("y", y), ("sample_weight", sample_weight))
    ]
    cut = _place_of_cut(check_lengths(leaves, names), fraction)
    train, validation = [leaf[:cut] for leaf in leaves], [leaf[cut:] for leaf in leaves]
    first = tuple(_fill(place, train) for place in places)
    second = tuple(_fill(place, validation) for place in places)
    return (first[0], first[1], first[2]), (second[0], second[1], second[2])


def _place_of_cut(count: int, fraction: float) -> int:
    """Return how many of `count` samples come before the last `fraction` of them."""
    cut = math.floor(count * (1.0 - fraction))
    if cut in (0, count):
        raise DataError(
            message(
                "validation_split",
                expected="at least one sample on each side",
                got=f"{count} samples split at {fraction:g}: {cut} to train, {count - cut} to validate",
                do="Provide more data or another fraction.",
            )
        )
    return cut


def free_memory(device: torch.device | str) -> int:
    """Return the bytes that are free on `device` (for the CPU: available main memory; 0 when unknown)."""
    kind = torch.device(device).type
    if kind == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if kind == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return _available_main_memory() if kind == "cpu" else 0


def _available_main_memory() -> int:
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return 8 * 2**30  # no cheap way to ask: assume a modest machine
