"""Recurrent layers, wrappers and masks against real Keras, on drawn configurations."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import keras
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import assert_close, assert_same_as_keras, weight_gradient

import neocog
from neocog import layers

RNG = np.random.default_rng(11)
KINDS = ("SimpleRNN", "LSTM", "GRU")


def x(*shape: int) -> Any:
    return RNG.normal(size=shape).astype("float32")


def same_again(layer: Any) -> bool:
    """Whether a configuration makes a layer with the same one; only layers that are built say on what."""

    def plain(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: plain(value) for key, value in tree.items() if key != "build_config"}
        return [plain(item) for item in tree] if isinstance(tree, (list, tuple)) else tree

    again = layers.deserialize(json.loads(json.dumps(layers.serialize(layer))))
    return type(again) is type(layer) and plain(again.get_config()) == plain(layer.get_config())


def ragged(batch: int, steps: int, seed: int) -> Any:
    """A mask with gaps, with padding in front, and with a sample that has no step at all."""
    mask = np.random.default_rng(seed).random((batch, steps)) < 0.6
    mask[0] = np.arange(steps) < steps // 2
    mask[-1] = False
    return mask


@pytest.mark.parametrize("name", [*KINDS, *(f"{kind}Cell" for kind in KINDS), "RNN", "Bidirectional"])
def test_arguments_are_those_of_keras(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(module, name)).parameters for module in (layers, keras.layers))
    assert list(ours) == list(theirs)
    for key, parameter in theirs.items():
        assert ours[key].default == parameter.default


settings_of_any = st.fixed_dictionaries(
    {
        "units": st.integers(1, 4),
        "activation": st.sampled_from(["tanh", "relu", "sigmoid", None]),
        "use_bias": st.booleans(),
        "return_sequences": st.booleans(),
        "return_state": st.booleans(),
        "go_backwards": st.booleans(),
    },
    optional={
        "kernel_regularizer": st.just("l2"),
        "recurrent_constraint": st.just("max_norm"),
        "bias_initializer": st.just("ones"),
        "unroll": st.just(True),
        "zero_output_for_mask": st.booleans(),
    },
)


def arguments_of(kind: str, drawn: dict[str, Any], data: Any) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    if kind != "SimpleRNN" and data.draw(st.booleans()):
        extra["recurrent_activation"] = data.draw(st.sampled_from(["sigmoid", "hard_sigmoid"]))
    if kind == "LSTM":
        extra["unit_forget_bias"] = data.draw(st.booleans())
    if kind == "GRU":
        extra["reset_after"] = data.draw(st.booleans())
    return {**drawn, **extra}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10)
@given(drawn=settings_of_any, data=st.data())
def test_layer_is_that_of_keras(kind: str, drawn: dict[str, Any], data: Any) -> None:
    arguments = arguments_of(kind, drawn, data)
    ours, theirs = getattr(layers, kind)(**arguments), getattr(keras.layers, kind)(**arguments)
    assert_same_as_keras(ours, theirs, x(data.draw(st.integers(1, 3)), data.draw(st.integers(1, 5)), 3))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10)
@given(drawn=settings_of_any, data=st.data())
def test_masked_layer_is_that_of_keras(kind: str, drawn: dict[str, Any], data: Any) -> None:
    arguments = {**arguments_of(kind, drawn, data), "unroll": False}
    if (
        arguments["return_state"]
        and arguments.get("zero_output_for_mask")
        and not arguments["return_sequences"]
    ):
        arguments["zero_output_for_mask"] = False
    mask = ragged(4, 5, data.draw(st.integers(0, 99)))
    ours, theirs = getattr(layers, kind)(**arguments), getattr(keras.layers, kind)(**arguments)
    assert_same_as_keras(
        ours, theirs, x(4, 5, 3), shapes=False, config=False, mask=torch.from_numpy(mask), rtol=3e-5
    )


@pytest.mark.parametrize("kind", KINDS)
def test_initial_state_is_taken(kind: str) -> None:
    ours, theirs = (
        getattr(layers, kind)(3, return_state=True),
        getattr(keras.layers, kind)(3, return_state=True),
    )
    state = [torch.from_numpy(x(2, 3)) for _ in range(2 if kind == "LSTM" else 1)]
    assert_same_as_keras(ours, theirs, x(2, 4, 3), shapes=False, config=False, initial_state=state)


@pytest.mark.parametrize("kind", KINDS)
def test_kernels_and_steps_agree(kind: str) -> None:
    fast = getattr(layers, kind)(4, return_sequences=True, return_state=True)
    inputs = torch.from_numpy(x(3, 6, 5))
    mask = torch.from_numpy(ragged(3, 6, 3))
    results = []
    for fuses in (True, False):
        fast.build((3, 6, 5))
        fast.cell.fuses = lambda fuses=fuses: fuses
        fast.zero_grad()
        out = fast(inputs, mask=mask)
        sum(part.square().sum() for part in out).backward()
        results.append([*out, *(parameter.grad.clone() for parameter in fast.parameters())])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_cell_is_that_of_keras(kind: str) -> None:
    ours, theirs = getattr(layers, f"{kind}Cell")(3), getattr(keras.layers, f"{kind}Cell")(3)
    ours.build((2, 4))
    theirs.build((2, 4))
    ours.set_weights([np.asarray(w.detach()) for w in (v.value for v in theirs.weights)])
    states = [x(2, 3) for _ in range(2 if kind == "LSTM" else 1)]
    inputs = x(2, 4)
    got, want = ours(inputs, states), theirs(inputs, [torch.from_numpy(s) for s in states])
    assert_close("output", got[0], want[0])
    for a, b in zip(got[1], want[1], strict=True):
        assert_close("state", a, b)
    assert {k: v for k, v in theirs.get_config().items() if k != "dtype"}.keys() <= ours.get_config().keys()


@pytest.mark.parametrize("merge", ["concat", "sum", "mul", "ave", None])
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("sequences", [True, False])
def test_bidirectional_is_that_of_keras(kind: str, merge: str | None, sequences: bool) -> None:
    make = [getattr(module, kind)(3, return_sequences=sequences) for module in (layers, keras.layers)]
    ours = layers.Bidirectional(make[0], merge_mode=merge)
    theirs = keras.layers.Bidirectional(make[1], merge_mode=merge)
    assert_same_as_keras(ours, theirs, x(2, 4, 3), config=False, shapes=merge is not None)
    paths = [[re.sub(r"_\d+", "", weight.path) for weight in layer.weights] for layer in (ours, theirs)]
    assert paths[0] == paths[1]


def test_bidirectional_takes_masks_states_and_an_own_backward_layer() -> None:
    def make(module: Any) -> Any:
        back = module.LSTM(3, activation="relu", go_backwards=True, return_sequences=True, return_state=True)
        front = module.LSTM(3, return_sequences=True, return_state=True)
        return module.Bidirectional(front, backward_layer=back, merge_mode="sum")

    mask = torch.from_numpy(ragged(3, 5, 1))
    states = [torch.from_numpy(x(3, 3)) for _ in range(4)]
    ours, theirs = make(layers), make(keras.layers)
    assert_same_as_keras(
        ours, theirs, x(3, 5, 2), shapes=False, config=False, mask=mask, initial_state=states
    )
    with pytest.raises(ValueError, match="directions"):
        layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(2))
    with pytest.raises(TypeError, match="recurrent layer"):
        layers.Bidirectional(layers.Dense(2))


def test_stacked_cells_are_those_of_keras() -> None:
    def make(module: Any) -> Any:
        cells = [module.LSTMCell(4), module.GRUCell(3), module.SimpleRNNCell(2)]
        return module.RNN(module.StackedRNNCells(cells), return_sequences=True, return_state=True)

    ours, theirs = make(layers), make(keras.layers)
    values = x(3, 5, 2)
    ours.build(values.shape)
    theirs.build(values.shape)
    ours.set_weights([np.asarray(v.value.detach()) for v in theirs.weights])
    mask = torch.from_numpy(ragged(3, 5, 1))
    got, want = ours(values, mask=mask), theirs(torch.from_numpy(values), mask=mask)
    for a, b in zip(neocog.core.tree_flatten(got), neocog.core.tree_flatten(want), strict=True):
        assert_close("output", a, b)
    assert ours.compute_output_shape((3, 5, 2))[1] == [(3, 4), (3, 4)]
    assert same_again(ours)


class Fading(layers.Layer):
    """A cell of the user's: a running mean of what a kernel makes of the inputs."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="ones", name="kernel")

    def call(self, inputs: torch.Tensor, states: Any) -> Any:
        state = 0.5 * states[0] + inputs @ self.kernel
        return state, [state]


