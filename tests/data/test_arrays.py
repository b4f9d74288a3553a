"""Arrays, frames and lists as sources: order, lengths, types, weights, validation split."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from keras.src.trainers.data_adapters import data_adapter_utils
from keras.src.trainers.data_adapters.array_slicing import train_validation_split

from neocog.data import ArraySource, as_source, class_weights_to_sample_weights, split_validation
from neocog.data._source import epoch_order
from neocog.exceptions import ArgumentError, ArgumentTypeError, DataError


def rows(source: Any, epoch: int = 0, start: int = 0) -> list[list[int]]:
    return [batch.x.tolist() for batch in source.batches(epoch, start)]


@given(
    count=st.integers(1, 70),
    batch_size=st.integers(1, 20),
    seed=st.integers(0, 2**31),
    epoch=st.integers(0, 50),
    start=st.integers(0, 5),
)
def test_a_shuffled_epoch_is_a_pure_permutation(count, batch_size, seed, epoch, start):
    x = np.arange(count)
    source = as_source(x, x * 2, batch_size=batch_size, seed=seed)
    batches = list(source.batches(epoch))
    assert sorted(v for b in batches for v in b.x.tolist()) == x.tolist()
    assert all(torch.equal(b.y, b.x * 2) and b.size == len(b.x) for b in batches)
    assert len(batches) == source.num_batches == -(-count // batch_size)
    assert [b.size for b in batches[:-1]] == [batch_size] * (len(batches) - 1)
    other = as_source(x, x * 2, batch_size=batch_size, seed=seed)
    assert rows(other, epoch, start) == rows(source, epoch)[start:]


def test_epochs_and_seeds_differ_and_the_global_generator_gives_the_default_seed():
    x = np.arange(100)
    source = as_source(x, seed=1)
    assert rows(source, 0) != rows(source, 1)
    assert rows(source, 0) != rows(as_source(x, seed=2), 0)
    torch.manual_seed(3)
    first = as_source(x)
    torch.manual_seed(3)
    assert rows(first) == rows(as_source(x))


def test_unshuffled_batches_are_views_and_types_stay():
    x = np.arange(10, dtype=np.uint8)
    source = as_source(x, np.zeros(10), batch_size=4, shuffle=False)
    first = next(source.batches(0))
    assert first.x.dtype == torch.uint8
    assert first.y.dtype == torch.float32
    assert first.x.data_ptr() == x.ctypes.data  # no copy was made
    assert rows(source) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert as_source(np.arange(3, dtype=np.int16)).peek().x.dtype == torch.int16
    assert as_source(torch.zeros(3, dtype=torch.float64)).peek().x.dtype == torch.float64
    assert as_source(np.zeros(3, dtype=np.float16)).peek().x.dtype == torch.float32
    assert as_source(np.zeros(3, dtype=bool)).peek().x.dtype == torch.bool
    assert as_source(np.arange(3, dtype=">i4")).peek().x.tolist() is not None
    assert as_source(np.arange(3, dtype=np.uint16)).peek().x.dtype == torch.int64


def test_a_read_only_array_is_shared_but_its_batches_may_be_written(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(6, dtype=np.float32))
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    source = as_source(x, batch_size=3, shuffle=False)
    batch = next(source.batches(0))
    batch.x.add_(1)
    assert x.tolist() == [0, 1, 2, 3, 4, 5]


def test_strided_reversed_and_grad_arrays():
    x = np.arange(12, dtype=np.float32).reshape(6, 2)
    assert rows(as_source(x[::-1, 0], shuffle=False)) == [[10, 8, 6, 4, 2, 0]]
    assert rows(as_source(x.T[1], shuffle=False)) == [[1, 3, 5, 7, 9, 11]]
    assert not as_source(torch.ones(3, requires_grad=True)).peek().x.requires_grad


def test_nested_inputs_keep_their_form():
    class Pair(NamedTuple):
        left: Any
        right: Any

    a, b = np.arange(5), np.arange(5) * 10
    for x in ({"a": a, "b": b}, [a, b], (a, b), Pair(a, b), {"a": a, "b": [b, None]}):
        batch = next(as_source(x, [a, {"c": b}], batch_size=2, shuffle=False).batches(0))
        assert type(batch.x) is type(x)
        assert batch.y[1]["c"].tolist() == [0, 10]
    assert next(as_source({"b": b, "a": a}, shuffle=False).batches(0)).x["b"].tolist() == b.tolist()
    assert list(as_source({"b": b, "a": a}).peek().x) == ["b", "a"]


def test_lists_of_numbers_are_one_array():
    batch = as_source([[0, 1], [1, 0]], [0.0, 1.0], shuffle=False).peek()
    assert batch.x.tolist() == [[0, 1], [1, 0]]
    assert batch.y.dtype == torch.float32


def test_frames_and_series():
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5], "c": [True, False, True]})
    batch = as_source(frame, pd.Series([1, 0, 1]), shuffle=False).peek()
    assert batch.x.tolist() == [[1, 0.5, 1], [2, 1.5, 0], [3, 2.5, 1]]
    assert batch.x.dtype == torch.float32
    assert batch.y.tolist() == [[1], [0], [1]]  # a column, as in Keras
    nullable = pd.DataFrame({"a": pd.array([1, None], dtype="Int64")})
    assert bool(as_source(nullable, shuffle=False).peek().x[1].isnan())
    with pytest.raises(DataError, match="columns of text or objects: 'name'"):
        as_source(pd.DataFrame({"name": ["x", "y"], "v": [1, 2]}))


def test_text_is_an_input_and_stays_numpy():
    sentences = np.array(["a b", "c", "d e f", "g"])
    source = as_source({"text": sentences, "size": np.arange(4)}, np.arange(4), batch_size=3, seed=1)
    for epoch in range(2):
        batches = source.to("cpu").batches(epoch)
        rows = [row for batch in batches for row in zip(*_columns(batch), strict=True)]
        assert sorted(rows) == [("a b", 0, 0), ("c", 1, 1), ("d e f", 2, 2), ("g", 3, 3)]
    (x, _, _), (x_val, y_val, _) = split_validation(list(sentences), np.arange(4), None, 0.25)
    assert x.tolist() == ["a b", "c", "d e f"]
    assert x_val.tolist() == ["g"]
    assert y_val.tolist() == [3]
    assert as_source([b"x", b"y"], shuffle=False).peek().x.tolist() == ["x", "y"]
    assert as_source(pd.Series(["x", "y"]), shuffle=False).peek().x.tolist() == [["x"], ["y"]]
    with pytest.raises(DataError, match="y: expected numbers, got an array of text"):
        as_source(sentences, sentences)


def test_text_comes_from_loaders_and_generators():
    rows = [("a", 0), ("b", 1), ("c", 0)]
    batch = as_source(torch.utils.data.DataLoader(rows, batch_size=2)).peek()
    assert (batch.x.tolist(), batch.y.tolist()) == (["a", "b"], [0, 1])
    batch = as_source(torch.utils.data.DataLoader(["a", "b", "c"], batch_size=3)).peek()
    assert (batch.x.tolist(), batch.y) == (["a", "b", "c"], None)
    batch = as_source(iter([(np.array(["a"], dtype=object), np.ones(1))])).peek()
    assert batch.x.tolist() == ["a"]


def _columns(batch):
    return batch.x["text"].tolist(), batch.x["size"].tolist(), batch.y.tolist()


def test_differing_lengths_are_named():
    with pytest.raises(DataError, match="x has 100 samples, y 90"):
        as_source(np.zeros(100), np.zeros(90))
    with pytest.raises(DataError, match=r"x\['a'\] has 4 samples, x\['b'\]\[0\] 3"):
        as_source({"a": np.zeros(4), "b": [np.zeros(3)]})
    with pytest.raises(DataError, match="sample_weight 2"):
        as_source(np.zeros(3), np.zeros(3), np.zeros(2))


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (np.zeros((0, 3)), "at least one sample"),
        ([], "at least one sample"),
        (np.array("one sentence"), "an array of strings"),
        (np.array(["a", None], dtype=object), "strings, got None"),
        (np.array([object(), None]), "array of objects"),
        ([[1, 2], [3]], "lists of different lengths"),
        (np.float32(3), "a single number"),
        (torch.tensor(1.0), "a single number"),
        (torch.eye(2).to_sparse(), "sparse tensor"),
        (np.array([1j]), "complex"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "dates"),
        ("photos", "Read the file or folder first"),
        (7, "of type int"),
        (None, "of type NoneType"),
        (object(), "of type object"),
        ({1, 2}, "of type set"),
        (ArraySource, "the class ArraySource itself"),
        ([object()], "a list that holds a object"),
        ({"a": object()}, "a dict that holds a object"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(x, text):
    with pytest.raises(DataError, match=text):
        as_source(x).peek()


def test_bad_batch_size_and_drop_last():
    for wrong in (0, -1):
        with pytest.raises(ArgumentError, match="batch_size"):
            as_source(np.zeros(3), batch_size=wrong)
    with pytest.raises(ArgumentTypeError, match="batch_size"):
        as_source(np.zeros(3), batch_size="many")
    assert [b.size for b in as_source(np.zeros(5), batch_size=2, drop_last=True).batches(0)] == [2, 2]
    with pytest.raises(DataError, match="drop_last"):
        as_source(np.zeros(1), batch_size=2, drop_last=True)


@given(count=st.integers(2, 60), fraction=st.floats(0.01, 0.99))
def test_validation_split_is_keras(count, fraction):
    x, y = np.arange(count, dtype=np.float32), np.arange(count)
    try:
        (kx, _, _), (kvx, _, _) = train_validation_split((x, y, None), fraction)
    except ValueError:
        with pytest.raises(DataError, match="each side"):
            split_validation(x, y, None, fraction)
        return
    (tx, ty, tw), (vx, vy, vw) = split_validation(x, y, None, fraction)
    assert tx.tolist() == kx[:].tolist()
    assert vx.tolist() == kvx[:].tolist()
    assert ty.tolist() + vy.tolist() == y.tolist()
    assert tw is None
    assert vw is None


def test_validation_split_keeps_form_and_refuses_streams():
    a, b = np.arange(10), np.arange(10) * 2
    (train, _, weight), (val, _, _) = split_validation({"a": a, "b": [b]}, None, a, 0.2)
    assert len(train["a"]) == 8
    assert val["b"][0].tolist() == [16, 18]
    assert len(weight) == 8
    with pytest.raises(DataError, match="Pass validation_data="):
        split_validation((i for i in range(3)), None, None, 0.2)
    for wrong in (0, 1, 1.5, -0.1):
        with pytest.raises(ArgumentError):
            split_validation(a, b, None, wrong)


@pytest.mark.parametrize("form", ["int", "column", "one_hot", "float"])
def test_class_weights_are_keras(form):
    labels = np.random.RandomState(0).randint(0, 3, 40)
    y = {"int": labels, "column": labels[:, None], "one_hot": np.eye(3)[labels], "float": labels * 1.0}[form]
    weights = {0: 0.5, 1: 2.0, 2: 3.0, 9: 7.0}
    oracle = data_adapter_utils.class_weight_to_sample_weights(y, weights)
    ours = class_weights_to_sample_weights(torch.as_tensor(y), weights)
    assert np.array_equal(ours.numpy(), oracle)
    source = as_source(np.zeros((40, 1)), y, class_weight=weights, shuffle=False, batch_size=40)
    assert np.array_equal(source.peek().sample_weight.numpy(), oracle)


def test_class_weight_errors():
    x, y = np.zeros(4), np.array([0, 1, 2, 2])
    with pytest.raises(DataError, match="none for class 2"):
        as_source(x, y, class_weight={0: 1.0, 1: 1.0})
    with pytest.raises(DataError, match="no y"):
        as_source(x, class_weight={0: 1.0})
    with pytest.raises(DataError, match="several outputs"):
        as_source(x, [y, y], class_weight={0: 1.0})
    with pytest.raises(DataError, match=r"y of shape \(4, 2, 2\)"):
        as_source(x, np.zeros((4, 2, 2)), class_weight={0: 1.0})
    with pytest.raises(ArgumentError, match="both"):
        as_source(x, y, np.ones(4), class_weight={0: 1.0, 1: 1.0, 2: 1.0})
    with pytest.raises(ArgumentTypeError, match="class_weight"):
        as_source(x, y, class_weight=[1, 2, 3])
    with pytest.raises(ArgumentError, match="0 or more"):
        as_source(x, y, class_weight={0: -1.0})


def test_to_moves_only_what_fits(monkeypatch):
    source = as_source(np.arange(8), batch_size=3, seed=1)
    assert source.to("cpu") is source
    monkeypatch.setattr("neocog.data._arrays.free_memory", lambda device: 10**9)
    moved = source.to("meta")
    assert moved is not source
    assert moved.arrays()[0].device.type == "meta"
    assert source.arrays()[0].device.type == "cpu"
    monkeypatch.setattr("neocog.data._arrays.free_memory", lambda device: 10)
    assert source.to("meta") is source


def test_peek_is_the_first_batch_and_arrays_come_back():
    source = as_source(np.arange(50), seed=5, batch_size=8)
    assert torch.equal(source.peek().x, next(source.batches(0)).x)
    assert source.arrays()[0].tolist() == list(range(50))
    assert source.arrays()[1] is None


def test_a_start_in_the_middle_gives_the_same_batches_from_the_same_memory() -> None:
    x, y = np.arange(16 * 200, dtype="float32").reshape(-1, 16), np.arange(200)
    whole = list(ArraySource(x, y, batch_size=8, seed=3).batches(0))
    single = list(ArraySource(x[:, :3], y, batch_size=8, seed=3).batches(0))  # rows that are not aligned
    assert len(whole) == 25
    order = epoch_order(200, 3, 0)
    for number, (batch, other) in enumerate(zip(whole, single, strict=True)):
        rows = order[number * 8 : number * 8 + 8]
        assert torch.equal(batch.y, rows)
        assert torch.equal(batch.x, torch.from_numpy(x)[rows])
        assert torch.equal(other.x, batch.x[:, :3])
    assert whole[1].x.storage_offset() != 0 == single[1].x.storage_offset()
    for start in (1, 7, 16, 24):
        rest = list(ArraySource(x, y, batch_size=8, seed=3).batches(0, start))
        assert len(rest) == 25 - start
        for batch, before in zip(rest, whole[start:], strict=True):
            assert torch.equal(batch.x, before.x)
            assert batch.x.storage_offset() == before.x.storage_offset()
