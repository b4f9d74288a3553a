"""What `predict` returns: rows of all batches, whatever their form, in one piece of memory."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import torch

import neocog as keras
from neocog.training._gathered import _FROM_HEAP, Gathered


def _gathered(parts: list[np.ndarray], rows: int | None) -> np.ndarray:
    gathered = Gathered(rows)
    for part in parts:
        gathered.add(part)
    result = gathered.result()
    assert isinstance(result, np.ndarray)
    return result


@pytest.mark.parametrize("rows", [None, 1, 5, 7, 9, 100])
@pytest.mark.parametrize("sizes", [(7,), (3, 3, 1), (2, 5), (3, 0, 4)])
@pytest.mark.parametrize("width", [1, _FROM_HEAP // 8])
def test_the_rows_are_the_batches_one_after_the_other(rows, sizes, width):
    random = np.random.default_rng(0)
    parts = [random.random((size, width), dtype=np.float32) for size in sizes]
    result = _gathered(parts, rows)
    np.testing.assert_array_equal(result, np.concatenate(parts))
    result += 1  # it belongs to the caller


def test_the_arrays_of_a_batch_may_be_overwritten_afterwards():
    part, gathered = np.zeros((2, 3), np.float32), Gathered(4)
    gathered.add(part)
    part[:] = 7
    gathered.add(part)
    np.testing.assert_array_equal(gathered.result()[:, 0], [0, 0, 7, 7])


def test_batches_of_another_type_follow_numpy():
    result = _gathered([np.zeros((2, 1), np.float32), np.ones((2, 1), np.float64)], 4)
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result[:, 0], [0, 0, 1, 1])


def test_rows_of_another_shape_are_an_error_as_in_numpy():
    with pytest.raises(ValueError, match="dimension"):
        _gathered([np.zeros((2, 1)), np.zeros((2, 3))], 4)


def test_texts_are_put_together():
    assert _gathered([np.array(["a"]), np.array(["longer"])], 2).tolist() == ["a", "longer"]


def test_nested_outputs_keep_their_form_and_order():
    gathered = Gathered(3)
    for start, size in ((0, 2), (2, 1)):
        rows = np.arange(start, start + size)
        gathered.add({"b": [rows, rows + 10], "a": (rows + 20,)})
    result = gathered.result()
    assert list(result) == ["b", "a"]
    assert [part.tolist() for part in (*result["b"], *result["a"])] == [[0, 1, 2], [10, 11, 12], [20, 21, 22]]


def test_predict_holds_no_outputs_among_the_tensors_of_the_next_batch():
    model = keras.Sequential([keras.Input((64, 64, 3)), keras.layers.Conv2D(16, 3), keras.layers.Flatten()])
    x = np.random.default_rng(0).random((12, 64, 64, 3), dtype=np.float32)
    held: list[int] = []

    class Watch(keras.callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            tensors = [each for each in gc.get_objects() if type(each) is torch.Tensor]
            held.append(sum(tensor.numel() == 4 * 62 * 62 * 16 for tensor in tensors))

    found = model.predict(x, batch_size=4, verbose=0, callbacks=[Watch()])
    assert held == [0, 0, 0]
    np.testing.assert_allclose(found, model(torch.from_numpy(x)).detach().numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_predict_of_some_steps_gives_their_rows(steps):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    x = np.random.default_rng(0).random((10, 2), dtype=np.float32)
    found = model.predict(x, batch_size=4, steps=steps, verbose=0)
    assert found.shape == (min(4 * steps, 10), 1)
    np.testing.assert_allclose(found, model(x[: 4 * steps]).detach().numpy(), rtol=1e-6)


def test_a_model_with_fewer_rows_of_outputs_than_samples():
    class Means(keras.Model):
        def call(self, inputs):
            return inputs.mean(dim=0, keepdim=True)

    found = Means().predict(np.arange(12.0, dtype=np.float32).reshape(6, 2), batch_size=2, verbose=0)
    np.testing.assert_allclose(found, [[1, 2], [5, 6], [9, 10]])
