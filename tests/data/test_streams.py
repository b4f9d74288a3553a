"""Loaders, torch datasets, PyDatasets and generators as sources; prefetching."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from neocog.data import Batch, MappedSource, PyDataset, Sequence, as_batch, as_source, ordered_map, prefetch
from neocog.exceptions import ArgumentError, DataError


def xs(source: Any, epoch: int = 0, start: int = 0) -> list[Any]:
    return [batch.x.tolist() for batch in source.batches(epoch, start)]


class Squares(Dataset):
    def __init__(self, count: int = 7) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        return {"v": np.full(2, index, dtype=np.float64)}, index**2


class Counted(PyDataset):
    def __init__(self, count: int = 5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = count
        self.ended: list[str] = []

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        return np.full((2, 1), index), np.full((2,), index)


class Hooked(Counted):
    def on_epoch_begin(self) -> None:
        self.ended.append("begin")

    def on_epoch_end(self) -> None:
        self.ended.append("end")


class Stream(IterableDataset):
    def __iter__(self) -> Any:
        return iter([(torch.tensor([i]), i) for i in range(5)])


def pairs(count: int = 3) -> Any:
    for i in range(count):
        yield np.full((2, 1), float(i)), np.array([i, i])


def test_data_loaders():
    data = TensorDataset(torch.arange(7), torch.arange(7) * 2)
    ordered = as_source(DataLoader(data, batch_size=3))
    assert (ordered.num_batches, ordered.num_samples, ordered.rewindable) == (3, 7, True)
    assert xs(ordered) == [[0, 1, 2], [3, 4, 5], [6]]
    assert xs(ordered, 0, 2) == [[6]]
    assert torch.equal(ordered.peek().y, torch.tensor([0, 2, 4]))
    shuffled = as_source(DataLoader(data, batch_size=3, shuffle=True))
    assert not shuffled.rewindable
    assert sorted(v for part in xs(shuffled) for v in part) == list(range(7))
    with pytest.raises(DataError, match="at least one batch"):
        as_source(DataLoader(TensorDataset(torch.zeros(0))))


def test_torch_datasets():
    source = as_source(Squares(), batch_size=3, seed=4)
    batches = list(source.batches(1))
    assert source.rewindable
    assert source.num_samples == 7
    assert [b.size for b in batches] == [3, 3, 1]
    assert batches[0].x["v"].dtype == torch.float32
    assert batches[0].y.dtype == torch.int64
    assert all(torch.equal(b.x["v"][:, 0] ** 2, b.y.float()) for b in batches)
    again = [b.y.tolist() for b in as_source(Squares(), batch_size=3, seed=4).batches(1, 1)]
    assert again == [b.y.tolist() for b in batches[1:]]
    tensors = as_source(TensorDataset(torch.arange(4), torch.arange(4)), batch_size=2, shuffle=False)
    assert xs(tensors) == [[0, 1], [2, 3]]
    assert xs(as_source(Stream(), batch_size=2)) == [[[0], [1]], [[2], [3]], [[4]]]
    with pytest.raises(DataError, match="at least one batch"):
        as_source(Squares(0))


def test_samples_that_do_not_stack_are_named():
    class Odd(Squares):
        def __getitem__(self, index: int) -> Any:
            return np.zeros(index + 1)

    class Objects(Squares):
        def __getitem__(self, index: int) -> Any:
            return object(), 1

    with pytest.raises(DataError, match=r"samples of one shape, got \(1,\) and \(2,\)"):
        as_source(Odd(2), shuffle=False).peek()
    with pytest.raises(DataError, match=r"Objects\[0\].*got a object"):
        as_source(Objects(2)).peek()


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_py_datasets(workers):
    data = Counted(6, workers=workers, use_multiprocessing=workers == 3, max_queue_size=2)
    source = as_source(data, shuffle=False)
    assert [x[0][0] for x in xs(source)] == [0, 1, 2, 3, 4, 5]
    assert source.rewindable
    shuffled = as_source(data, seed=3)
    order = [x[0][0] for x in xs(shuffled, 2)]
    assert sorted(order) == list(range(6))
    assert order != list(range(6))
    assert [x[0][0] for x in xs(as_source(data, seed=3), 2, 4)] == order[4:]
    assert Sequence is PyDataset
    assert [b[1][0] for b in data] == list(range(6))


def test_py_dataset_hooks_run_once_an_epoch_even_when_left_early():
    data = Hooked(3)
    source = as_source(data)
    assert not source.rewindable
    assert source.peek().size == 2
    assert data.ended == []
    list(source.batches(0))
    assert data.ended == ["begin", "end"]
    left = source.batches(1)
    next(left)
    left.close()
    assert data.ended == ["begin", "end"] * 2


def test_py_datasets_of_another_library_endless_and_empty():
    class Foreign:
        def __len__(self) -> int:
            return 2

        def __getitem__(self, index: int) -> Any:
            return np.zeros((1, 1))

        def on_epoch_end(self) -> None:
            pass

    class Endless(Counted):
        @property
        def num_batches(self) -> None:
            return None

    class Broken(Counted):
        def __getitem__(self, index: int) -> Any:
            raise RuntimeError("reading failed")

    assert len(xs(as_source(Foreign()))) == 2
    endless = as_source(Endless()).batches(0)
    assert [next(endless).x[0, 0].item() for _ in range(8)] == list(range(8))
    with pytest.raises(DataError, match="length of 0"):
        as_source(Counted(0))
    for workers in (1, 2):
        with pytest.raises(RuntimeError, match="reading failed"):
            list(as_source(Broken(workers=workers)).batches(0))


def test_generators_are_read_once_and_go_on():
    source = as_source(pairs(5))
    assert not source.rewindable
    assert source.num_batches is None
    assert source.peek().x[0, 0] == 0
    assert source.peek().x.dtype == torch.float32
    first = source.batches(0)
    assert [next(first).y[0].item() for _ in range(2)] == [0, 1]
    first.close()
    assert [b.y[0].item() for b in source.batches(1)] == [2, 3, 4]
    assert source.peek() is None
    with pytest.raises(DataError, match="cannot be rewound"):
        source.batches(0, 1)


def test_generator_functions_and_iterables_start_afresh():
    for start in (pairs, partial(pairs, 3), lambda: pairs(3)):
        source = as_source(start)
        assert [b.y[0].item() for b in source.batches(0)] == [0, 1, 2]
        assert [b.y[0].item() for b in source.batches(1, 1)] == [1, 2]

    class Loader:
        def __iter__(self) -> Any:
            return pairs(2)

        def __len__(self) -> int:
            return 2

    source = as_source(Loader())
    assert source.num_batches == 2
    assert len(xs(source)) == len(xs(source)) == 2
    with pytest.raises(DataError, match="expected an iterator of batches, got a int"):
        as_source(lambda: 3).peek()


def test_forms_of_a_batch():
    x = np.zeros((2, 3))
    assert as_batch(x, "here").size == 2
    assert as_batch((x,), "here").y is None
    assert as_batch([x, np.zeros(2)], "here").y.shape == (2,)
    assert as_batch({"a": x}, "here").x["a"].shape == (2, 3)
    assert as_batch(([x, x], [1, 2], None), "here").sample_weight is None
    ready = Batch(torch.zeros(1), size=1)
    assert as_batch(ready, "here") is ready
    for wrong, text in [
        ((x, x, x, x), "tuple of 4 items"),
        ("ab", "got .str"),
        ((x, np.zeros(3)), "expected 2 samples in y"),
        ((None, x), "NoneType"),
        ((["a"], x), "expected 1 samples in y"),
        ((x, ["a", "b"]), "text"),
    ]:
        with pytest.raises(DataError, match=text):
            as_batch(wrong, "here")


def test_batched_data_take_no_batch_size_or_targets():
    loader = DataLoader(TensorDataset(torch.arange(4)))
    for data in (loader, pairs(), Counted(), pairs):
        with pytest.raises(ArgumentError, match="gives batches already"):
            as_source(data, batch_size=8)
    for data in (loader, pairs(), Counted()):
        with pytest.raises(ArgumentError, match="a separate y"):
            as_source(data, np.zeros(4))
    source = as_source(loader)
    assert as_source(source) is source


def test_class_weights_on_streams_and_mapped_sources():
    weighted = as_source(pairs(2), class_weight={0: 1.0, 1: 4.0})
    assert [b.sample_weight.tolist() for b in weighted.batches(0)] == [[1, 1], [4, 4]]
    with pytest.raises(ArgumentError, match="both"):
        as_source(iter([(np.zeros(1), np.zeros(1), np.ones(1))]), class_weight={0: 1.0}).peek()
    base = as_source(np.arange(4), batch_size=2, shuffle=False)
    mapped = MappedSource(base, lambda b: Batch(b.x + 1, size=b.size))
    assert xs(mapped) == [[1, 2], [3, 4]]
    assert mapped.rewindable
    assert mapped.to("cpu") is mapped
    assert mapped.peek().x.tolist() == [1, 2]


def running() -> int:
    return sum(t.name.startswith("neocog") for t in threading.enumerate())


def test_prefetch_gives_the_same_and_ends():
    before = running()
    assert list(prefetch(iter(range(50)), 3)) == list(range(50))
    items = prefetch(iter(range(10**9)), 2)
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    items.close()
    assert running() == before
    prefetch(range(3))  # never started
    assert running() == before


def test_prefetch_is_bounded_and_closes_what_it_reads():
    made: list[int] = []
    closed = threading.Event()

    def source() -> Any:
        try:
            for i in range(100):
                made.append(i)
                yield i
        finally:
            closed.set()

    items = prefetch(source(), 2)
    next(items)
    items.close()
    assert closed.is_set()
    assert len(made) <= 5


@pytest.mark.parametrize("error", [ValueError("bad row"), KeyboardInterrupt()])
def test_prefetch_hands_errors_on(error):
    def source() -> Any:
        yield 1
        raise error

    before = running()
    items = prefetch(source())
    assert next(items) == 1
    with pytest.raises(type(error)):
        next(items)
    assert running() == before


def test_prefetch_ends_when_the_consumer_is_interrupted():
    before = running()

    def consume() -> None:
        for item in prefetch(iter(range(1000))):
            if item == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        consume()
    assert running() == before


def test_ordered_map_keeps_order_and_cancels():
    before = running()
    assert list(ordered_map(lambda v: v * 2, range(20), workers=3, depth=5)) == [v * 2 for v in range(20)]
    done: list[int] = []
    items = ordered_map(done.append, range(1000), workers=2, depth=4)
    next(items)
    items.close()
    assert len(done) < 20
    assert running() == before