def test_cell_of_the_users() -> None:
    layer = layers.RNN(Fading(2), return_sequences=True)
    inputs = torch.ones(1, 3, 1)
    assert layer(inputs)[0, :, 0].tolist() == [1.0, 1.5, 1.75]
    assert [view.name for view in layer.weights] == ["kernel"]
    assert layers.Bidirectional(layers.RNN(Fading(2)))(inputs).shape == (1, 4)
    model = neocog.Sequential([layers.Input((None, 1)), layers.RNN([Fading(2), layers.LSTMCell(3)])])
    assert model.output_shape == (None, 3)
    with pytest.raises(TypeError, match="state_size"):
        layers.RNN(layers.Dense(2))


def test_dropout_is_one_draw_a_batch_for_all_steps() -> None:
    for kind in KINDS:
        for rates in (
            {"dropout": 0.5},
            {"recurrent_dropout": 0.5},
            {"dropout": 0.3, "recurrent_dropout": 0.3},
        ):
            layer = getattr(layers, kind)(3, seed=4, return_sequences=True, **rates)
            inputs = torch.ones(2, 4, 3)
            plain = layer(inputs)
            torch.testing.assert_close(layer(inputs), plain)
            one, two = layer(inputs, training=True), layer(inputs, training=True)
            assert not torch.equal(one, plain)
            assert not torch.equal(one, two)
            assert not layer.cell._dropped
    ident = layers.SimpleRNN(3, activation=None, dropout=0.5, seed=1, return_sequences=True, use_bias=False)
    ident.build((1, 4, 3))
    ident.set_weights([np.eye(3), np.zeros((3, 3))])
    out = ident(torch.ones(1, 4, 3), training=True)
    assert (out == out[:, :1]).all()
    assert set(out.unique().tolist()) <= {0.0, 2.0}


