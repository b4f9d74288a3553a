"""Masks on their way: made, handed on, taken, and left out of losses and metrics, as in real Keras."""

from __future__ import annotations

import copy
import inspect
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import torch
from parity import assert_close

import neocog
from neocog import layers
from neocog.graph import mask_of, set_mask

RNG = np.random.default_rng(3)
IDS = RNG.integers(1, 9, (6, 7))
IDS[:, 5:] = 0
IDS[0, 2] = 0


def _values(layer: Any) -> list[Any]:
    return [weight.value.detach().numpy() for weight in layer.weights]


def _model(kind: str, library: Any) -> Any:
    own = library.layers
    inputs = own.Input((None,), dtype="int32")
    words = own.Embedding(9, 4, mask_zero=True)(inputs)
    match kind:
        case "last":
            outputs = own.Dense(1)(own.LSTM(3)(words))
        case "steps":
            hidden = own.Bidirectional(own.GRU(3, return_sequences=True))(words)
            outputs = own.TimeDistributed(own.Dense(2, activation="softmax"))(
                own.LayerNormalization()(hidden)
            )
        case "states":
            first, h, c = own.LSTM(3, return_sequences=True, return_state=True)(words)
            again = own.Embedding(9, 4, mask_zero=True)(inputs)
            second = own.LSTM(3, return_sequences=True)(again, initial_state=[h, c])
            outputs = own.Dense(2, activation="softmax")(own.Concatenate()([first, second]))
        case "stacked":
            outputs = own.Dense(1)(own.RNN([own.LSTMCell(3), own.GRUCell(2)])(words))
        case "mean":
            outputs = own.Dense(1)(own.GlobalAveragePooling1D()(own.Dropout(0.0)(words)))
        case _:
            outputs = own.Dense(1)(own.BatchNormalization()(words))
    return library.models.Model(inputs, outputs)


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras's own, under NumPy 2
@pytest.mark.parametrize("kind", ["last", "steps", "states", "stacked", "mean", "moments"])
def test_training_steps_are_those_of_keras(kind: str, tmp_path: Path) -> None:
    ours, theirs = _model(kind, neocog), _model(kind, keras)
    theirs.set_weights(ours.get_weights())
    classes = kind in ("steps", "states")
    shape = (6, 7) if classes else (6, 7, 1) if kind == "moments" else (6, 1)
    y = RNG.integers(0, 2, shape) if classes else RNG.normal(size=shape)
    loss, metric = ("sparse_categorical_crossentropy", "accuracy") if classes else ("mse", "mae")
    weights = RNG.random((6,) if len(shape) == 2 and not classes else (6, 7))
    ours.compile(neocog.optimizers.SGD(0.5), loss, metrics=[metric])
    theirs.compile(keras.optimizers.SGD(0.5), loss, metrics=[metric])
    both = [
        model.fit(IDS, y, batch_size=6, epochs=2, shuffle=False, verbose=0, sample_weight=weights)
        for model in (ours, theirs)
    ]
    for key, values in both[1].history.items():
        assert_close(key, np.asarray(both[0].history[key]), np.asarray(values))
    for got, want in zip(ours.get_weights(), _values(theirs), strict=True):
        assert_close("weights after two steps", got, want, 1e-4)
    assert_close("predictions", ours.predict(IDS, verbose=0), theirs.predict(IDS, verbose=0), 1e-4)
    assert_close(
        "evaluate",
        np.asarray(ours.evaluate(IDS, y, verbose=0)),
        np.asarray(theirs.evaluate(IDS, y, verbose=0)),
    )
    ours.save(tmp_path / "m.keras")
    for load in (neocog.models.load_model, keras.models.load_model):
        assert_close(
            "loaded", load(tmp_path / "m.keras").predict(IDS, verbose=0), ours.predict(IDS, verbose=0)
        )


def test_embedding_and_masking_make_masks() -> None:
    words = layers.Embedding(9, 4, mask_zero=True)(IDS)
    assert torch.equal(mask_of(words), torch.from_numpy(IDS != 0))
    assert mask_of(layers.Embedding(9, 4)(IDS)) is None
    values = np.array([[[0.0, 0.0], [1.0, 0.0], [2.0, 2.0]]], "float32")
    for mask_value in (0.0, 2.0):
        got = layers.Masking(mask_value)(values)
        want = keras.layers.Masking(mask_value)(values)
        assert_close("values", got, want)
        assert_close("mask", mask_of(got), want._keras_mask)


def test_layers_that_know_masks_are_those_of_keras() -> None:
    known = {name for name in layers.LAYERS.names() if hasattr(keras.layers, name)}
    differ = set()
    for name in known - {"Embedding", "Lambda", "Layer", "Model", "Wrapper"}:
        cls, theirs = layers.LAYERS.resolve(name), getattr(keras.layers, name)
        own_mask = theirs.compute_mask is not keras.layers.Layer.compute_mask
        says = own_mask or "supports_masking = True" in _source(theirs)
        if cls.supports_masking != says:
            differ.add(name)
    assert differ == set()


def _source(cls: type) -> str:

    own = [
        base
        for base in cls.__mro__
        if base.__module__.startswith("keras.src.layers") and base.__name__ != "Layer"
    ]
    return "".join(inspect.getsource(base) for base in own)


