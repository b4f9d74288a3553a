"""Convolutional LSTM against real Keras: outputs, gradients, weights, states, shapes, masks."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from parity import assert_close, assert_same_as_keras

from neocog import layers
from neocog.exceptions import ArgumentError, ShapeError

RNG = np.random.default_rng(3)
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras's own, under NumPy 2

SAME = {"padding": "same"}


def values(*shape: int) -> Any:
    return RNG.normal(size=shape).astype("float32")


CASES: list[tuple[int, dict[str, Any], tuple[int, ...]]] = [
    (1, {}, (2, 4, 7, 3)),
    (1, {**SAME, "strides": 2, "return_sequences": True}, (2, 3, 7, 2)),
    (1, {"dilation_rate": 2, "use_bias": False, "data_format": "channels_first"}, (2, 3, 2, 9)),
    (2, {}, (2, 3, 6, 5, 2)),
    (2, {**SAME, "strides": (2, 1), "return_state": True, "activation": "relu"}, (2, 3, 6, 5, 2)),
    (2, {"padding": "same", "data_format": "channels_first", "return_sequences": True}, (2, 3, 2, 6, 5)),
    (
        2,
        {"go_backwards": True, "recurrent_activation": "hard_sigmoid", "kernel_size": (2, 3)},
        (2, 4, 5, 6, 1),
    ),
    (2, {**SAME, "unit_forget_bias": False, "kernel_size": 2, "dilation_rate": (1, 2)}, (1, 2, 5, 5, 2)),
    (3, {**SAME, "return_sequences": True, "return_state": True}, (2, 2, 4, 3, 5, 2)),
    (3, {"kernel_size": 2, "strides": 2, "data_format": "channels_first"}, (1, 3, 2, 4, 5, 4)),
]


def both(rank: int, arguments: dict[str, Any]) -> tuple[Any, Any]:
    name, given = f"ConvLSTM{rank}D", {"filters": 3, "kernel_size": 3, **arguments}
    return getattr(layers, name)(**given), getattr(keras.layers, name)(**given)


def arrays(theirs: Any) -> list[Any]:
    return [weight.value.detach().numpy() for weight in theirs.weights]


@pytest.mark.parametrize(("rank", "arguments", "shape"), CASES, ids=str)
def test_same_as_keras(rank: int, arguments: Any, shape: Any) -> None:
    assert_same_as_keras(*both(rank, arguments), values(*shape), rtol=2e-5, shapes=False)


@pytest.mark.parametrize(("rank", "arguments", "shape"), CASES, ids=str)
def test_shapes(rank: int, arguments: Any, shape: Any) -> None:
    ours, theirs = both(rank, arguments)

    def listed(found: Any) -> list[Any]:
        return [tuple(one) for one in found] if isinstance(found[0], (tuple, list)) else [tuple(found)]

    for partial in (shape, (None, *shape[1:]), (None, None, *shape[2:])):
        assert listed(ours.compute_output_shape(partial)) == listed(theirs.compute_output_shape(partial))
    outputs = ours(layers.Input(shape[1:]))
    outputs = outputs if isinstance(outputs, list) else [outputs]
    assert [one.shape for one in outputs] == listed(ours.compute_output_shape((None, *shape[1:])))


def test_first_weights() -> None:
    ours, theirs = both(2, {})
    for layer in (ours, theirs):
        layer.build((None, 3, 6, 6, 2))
    assert [view.path.split("/")[-1] for view in ours.weights] == ["kernel", "recurrent_kernel", "bias"]
    np.testing.assert_array_equal(ours.get_weights()[2], arrays(theirs)[2])  # the open forget gate
    assert (ours.filters, ours.kernel_size, ours.strides) == (3, (3, 3), (1, 1))


@pytest.mark.parametrize("sequences", [False, True])
def test_masked_steps(sequences: bool) -> None:
    ours, theirs = both(2, {"return_sequences": sequences, "padding": "same"})
    x, mask = values(3, 4, 5, 5, 2), np.array([[1, 1, 0, 1], [0, 0, 1, 1], [1, 0, 0, 0]], bool)
    want = theirs(x, mask=mask)
    ours.build(x.shape)
    ours.set_weights(arrays(theirs))
    assert_close("masked", ours(x, mask=mask), want, 2e-5)


def test_states_are_given_and_kept() -> None:
    ours, theirs = both(2, {"return_state": True, **SAME})
    x, states = values(2, 3, 5, 5, 2), [values(2, 5, 5, 3), values(2, 5, 5, 3)]
    want = theirs(x, initial_state=[torch.from_numpy(state) for state in states])
    ours.build(x.shape)
    ours.set_weights(arrays(theirs))
    for got, one in zip(ours(x, initial_state=states), want, strict=True):
        assert_close("state", got, one, 2e-5)
    keeping = layers.ConvLSTM2D(3, 3, padding="same", stateful=True)
    keeping.build(x.shape)
    keeping.set_weights(ours.get_weights())
    whole = ours(x)[0]
    keeping(x[:, :1])
    assert_close("in two parts", keeping(x[:, 1:]), whole)
    keeping.reset_state()
    assert_close("anew", keeping(x), whole)


@given(
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 2),
    st.sampled_from(["valid", "same"]),
    st.integers(4, 8),
    st.booleans(),
)
def test_drawn(filters: int, kernel: int, stride: int, padding: str, size: int, first: bool) -> None:
    arguments = {"filters": filters, "kernel_size": kernel, "strides": stride, "padding": padding}
    arguments["data_format"] = "channels_first" if first else "channels_last"
    shape = (2, 2, 2, size, size - 1) if first else (2, 2, size, size - 1, 2)
    ours, theirs = both(2, arguments)
    x = values(*shape)
    want = theirs(x)
    ours.build(shape)
    ours.set_weights(arrays(theirs))
    assert_close("output", ours(x), want, 2e-5)


def test_dropout_drops_alike_at_all_steps_and_each_gate_on_its_own() -> None:
    layer = layers.ConvLSTM2D(2, 1, dropout=0.5, seed=1, return_sequences=True, use_bias=False)
    x = torch.ones(1, 3, 4, 4, 1)
    layer.build(x.shape)
    given, _ = layer.cell.drops(x[:, 0], torch.zeros(1, 4, 4, 2))
    assert len(given) == 4
    assert not torch.equal(given[0], given[1])
    assert set(given[0].unique().tolist()) == {0.0, 2.0}
    by_step = layer.cell.project(x, [mask.unsqueeze(1) for mask in given])
    for step in range(3):
        assert_close("step", by_step[:, step], layer.cell.project(x[:, step], given))
    dropping = layers.ConvLSTM2D(2, 3, dropout=0.3, recurrent_dropout=0.4, seed=1, padding="same")
    first = dropping(values(2, 3, 4, 4, 1), training=True)
    assert torch.isfinite(first).all()


def test_bad_arguments() -> None:
    with pytest.raises(ArgumentError, match="dilation_rate"):
        layers.ConvLSTM2D(2, 3, strides=2, dilation_rate=2)
    with pytest.raises(ShapeError, match="spatial sizes"):
        layers.ConvLSTM2D(2, 3)(layers.Input((3, None, 5, 1)))
    with pytest.raises(ShapeError, match="at least 3"):
        layers.ConvLSTM2D(2, 3)(values(1, 2, 2, 5, 1))