def test_states_stay_between_batches_and_not_after_probes() -> None:
    ours, theirs = layers.LSTM(3, stateful=True), keras.layers.LSTM(3, stateful=True)
    values = x(2, 4, 3)
    ours.build((2, 4, 3))
    theirs.build((2, 4, 3))
    ours.set_weights([np.asarray(v.value.detach()) for v in theirs.weights])
    for _ in range(2):
        assert_close("output", ours(values), theirs(torch.from_numpy(values)))
    assert len(ours.states) == 2
    assert len(ours.weights) == 3
    assert not any("state" in key for key in ours.state_dict())
    ours(layers.Input(batch_shape=(2, 4, 3)))
    before = [state.clone() for state in ours.states]
    assert ours.compute_output_shape((2, 4, 3)) == (2, 3)
    assert all(torch.equal(a, b) for a, b in zip(before, ours.states, strict=True))
    with pytest.raises(ValueError, match="batches of 2 samples"):
        ours(x(3, 4, 3))
    ours.reset_states()
    assert not any(state.any() for state in ours.states)


def test_fit_of_a_stateful_model_starts_from_zero() -> None:
    model = neocog.Sequential(
        [layers.Input(batch_shape=(2, 4, 3)), layers.GRU(3, stateful=True), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    twin = layers.GRU(3, stateful=True)
    twin.build((2, 4, 3))
    twin.set_weights(model.layers[0].get_weights())
    values = x(2, 4, 3)
    model.fit(values, np.ones((2, 1)), batch_size=2, shuffle=False, verbose=0)
    twin(values)
    assert_close("states after one batch", model.layers[0].states[0], twin.states[0])


@pytest.mark.parametrize(
    ("inner", "shape"),
    [
        (("Dense", {"units": 3}), (2, 4, 5)),
        (("Conv2D", {"filters": 2, "kernel_size": 3}), (2, 3, 6, 6, 2)),
        (("BatchNormalization", {}), (4, 3, 5)),
        (("LSTM", {"units": 3}), (2, 3, 4, 5)),
    ],
)
def test_time_distributed_is_that_of_keras(inner: Any, shape: tuple[int, ...]) -> None:
    name, arguments = inner
    ours = layers.TimeDistributed(getattr(layers, name)(**arguments))
    theirs = keras.layers.TimeDistributed(getattr(keras.layers, name)(**arguments))
    training = True if name == "BatchNormalization" else None
    assert_same_as_keras(ours, theirs, x(*shape), config=False, training=training)
    assert same_again(ours)


def test_time_distributed_model_and_unknown_length() -> None:
    inner = neocog.Sequential([layers.Dense(4, activation="relu"), layers.Dense(2)])
    model = neocog.Sequential([layers.Input((None, 3)), layers.TimeDistributed(inner), layers.LSTM(2)])
    assert model.output_shape == (None, 2)
    assert model(x(2, 5, 3)).shape == (2, 2)
    with pytest.raises(ValueError, match="at least 3 axes"):
        layers.TimeDistributed(layers.Dense(2))(x(2, 3))


def test_gradients_of_a_masked_layer_by_finite_differences() -> None:
    layer = layers.LSTM(2, return_sequences=True, return_state=True, dtype="float64")
    layer.build((2, 3, 2))
    mask = torch.tensor([[True, False, True], [False, True, True]])
    inputs = torch.randn(2, 3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda value: tuple(layer(value, mask=mask)), (inputs,))
    names = [view.name for view in layer.weights]
    layer(inputs, mask=mask)[0].sum().backward()
    shapes = [tuple(weight_gradient(view).shape) for view in layer.weights]
    assert dict(zip(names, shapes, strict=True)) == {
        "kernel": (2, 8),
        "recurrent_kernel": (2, 8),
        "bias": (8,),
    }


@settings(max_examples=10)
@given(steps=st.integers(1, 6))
def test_unknown_length_in_input(steps: int) -> None:
    source = layers.Input((None, 3))
    both = layers.Bidirectional(layers.GRU(2, return_sequences=True))(source)
    model = neocog.Model(source, layers.LSTM(4)(both))
    assert both.shape == (None, None, 4)
    assert model(x(2, steps, 3)).shape == (2, 4)
