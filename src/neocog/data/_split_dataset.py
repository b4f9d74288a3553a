"""Keras's `split_dataset`, and the packing of x, y and sample_weight."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.data import Dataset as TorchDataset

from neocog.core import check_int, draw_seed, make_generator
from neocog.data._leaves import is_arrays
from neocog.data._pipeline import Dataset
from neocog.data._pipeline._batching import PaddedBatchStage
from neocog.data._pipeline._elements import stack, to_element
from neocog.data._pipeline._order import ShuffleStage
from neocog.data._pipeline._roots import ArrayTable, ListStage, TableStage
from neocog.data._pipeline._stage import Stage
from neocog.exceptions import ArgumentError, ArgumentTypeError, DataError, message

_WHERE = "split_dataset"


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Dataset, Dataset]:
    """Split data into two data sets; of batches the samples are split, and batched again.

    Args:
        dataset: a `Dataset`, a torch data set, an array, or a tuple, list or dict of arrays.
        left_size: number of samples on the left, or a share of them below 1; None: the rest.
        right_size: likewise on the right.
        shuffle: mix the samples before.
        seed: of the mixing.
        preferred_backend: accepted as in Keras and not used.

    Returns:
        The left and the right data set.

    Raises:
        ArgumentError: sizes that do not fit.

    Example:
        >>> left, right = split_dataset(torch.arange(10), left_size=0.8)
        >>> len(left), [int(x) for x in right]
        (8, [8, 9])
    """
    del preferred_backend
    if left_size is None and right_size is None:
        raise ArgumentError(message(_WHERE, expected="left_size or right_size", got="neither"))
    if seed is not None:
        seed = check_int(_WHERE, "seed", seed, minimum=0)
    if not isinstance(dataset, (Dataset, TorchDataset)) and is_arrays(dataset):
        return _split_arrays(dataset, left_size, right_size, _order(shuffle, seed))
    batch_size = None
    if isinstance(dataset, Dataset):
        if dataset.cardinality() == -1:
            raise DataError(message(_WHERE, expected="data that end", got="an endless data set"))
        batch_size = _batch_size(dataset.stage)
        items = list(dataset if batch_size is None else dataset.unbatch())
    elif isinstance(dataset, TorchDataset):
        items = [to_element(item, _WHERE) for item in _items(dataset)]
    else:
        expected = "a Dataset, a torch data set, or arrays"
        raise ArgumentTypeError(message(_WHERE, expected=expected, got=f"a {type(dataset).__name__}"))
    order = _order(shuffle, seed)(len(items))
    left, right = split_sizes(left_size, right_size, len(items))
    parts = [[items[i] for i in order[:left]], [items[i] for i in order[len(items) - right :]]]
    made = [_from_items(part, dataset) for part in parts]
    if batch_size is not None:
        made = [part.batch(batch_size) for part in made]
    return made[0], made[1]


def _items(dataset: Any) -> Any:
    return (dataset[i] for i in range(len(dataset))) if hasattr(dataset, "__len__") else iter(dataset)


def _from_items(items: list[Any], origin: Any) -> Dataset:
    """Return elements as a data set: as one table where their shapes agree."""
    names = origin.class_names if isinstance(origin, Dataset) else None
    try:
        return Dataset(TableStage(ArrayTable(stack(items))), names)
    except DataError:
        return Dataset(ListStage(items), names)


def _order(shuffle: bool, seed: int | None) -> Any:
    """Return a function from a length to the order of the samples, Keras's on torch for the same seed."""

    def order(count: int) -> list[int]:
        if not shuffle:
            return list(range(count))
        generator = make_generator(draw_seed() if seed is None else seed)
        return torch.randperm(count, generator=generator).tolist()

    return order


def _split_arrays(data: Any, left_size: Any, right_size: Any, order: Any) -> tuple[Dataset, Dataset]:
    table = ArrayTable(to_element(data, _WHERE))
    positions = torch.tensor(order(table.size))
    left, right = split_sizes(left_size, right_size, table.size)
    parts = [positions[:left], positions[table.size - right :]]
    made = [Dataset.from_tensor_slices(table.take(part)) for part in parts]
    return made[0], made[1]


def _batch_size(stage: Stage) -> int | None:
    """Return how many samples the batches of a data set hold; None for single samples."""
    while stage.per is None and isinstance(stage, (ShuffleStage, PaddedBatchStage)):
        if isinstance(stage, PaddedBatchStage):
            return stage.count
        stage = stage.parents[0]
    return stage.per


def split_sizes(left: Any, right: Any, total: int) -> tuple[int, int]:
    """Return how many of `total` samples go left and right.

    Raises:
        ArgumentError: a share outside 0 to 1, a number outside 1 to total - 1, or both together too many.
    """
    counts: list[int | None] = []
    for name, size in (("left_size", left), ("right_size", right)):
        if size is None:
            counts.append(None)
            continue
        if isinstance(size, bool) or not isinstance(size, (int, float)):
            raise ArgumentTypeError(message(_WHERE, expected=f"{name} as a number", got=repr(size)))
        limit = 1 if isinstance(size, float) else total
        if not 0 < size < limit:
            expected = f"{name} as a whole number from 1 to {total - 1} or a share between 0 and 1"
            raise ArgumentError(message(_WHERE, expected=expected, got=size))
        counts.append(round(size * total) if isinstance(size, float) else size)
    if isinstance(left, float) and isinstance(right, float) and left + right > 1:
        raise ArgumentError(message(_WHERE, expected="two shares of at most 1 together", got=left + right))
    first = total - (counts[1] or 0) if counts[0] is None else counts[0]
    second = total - first if counts[1] is None else counts[1]
    if first + second > total or first == 0 or second == 0:
        got = f"{first} and {second}"
        raise ArgumentError(message(_WHERE, expected=f"two parts of {total} samples, none empty", got=got))
    return first, second


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Return x, (x, y) or (x, y, sample_weight): the form that `fit` reads from data.

    Example:
        >>> pack_x_y_sample_weight(1, 2)
        (1, 2)
    """
    if y is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Return x, y and sample_weight of what `train_step` gets; what is not there is None.

    Raises:
        DataError: a tuple of none or of more than three.

    Example:
        >>> unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    parts = tuple(data) if isinstance(data, (tuple, list)) else (data,)
    if not 1 <= len(parts) <= 3:
        expected = "x, (x,), (x, y) or (x, y, sample_weight)"
        raise DataError(message("unpack_x_y_sample_weight", expected=expected, got=f"{len(parts)} parts"))
    x, y, weight = (*parts, None, None)[:3]
    return x, y, weight


def audio_dataset_from_directory(*args: Any, **kwargs: Any) -> Any:
    """Refuse: neocog reads no sound files.

    Raises:
        ArgumentError: always, with what to do instead.
    """
    do = "Read the files with another library (soundfile, torchaudio) and use Dataset.from_tensor_slices."
    where = "audio_dataset_from_directory"
    raise ArgumentError(message(where, expected="images, text or arrays", got="a folder of sound", do=do))
