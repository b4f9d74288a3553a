"""Everything that `fit` accepts becomes a `Source` here."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from neocog.core import check_int
from neocog.data._arrays import ArraySource
from neocog.data._leaves import is_arrays
from neocog.data._pydataset import PyDatasetSource
from neocog.data._source import MappedSource, Source
from neocog.data._streams import DatasetSource, GeneratorSource, IterableSource, LoaderSource, length_of
from neocog.data._weights import both_weights, check_class_weight, class_weights_to_sample_weights, weigh
from neocog.exceptions import ArgumentError, DataError, message

DEFAULT_BATCH_SIZE = 32

_ACCEPTED = (
    "NumPy arrays, torch tensors, lists or dicts of them, a DataFrame, a torch DataLoader or Dataset, "
    "a PyDataset, a generator or generator function, image_dataset_from_directory(...)"
)


def as_source(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    steps: Any = None,
    shuffle: bool = True,
    seed: int | None = None,
    class_weight: Any = None,
    drop_last: bool = False,
) -> Source:
    """Return anything that `fit` accepts as a `Source`.

    Args:
        x: arrays (nested), or data that give batches by themselves: (x, y) or (x, y, sample_weight).
        y: targets, with arrays only.
        sample_weight: a weight a sample, with arrays only.
        batch_size: samples a batch, 32 when None; only for data that come as samples.
        steps: over how many batches arrays are dealt out where `batch_size` is None, as in Keras.
        shuffle: a new order each epoch; data that come as batches without a number keep theirs.
        seed: of that order; None draws one from torch's global generator.
        class_weight: dict from class number to weight, instead of `sample_weight`.
        drop_last: leave out a smaller last batch of arrays.

    Raises:
        DataError: data of another type (it says what is accepted), lengths that differ, no samples, text.
        ArgumentError: `batch_size` below 1 or beside data that are batched already.

    Example:
        >>> import numpy as np
        >>> source = as_source(np.zeros((70, 4)), np.zeros(70), seed=0)
        >>> source.num_batches, [batch.size for batch in source.batches(epoch=0)]
        (3, [32, 32, 6])
    """
    if batch_size is not None:
        batch_size = check_int("data", "batch_size", batch_size, minimum=1)
    weights = None if class_weight is None else check_class_weight(class_weight)
    if weights is not None and sample_weight is not None:
        raise both_weights()
    form: dict[str, Any] = {
        "batch_size": batch_size or DEFAULT_BATCH_SIZE,
        "shuffle": bool(shuffle),
        "seed": seed,
        "drop_last": drop_last,
    }
    if not isinstance(x, (Source, str, bytes)) and is_arrays(x):
        source = ArraySource(x, y, sample_weight, **form)
        if weights is not None:
            source = ArraySource(x, y, class_weights_to_sample_weights(source.arrays()[1], weights), **form)
        deals = batch_size is None and isinstance(steps, int) and steps > 0
        return source.in_batches_of(math.ceil(source.num_samples / steps)) if deals else source
    _refuse_targets(x, y, sample_weight)
    stream = _sample_source(x, form) or _batched_source(x, batch_size, shuffle, seed)
    return stream if weights is None else MappedSource(stream, partial(weigh, class_weight=weights))


def _sample_source(x: Any, form: dict[str, Any]) -> Source | None:
    """Return a source for data that come as single samples, or None."""
    if isinstance(x, TensorDataset) and len(x.tensors) <= 3:
        return ArraySource(*x.tensors, **form)
    if isinstance(x, IterableDataset):
        loader: DataLoader[Any] = DataLoader(x, batch_size=form["batch_size"], drop_last=form["drop_last"])
        return LoaderSource(loader)
    if isinstance(x, Dataset) and hasattr(x, "__len__"):
        return DatasetSource(x, **form)
    return None


def _batched_source(x: Any, batch_size: int | None, shuffle: bool, seed: int | None) -> Source:
    """Return a source for data that come as batches."""
    if isinstance(x, (str, bytes, int, float)) or x is None or inspect.isclass(x):
        raise _unknown(x)
    if batch_size is not None and not (
        isinstance(x, Source) and getattr(x, "batch_size", None) == batch_size
    ):
        raise ArgumentError(
            message(
                "data",
                expected=f"no batch_size beside a {type(x).__name__}, which gives batches already",
                got=f"batch_size={batch_size}",
                do="Leave it out and set the size where the data are made.",
            )
        )
    if isinstance(x, Source):
        return x
    if isinstance(x, DataLoader):
        return LoaderSource(x)
    if hasattr(x, "__getitem__") and hasattr(x, "on_epoch_end"):
        return PyDatasetSource(x, shuffle=shuffle, seed=seed)
    if isinstance(x, Iterator):
        return GeneratorSource(x, type(x).__name__)
    if inspect.isroutine(x) or isinstance(x, partial):
        return IterableSource(x, f"{getattr(x, '__name__', 'generator function')}()")
    if isinstance(x, Iterable) and not isinstance(x, (list, tuple, dict, set, frozenset)):
        return IterableSource(partial(iter, x), type(x).__name__, length_of(x))
    raise _unknown(x)


def _refuse_targets(x: Any, y: Any, sample_weight: Any) -> None:
    if isinstance(x, (str, bytes)):
        raise _unknown(x)
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            if not isinstance(x, (Source, Iterable)) and not callable(x):
                raise _unknown(x)
            raise ArgumentError(
                message(
                    "data",
                    expected=f"{name} inside the {type(x).__name__}, which gives (x, y[, sample_weight])",
                    got=f"a separate {name}",
                    do=f"Leave {name} out.",
                )
            )


def _unknown(x: Any) -> DataError:
    got = (
        f"a value of type {type(x).__name__}" if not isinstance(x, type) else f"the class {x.__name__} itself"
    )
    if isinstance(x, (list, tuple, dict)):
        items = list(x.values()) if isinstance(x, dict) else list(x)
        odd = next((item for item in items if item is not None and not is_arrays(item)), None)
        got = f"a {type(x).__name__} that holds a {type(odd).__name__}"
    do = "Read the file or folder first." if isinstance(x, (str, bytes)) else ""
    return DataError(message("data", expected=_ACCEPTED, got=got, do=do))
