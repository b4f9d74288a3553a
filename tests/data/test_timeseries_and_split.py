"""Windows of a series by their definition, splits by Keras's sizes, and packing as in Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from keras.src.utils.dataset_utils import _rescale_dataset_split_sizes as keras_sizes
from torch.utils.data import TensorDataset

from neocog import utils
from neocog.data import Dataset
from neocog.data._split_dataset import split_sizes
from neocog.exceptions import ArgumentError, ArgumentTypeError, DataError


@given(
    steps=st.integers(8, 40),
    length=st.integers(1, 4),
    stride=st.integers(1, 3),
    rate=st.integers(1, 2),
    first=st.integers(0, 2),
    cut=st.integers(0, 2),
    with_targets=st.booleans(),
)
def test_windows_are_what_they_are_defined_as(steps, length, stride, rate, first, cut, with_targets):
    data = np.arange(steps * 2, dtype=np.float32).reshape(steps, 2)
    targets = np.arange(steps) * 10 if with_targets else None
    end = steps - cut if cut else None
    found = utils.timeseries_dataset_from_array(
        data, targets, length, stride, rate, batch_size=3, start_index=first, end_index=end
    )
    last = steps if end is None else end
    starts = range(first, last - (length - 1) * rate, stride)
    expected = [data[s : s + length * rate : rate] for s in starts]
    windows = [w for batch in found for w in (batch[0] if with_targets else batch)]
    assert len(windows) == len(expected)
    assert len(found) == -(-len(expected) // 3)
    for window, right in zip(windows, expected, strict=True):
        np.testing.assert_array_equal(window, right)
    if with_targets:
        assert [int(t) for _, ts in found for t in ts] == [s * 10 for s in starts]


def test_mixed_windows_keep_their_targets():
    series = np.arange(30.0)
    data = utils.timeseries_dataset_from_array(series[:-3], series[3:], 3, batch_size=4, shuffle=True, seed=1)
    order = [float(y) for _, ys in data for y in ys]
    assert sorted(order) == [float(v) for v in range(3, 28)]
    assert order != sorted(order)
    assert all(torch.equal(x[:, -1] + 1, y) for x, y in data)
    assert order != [float(y) for _, ys in data for y in ys]
    assert utils.timeseries_dataset_from_array(series, None, 3, batch_size=None).element_spec.shape == (3,)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"sampling_rate": 0}, "sampling_rate"),
        ({"sequence_stride": 10}, "sequence_stride"),
        ({"start_index": 10}, "start_index"),
        ({"end_index": 10}, "end_index"),
        ({"start_index": 5, "end_index": 4}, "end_index"),
        ({"format": "numpy"}, "format"),
    ],
)
def test_windows_that_do_not_fit_are_refused(arguments, text):
    with pytest.raises((ArgumentError, DataError), match=text):
        utils.timeseries_dataset_from_array(np.zeros(10), None, 3, **arguments)
    with pytest.raises(DataError, match="at least one window"):
        utils.timeseries_dataset_from_array(np.zeros(10), None, 11)


@given(
    left=st.one_of(st.none(), st.integers(-1, 12), st.floats(-0.2, 1.2)),
    right=st.one_of(st.none(), st.integers(-1, 12), st.floats(-0.2, 1.2)),
    total=st.integers(2, 10),
)
def test_split_sizes_are_those_of_keras(left, right, total):
    if left is None and right is None:
        return
    try:
        expected = keras_sizes(left, right, total)
    except (ValueError, TypeError):
        with pytest.raises((ArgumentError, ArgumentTypeError)):
            split_sizes(left, right, total)
    else:
        assert split_sizes(left, right, total) == tuple(int(size) for size in expected)


def test_split_of_arrays_mixes_as_keras():
    x, y = np.arange(20).reshape(10, 2), np.arange(10)
    left, right = utils.split_dataset((x, y), left_size=0.7, shuffle=True, seed=5)
    theirs = keras.utils.split_dataset((x, y), left_size=0.7, shuffle=True, seed=5)
    assert [int(b) for _, b in left] == [int(b) for _, b in theirs[0]]
    assert [int(b) for _, b in right] == [int(b) for _, b in theirs[1]]
    assert len(left) == 7
    assert left.element_spec[0].shape == (2,)


def test_split_of_data_sets():
    batched = Dataset.from_tensor_slices((torch.arange(10), torch.arange(10))).batch(4)
    left, right = utils.split_dataset(batched, left_size=6)
    assert [x.tolist() for x, _ in left] == [[0, 1, 2, 3], [4, 5]]
    assert [x.tolist() for x, _ in right] == [[6, 7, 8, 9]]
    left, right = utils.split_dataset(TensorDataset(torch.arange(10)), right_size=0.3)
    assert len(left) == 7
    assert [int(x) for (x,) in right] == [7, 8, 9]
    with pytest.raises(DataError, match="endless"):
        utils.split_dataset(batched.repeat(), left_size=0.5)
    with pytest.raises(ArgumentTypeError, match="arrays"):
        utils.split_dataset(3, left_size=0.5)


def test_packing_is_that_of_keras():
    for parts in [(1,), ([1, 2],), (1, 2), (1, 2, 3), (1, None, 3)]:
        assert utils.pack_x_y_sample_weight(*parts) == keras.utils.pack_x_y_sample_weight(*parts)
    for data in [1, (1,), (1, 2), [1, 2], (1, 2, 3)]:
        assert utils.unpack_x_y_sample_weight(data) == keras.utils.unpack_x_y_sample_weight(data)
    with pytest.raises(DataError, match="4 parts"):
        utils.unpack_x_y_sample_weight((1, 2, 3, 4))
    with pytest.raises(ArgumentError, match="soundfile"):
        utils.audio_dataset_from_directory("folder")
