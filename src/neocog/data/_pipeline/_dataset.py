"""`Dataset`: pipelines as book code writes them, on torch."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch

from neocog.core import check_int, draw_seed, torch_dtype
from neocog.data._pipeline._batching import BatchStage, PaddedBatchStage, UnbatchStage, WindowStage
from neocog.data._pipeline._elements import map_leaves, to_element
from neocog.data._pipeline._functions import (
    CacheStage,
    EnumerateStage,
    FilterStage,
    InterleaveStage,
    MapStage,
    PrefetchStage,
)
from neocog.data._pipeline._images import ImageStage
from neocog.data._pipeline._order import (
    ChooseStage,
    ConcatenateStage,
    DrawStage,
    RepeatStage,
    ShuffleStage,
    SliceStage,
)
from neocog.data._pipeline._readable import Readable
from neocog.data._pipeline._roots import (
    ArrayTable,
    GeneratorStage,
    ListStage,
    RangeStage,
    TableStage,
    ZipStage,
    file_names,
    fill_form,
    leaves_in_order,
)
from neocog.data._pipeline._stage import Stage
from neocog.exceptions import ArgumentError, ArgumentTypeError, message

_AHEAD = 2  # elements computed ahead where the number is left to us
_CYCLE = 4


class Dataset(Readable):
    """A pipeline: elements that are computed when they are asked for, as often as they are asked for.

    Elements are torch tensors, strings (NumPy, `TextArray`), or tuples and dicts of them; float64 arrays
    become float32. Each pass over a shuffled data set has its own order, a function of (seed, number of the
    pass). Functions get a tuple's parts as separate arguments; they run on the CPU, without gradients, in
    threads only where they were seen to draw no random numbers. Arrays that are only shuffled, cut, repeated
    and batched are batched by one `index_select`.

    Attributes:
        class_names: names of the classes, in the order of the labels, where they are known.
        file_paths: the files that the elements come from, where they are known.

    Example:
        >>> data = Dataset.from_tensor_slices(([1, 2, 3, 4], [0, 1, 0, 1]))
        >>> data = data.map(lambda x, y: (x * 10, y)).batch(3)
        >>> [x.tolist() for x, y in data], len(data)
        ([[10, 20, 30], [40]], 2)
    """

    def _with(self, stage: Stage) -> Dataset:
        return Dataset(stage, self.class_names, self.__dict__.get("file_paths"))

    # Where it begins

    @staticmethod
    def from_tensor_slices(tensors: Any, name: str | None = None) -> Dataset:
        """Return the rows of nested arrays of one length."""
        return Dataset(TableStage(ArrayTable(to_element(tensors, "from_tensor_slices"))))

    @staticmethod
    def from_tensors(tensors: Any, name: str | None = None) -> Dataset:
        """Return one element: the arrays whole."""
        return Dataset(ListStage([to_element(tensors, "from_tensors")]))

    @staticmethod
    def from_generator(
        generator: Callable[..., Iterable[Any]],
        output_types: Any = None,
        output_shapes: Any = None,
        args: Any = (),
        output_signature: Any = None,
        name: str | None = None,
    ) -> Dataset:
        """Return what a generator function gives, started afresh for each pass.

        Args:
            generator: function that returns an iterable.
            output_types: types of the parts of an element; None takes them as they come.
            output_shapes: accepted as in tf.data; not needed.
            args: given to the function.
            output_signature: nested `TensorSpec`, instead of `output_types`.
        """
        if not callable(generator):
            do = "Pass the function itself, without calling it."
            got = f"a {type(generator).__name__}"
            raise ArgumentTypeError(message("from_generator", expected="a function", got=got, do=do))
        kinds = output_types if output_signature is None else map_leaves(lambda s: s.dtype, output_signature)
        dtypes = None if kinds is None else map_leaves(_dtype_or_none, kinds)
        return Dataset(GeneratorStage(lambda: generator(*args), dtypes=dtypes))

    @staticmethod
    def range(*args: int, output_type: Any = "int64", name: str | None = None) -> Dataset:
        """Return whole numbers, as Python's `range` does."""
        limits = [check_int("Dataset.range", "a limit", value) for value in args]
        return Dataset(RangeStage(range(*limits), torch_dtype(output_type)))

    @staticmethod
    def zip(*datasets: Any, name: str | None = None) -> Dataset:
        """Return the elements of data sets side by side, in the form in which the data sets are nested."""
        form = datasets[0] if len(datasets) == 1 else datasets
        parts = [_checked(part, "zip") for part in leaves_in_order(form)]
        stages = [part.stage for part in parts]
        tables = [stage.table for stage in stages if isinstance(stage, TableStage)]
        arrays = [table for table in tables if isinstance(table, ArrayTable)]
        if len(arrays) == len(stages) and len({table.size for table in arrays}) == 1:
            rest = iter([table.element for table in arrays])
            return parts[0]._with(TableStage(ArrayTable(fill_form(form, rest))))
        return parts[0]._with(ZipStage(form, tuple(stages)))

    @staticmethod
    def list_files(
        file_pattern: Any, shuffle: bool | None = None, seed: int | None = None, name: str | None = None
    ) -> Dataset:
        """Return the names of the files that glob patterns name; mixed unless `shuffle=False`."""
        found = Dataset.from_tensor_slices(file_names(file_pattern))
        return found if shuffle is False else found.shuffle(len(found), seed)

    @staticmethod
    def choose_from_datasets(
        datasets: Sequence[Dataset], choice_dataset: Dataset, stop_on_empty_dataset: bool = True
    ) -> Dataset:
        """Return elements of the data sets, in the order of the numbers that `choice_dataset` gives."""
        stages = tuple(_checked(part, "choose_from_datasets").stage for part in datasets)
        choice = _checked(choice_dataset, "choose_from_datasets").stage
        return Dataset(ChooseStage(stages, choice, stop_on_empty_dataset))

    @staticmethod
    def sample_from_datasets(
        datasets: Sequence[Dataset],
        weights: Any = None,
        seed: int | None = None,
        stop_on_empty_dataset: bool = False,
        rerandomize_each_iteration: bool | None = None,
    ) -> Dataset:
        """Return elements of the data sets, each time of one drawn with the given weights."""
        stages = tuple(_checked(part, "sample_from_datasets").stage for part in datasets)
        shares = torch.ones(len(stages)) if weights is None else torch.as_tensor(weights, dtype=torch.float64)
        if shares.shape != (len(stages),) or bool((shares < 0).any()) or not float(shares.sum()) > 0:
            expected = f"{len(stages)} weights of 0 or more"
            raise ArgumentError(message("sample_from_datasets", expected=expected, got=weights))
        draw = DrawStage(shares, _seed("sample_from_datasets", seed), rerandomize_each_iteration is not False)
        return Dataset(ChooseStage(stages, draw, stop_on_empty_dataset))

    # What is done to it

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """Return the function's results.

        Args:
            map_func: gets an element (a tuple's parts as separate arguments) and returns one.
            num_parallel_calls: threads; -1 (`AUTOTUNE`) takes the processors, 8 at most.
            deterministic: False lets a function that draws random numbers run in threads; the order stays.
        """
        if not callable(map_func):
            raise ArgumentTypeError(message("map", expected="a function", got=type(map_func).__name__))
        workers = _workers("map", num_parallel_calls)
        return self._with(MapStage(self.stage, map_func, workers, deterministic is not False))

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """Return the elements for which the function gives True."""
        return self._with(FilterStage(self.stage, predicate))

    def batch(
        self,
        batch_size: int,
        drop_remainder: bool = False,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """Return elements stacked, `batch_size` at a time."""
        count = check_int("batch", "batch_size", batch_size, minimum=1)
        stage = self.stage
        if isinstance(stage, ImageStage) and not stage.batched and not drop_remainder:
            return self._with(stage.in_batches(count))
        return self._with(BatchStage(stage, count, bool(drop_remainder)))

    def padded_batch(
        self,
        batch_size: int,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Dataset:
        """Return elements padded at the end to one shape and stacked."""
        count = check_int("padded_batch", "batch_size", batch_size, minimum=1)
        stage = PaddedBatchStage(self.stage, count, bool(drop_remainder), padded_shapes, padding_values)
        return self._with(stage)

    def unbatch(self, name: str | None = None) -> Dataset:
        """Return the rows of each element as elements."""
        return self._with(UnbatchStage(self.stage))

    def shuffle(
        self,
        buffer_size: int,
        seed: int | None = None,
        reshuffle_each_iteration: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """Return the elements mixed through a buffer of `buffer_size`; a new order each pass.

        Args:
            buffer_size: elements to choose from; as many as there are give a uniformly random order.
            seed: the same seed gives the same orders on every run; None draws one from torch's generator.
            reshuffle_each_iteration: False keeps the first pass's order.
        """
        count = check_int("shuffle", "buffer_size", buffer_size, minimum=1)
        reshuffle = reshuffle_each_iteration is not False
        number = _seed("shuffle", seed)
        stage = self.stage
        if isinstance(stage, ImageStage) and not stage.batched and reshuffle and count >= stage.size:
            return self._with(stage.mixed(number))
        return self._with(ShuffleStage(stage, count, number, reshuffle))

    def take(self, count: int, name: str | None = None) -> Dataset:
        """Return the first `count` elements; -1: all."""
        number = check_int("take", "count", count)
        return self._with(SliceStage(self.stage, 0, number if number >= 0 else None))

    def skip(self, count: int, name: str | None = None) -> Dataset:
        """Return all elements but the first `count`; -1: none."""
        number = check_int("skip", "count", count)
        return self._with(SliceStage(self.stage, max(number, 0), None if number >= 0 else 0))

    def shard(self, num_shards: int, index: int, name: str | None = None) -> Dataset:
        """Return every `num_shards`-th element, from number `index` on."""
        count = check_int("shard", "num_shards", num_shards, minimum=1)
        first = check_int("shard", "index", index, minimum=0)
        if first >= count:
            raise ArgumentError(message("shard", expected=f"index below {count}", got=first))
        return self._with(SliceStage(self.stage, first, None, count))

    def repeat(self, count: int | None = None, name: str | None = None) -> Dataset:
        """Return the data set `count` times over; None or -1: without end."""
        number = None if count is None else check_int("repeat", "count", count, minimum=-1)
        return self._with(RepeatStage(self.stage, None if number == -1 else number))

    def cache(self, filename: str | os.PathLike[str] = "", name: str | None = None) -> Dataset:
        """Return the data set with the elements of its first whole pass kept in memory.

        Image files are decoded once and kept as bytes in any case, and keep their order anew each pass.
        """
        if os.fspath(filename):
            warnings.warn("Dataset.cache: elements are kept in memory, not in a file.", stacklevel=2)
        return self if isinstance(self.stage, ImageStage) else self._with(CacheStage(self.stage))

    def prefetch(self, buffer_size: int | None = None, name: str | None = None) -> Dataset:
        """Return the data set computed ahead in a thread, up to `buffer_size` elements; None or -1: 2."""
        number = _AHEAD if buffer_size is None else check_int("prefetch", "buffer_size", buffer_size)
        if number == 0:
            return self
        return self._with(PrefetchStage(self.stage, number if number > 0 else _AHEAD))

    def concatenate(self, dataset: Dataset, name: str | None = None) -> Dataset:
        """Return these elements, then those of another data set."""
        return self._with(ConcatenateStage(self.stage, _checked(dataset, "concatenate").stage))

    def enumerate(self, start: int = 0, name: str | None = None) -> Dataset:
        """Return (number, element)."""
        return self._with(EnumerateStage(self.stage, check_int("enumerate", "start", start)))

    def window(
        self,
        size: int,
        shift: int | None = None,
        stride: int = 1,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Dataset:
        """Return runs of `size` elements, each as a data set; one begins every `shift` (`size`) elements."""
        count = check_int("window", "size", size, minimum=1)
        step = count if shift is None else check_int("window", "shift", shift, minimum=1)
        stride = check_int("window", "stride", stride, minimum=1)
        return self._with(WindowStage(self.stage, count, step, stride, bool(drop_remainder), Dataset))

    def flat_map(self, map_func: Callable[..., Any], name: str | None = None) -> Dataset:
        """Return the elements of the data sets that the function makes, one after the other."""
        return self._with(InterleaveStage(self.stage, map_func, 1, 1, "flat_map"))

    def interleave(
        self,
        map_func: Callable[..., Any],
        cycle_length: int | None = None,
        block_length: int | None = None,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """Return the elements of the data sets that the function makes, from `cycle_length` (4) in turn."""
        cycle = _CYCLE if cycle_length in (None, -1) else cycle_length
        block = 1 if block_length is None else block_length
        cycle = check_int("interleave", "cycle_length", cycle, minimum=1)
        block = check_int("interleave", "block_length", block, minimum=1)
        return self._with(InterleaveStage(self.stage, map_func, cycle, block, "interleave"))

    def reduce(self, initial_state: Any, reduce_func: Callable[..., Any], name: str | None = None) -> Any:
        """Return the state after `state = reduce_func(state, element)` for each element."""
        state = to_element(initial_state, "reduce")
        for element in self:
            with torch.no_grad():
                state = to_element(reduce_func(state, element), "reduce")
        return state

    def apply(self, transformation_func: Callable[[Dataset], Dataset], name: str | None = None) -> Dataset:
        """Return what the function makes of the data set."""
        return _checked(transformation_func(self), "apply")

    def with_options(self, options: Any, name: str | None = None) -> Dataset:
        """Return the data set itself: tf.data's options are about tf.data's runtime."""
        del options
        return self


def _checked(value: Any, where: str) -> Dataset:
    if not isinstance(value, Dataset):
        raise ArgumentTypeError(message(where, expected="a Dataset", got=f"a {type(value).__name__}"))
    return value


def _seed(where: str, seed: int | None) -> int:
    return draw_seed() if seed is None else check_int(where, "seed", seed, minimum=0)


def _workers(where: str, calls: int | None) -> int:
    if calls is None:
        return 1
    number = check_int(where, "num_parallel_calls", calls, minimum=-1)
    return min(os.cpu_count() or 1, 8) if number == -1 else max(number, 1)


def _dtype_or_none(kind: Any) -> torch.dtype | None:
    if kind in ("string", str, bytes):
        return None
    return torch_dtype(kind)