@pytest.mark.parametrize(
    "name", ["Add", "Average", "Multiply", "Maximum", "Minimum", "Subtract", "Concatenate", "Dense", "ReLU"]
)
def test_masks_of_outputs_are_those_of_keras(name: str) -> None:
    values = [RNG.normal(size=(3, 4, 2)).astype("float32") for _ in range(2)]
    masks = [RNG.random((3, 4)) < 0.6 for _ in range(2)]
    for given in ((0, 1), (0,), ()):
        results = []
        for library in (layers, keras.layers):
            tensors = [torch.from_numpy(value.copy()) for value in values]
            for number in given:
                set_mask(tensors[number], torch.from_numpy(masks[number]))
            single = name in ("Dense", "ReLU")
            layer = getattr(library, name)(*([2] if name == "Dense" else []))
            results.append(layer(tensors[0] if single else tensors))
        if name != "Dense":
            assert_close("values", *results)
        ours, theirs = mask_of(results[0]), getattr(results[1], "_keras_mask", None)
        assert (ours is None) == (theirs is None), (name, given)
        if ours is not None:
            assert_close("mask", ours, theirs)


def test_masked_moments_are_those_of_keras() -> None:
    ours, theirs = layers.BatchNormalization(momentum=0.5), keras.layers.BatchNormalization(momentum=0.5)
    values, mask = RNG.normal(size=(3, 4, 2)).astype("float32"), torch.from_numpy(RNG.random((3, 4)) < 0.6)
    got, want = (layer(torch.from_numpy(values), mask=mask, training=True) for layer in (ours, theirs))
    assert_close("outputs", got, want)
    for a, b in zip(ours.get_weights(), _values(theirs), strict=True):
        assert_close("weights", a, b)
    with pytest.raises(ValueError, match="one fewer"):
        ours(values, mask=mask[0])


class Counts(layers.Layer):
    """A layer of the user's that takes a mask, and cannot do without one."""

    def call(self, inputs: Any, mask: Any = None) -> Any:
        return mask.to(inputs.dtype).sum(1, keepdim=True)


class Tagger(neocog.Model):
    def __init__(self) -> None:
        super().__init__()
        self.words = layers.Embedding(9, 4, mask_zero=True)
        self.counts = Counts()

    def call(self, inputs: Any) -> Any:
        return self.counts(self.words(inputs))


def test_masks_reach_users_layers_everywhere() -> None:
    expected = (IDS != 0).sum(1, keepdims=True)
    deferred = neocog.Sequential([layers.Embedding(9, 4, mask_zero=True), layers.Dropout(0.1), Counts()])
    source = layers.Input((7,))
    graph = neocog.Model(source, Counts()(layers.Embedding(9, 4, mask_zero=True)(source)))
    inner_source = layers.Input((7, 4))
    inner = neocog.Model(inner_source, layers.GlobalAveragePooling1D()(layers.Dense(2)(inner_source)))
    nested = neocog.Model(source, inner(layers.Embedding(9, 4, mask_zero=True)(source)))
    for model in (deferred, graph, Tagger()):
        assert model(IDS).tolist() == expected.tolist()
    words = nested.layers[1](IDS)
    hidden = inner.layers[1](words)
    assert_close("mean of what counts", nested(IDS)[0], hidden[0, torch.from_numpy(IDS[0] != 0)].mean(0))
    assert_close("explicit mask", inner(words.detach() * 1, mask=mask_of(words)), nested(IDS))


def test_explicit_mask_wins() -> None:
    words = layers.Embedding(9, 4, mask_zero=True)(IDS)
    assert Counts()(words, mask=torch.ones(6, 7, dtype=torch.bool))[0].item() == 7
    source = layers.Input((7,))
    words = layers.Embedding(9, 4, mask_zero=True)(source)
    model = neocog.Model(source, Counts()(words, mask=torch.eq(source, 0)))
    assert model(IDS)[0].item() == int((IDS[0] == 0).sum())


def test_layers_without_masks_are_called_directly() -> None:
    source = layers.Input((7,))
    plain = neocog.Model(source, layers.Dense(2)(layers.Dense(3)(source)))
    masked = neocog.Model(
        source, layers.Dense(1)(layers.LSTM(2)(layers.Embedding(9, 4, mask_zero=True)(source)))
    )
    assert all(step.is_module for step in plain._body.program._steps)
    assert [step.is_module for step in masked._body.program._steps] == [False, False, True]
    assert "mask" not in str(masked.get_config()["layers"][2]["inbound_nodes"])


def test_a_layer_that_drops_the_mask_says_so_once() -> None:
    words = layers.Embedding(9, 4, mask_zero=True)(IDS)
    layer = layers.Flatten()
    with pytest.warns(UserWarning, match="its input has a mask"):
        layer(words)
    layer(words)


def test_a_copy_hands_masks_on_too() -> None:
    model = _model("steps", neocog)
    twin = copy.deepcopy(model)
    assert torch.equal(mask_of(twin(IDS)), mask_of(model(IDS)))
    assert_close("outputs", twin(IDS), model(IDS))


def test_masks_are_computed_for_arrays() -> None:
    numbers = np.array([[1, 2, 0], [3, 0, 0]])
    mask = layers.Embedding(5, 2, mask_zero=True).compute_mask(numbers)
    np.testing.assert_array_equal(mask, numbers != 0)
    steps = np.stack([numbers, numbers], -1).astype("float32")
    np.testing.assert_array_equal(layers.Masking().compute_mask(steps), numbers != 0)
