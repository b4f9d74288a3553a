"""What the tables do not show: properties, legacy arguments, Lambda, InputLayer, errors."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from parity import assert_same_as_keras

from neocog import layers
from neocog.exceptions import FileFormatError


@given(st.lists(st.integers(1, 5), min_size=2, max_size=5), st.integers(1, 6), st.booleans())
def test_dense_of_any_rank(shape: list[int], units: int, use_bias: bool) -> None:
    inputs = np.random.default_rng(len(shape)).normal(size=shape).astype("float32")
    arguments = {"units": units, "use_bias": use_bias, "activation": "elu"}
    assert_same_as_keras(layers.Dense(**arguments), keras.layers.Dense(**arguments), inputs)


def test_dense_weights_in_both_layouts() -> None:
    layer = layers.Dense(3)
    with pytest.raises(AttributeError):
        _ = layer.kernel
    layer.build((None, 5))
    assert layer.weight.shape == (3, 5)
    assert layer.kernel.shape == (5, 3)
    np.testing.assert_array_equal(layer.kernel.numpy(), layer.weight.detach().numpy().T)
    layer.kernel.assign(np.ones((5, 3)))
    assert bool((layer.weight == 1).all())
    assert list(layer.state_dict()) == ["weight", "bias"]
    assert layers.Dense(3, use_bias=False)(torch.ones(2, 5)).shape == (2, 3)


def test_dense_takes_a_layer_as_activation() -> None:
    layer = layers.Dense(3, activation=layers.LeakyReLU(0.5))
    inputs = torch.randn(4, 5)
    config = json.loads(json.dumps(layer.get_config()))
    again = layers.Dense.from_config(config)
    again.build((None, 5))
    layer(inputs)
    again.set_weights(layer.get_weights())
    torch.testing.assert_close(again(inputs), layer(inputs))
    plain = layers.Dense(3, activation="relu")
    plain.activation = torch.tanh
    assert bool((plain(inputs).abs() < 1).all())


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: layers.Dense(0), "units to be a whole number of 1 or more, got 0"),
        (lambda: layers.Dense("ten"), "units"),
        (lambda: layers.Dense(3, "rleu"), "relu"),
        (lambda: layers.Dense(3, lora_rank=4), "lora_rank=None"),
        (lambda: layers.Dense(3)(torch.ones(5)), "at least 2 axes"),
        (lambda: layers.Dense(3).build((None, None)), "known size on axis -1"),
        (lambda: layers.ReLU(max_value=-1), "max_value"),
        (lambda: layers.ReLU(negative_slope=None), "negative_slope"),
        (lambda: layers.PReLU(shared_axes=[0]), "batch is axis 0"),
        (lambda: layers.Reshape((-1, -1)), "at most one -1"),
        (lambda: layers.Reshape((5,))(torch.ones(2, 6)), "number of values must stay"),
        (lambda: layers.Reshape((5,)).compute_output_shape((None, 6)), "number of values must stay"),
        (lambda: layers.Permute((2, 3)), "dims to hold"),
        (lambda: layers.Permute((2, 1))(torch.ones(2, 3)), "3 axes"),
        (lambda: layers.RepeatVector(0), "n to be a whole number"),
        (lambda: layers.RepeatVector(2.0), "n to be a whole number"),
        (lambda: layers.Embedding(0, 3), "input_dim"),
        (lambda: layers.Embedding(5, 3)(torch.tensor([[1, 5]])), "numbers from 1 to 5"),
        (lambda: layers.Softmax(axis="last"), "axis"),
        (lambda: layers.Softmax()(torch.ones(2, 3), mask=torch.ones(3, 3)), "mask that broadcasts"),
        (lambda: layers.Lambda(3), "a function"),
        (lambda: layers.InputLayer(), "either shape"),
        (lambda: layers.Add()(torch.ones(2, 3)), "a list of inputs, got one input of shape"),
        (lambda: layers.Add()([torch.ones(2, 3), torch.ones(2, 4)]), r"Add \"add\": .*\(2, 3\) and \(2, 4\)"),
        (lambda: layers.Add()([torch.ones(2, 3), torch.ones(3, 3)]), "equal sizes"),
        (lambda: layers.Subtract()([torch.ones(2, 3)] * 3), "a list of 2 inputs, got 3"),
        (lambda: layers.Concatenate()(torch.ones(2, 3)), "a list of inputs"),
        (lambda: layers.Concatenate()([torch.ones(2, 3, 4), torch.ones(2, 5, 4)]), "axes but axis -1"),
        (lambda: layers.Concatenate(axis=3)([torch.ones(2, 3), torch.ones(2, 3)]), "axis from -2 to 1"),
        (lambda: layers.Concatenate()([torch.ones(2, 3), torch.ones(2, 3, 1)]), "equal sizes"),
        (lambda: layers.Dot(axes=1)([torch.ones(2, 3), torch.ones(2, 4)]), "same size on axis 1"),
        (lambda: layers.Dot(axes=0)([torch.ones(2, 3), torch.ones(2, 3)]), "other than the batch"),
        (lambda: layers.Dot(axes=(1, 2, 3)), "one axis or two"),
        (lambda: layers.Resizing(3, 3, interpolation="cubic"), "bicubic"),
        (lambda: layers.Resizing(3, 3, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), "got both"),
        (lambda: layers.Resizing(3, 3)(torch.ones(3, 3)), "at least 3 axes"),
        (lambda: layers.Normalization(mean=1.0), "mean and variance"),
        (lambda: layers.Normalization(mean=[1.0], variance=[1.0]).adapt(np.ones((2, 1))), "was given one"),
        (lambda: layers.Normalization().adapt([]), "got none"),
        (lambda: layers.RandomFlip("sideways"), "mode"),
        (lambda: layers.RandomRotation(2.0), r"factor in \[-1, 1\]"),
        (lambda: layers.RandomRotation(0.1, fill_mode="mirror"), "fill_mode"),
        (lambda: layers.RandomZoom((-1.0, 0.5)), "above -1"),
        (lambda: layers.RandomContrast((0.1, 1.2)), "factor"),
        (lambda: layers.RandomBrightness(0.1, value_range=3), "value_range"),
        (lambda: layers.SpectralNormalization(layers.Flatten())(torch.ones(2, 3)), "kernel or embeddings"),
    ],
)
def test_refuses(call: Any, text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        call()


def test_a_built_merge_still_names_what_does_not_fit() -> None:
    layer = layers.Concatenate()
    layer([torch.ones(2, 3), torch.ones(2, 4)])
    with pytest.raises(ValueError, match=r"Concatenate \"concatenate\": .* \(2, 3\) and \(3, 4\)"):
        layer([torch.ones(2, 3), torch.ones(3, 4)])


def test_merge_functions() -> None:
    a, b = torch.randn(2, 3), torch.randn(2, 3)
    for name in ("add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate", "dot"):
        got = getattr(layers, name)([a, b])
        want = getattr(keras.layers, name)([a, b])
        torch.testing.assert_close(got, want)
    symbol = layers.Input((3,))
    assert layers.add([symbol, symbol]).shape == (None, 3)
    assert layers.concatenate([symbol, symbol], axis=1).shape == (None, 6)


def test_softmax_mask_as_keras() -> None:
    inputs = torch.randn(3, 4)
    mask = torch.tensor([[1, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1]], dtype=torch.bool)
    want = keras.layers.Softmax()(inputs, mask=mask)
    torch.testing.assert_close(layers.Softmax()(inputs, mask=mask), want)


def test_flatten_is_a_view() -> None:
    inputs = torch.randn(2, 3, 4)
    assert layers.Flatten()(inputs).data_ptr() == inputs.data_ptr()
    assert layers.Flatten()(torch.ones(5)).shape == (5, 1)
    assert layers.Flatten().compute_output_shape((None,)) == (None, 1)
    assert layers.Flatten().compute_output_shape((None, None, 3)) == (None, None)
    assert layers.Reshape((-1, 3))(torch.ones(0, 6)).shape == (0, 2, 3)


def test_old_spellings() -> None:
    with pytest.warns(DeprecationWarning, match="negative_slope"):
        assert layers.LeakyReLU(alpha=0.1).negative_slope == 0.1
    with pytest.warns(DeprecationWarning, match="input_length"):
        layer = layers.Embedding(10, 4, input_length=7)
    assert layer._batch_input_shape == (None, 7)
    with pytest.warns(DeprecationWarning, match="shape"):
        assert layers.InputLayer(input_shape=(3,)).batch_shape == (None, 3)
    table = np.arange(8.0).reshape(4, 2)
    np.testing.assert_array_equal(layers.Embedding(4, 2, weights=[table]).get_weights()[0], table)
    assert layers.Embedding(4, 2, weights=table).embeddings.shape == (4, 2)


def test_input_layer_configuration() -> None:
    ours, theirs = (
        layers.InputLayer((4, None), dtype="uint8", name="a"),
        keras.layers.InputLayer((4, None), dtype="uint8", name="a"),
    )
    assert ours.get_config() == theirs.get_config()
    assert ours.output.shape == (None, 4, None)
    assert ours.output.dtype == ours.dtype == "uint8"
    again = layers.InputLayer.from_config(json.loads(json.dumps(ours.get_config())))
    assert again.get_config() == ours.get_config()


def halve(inputs: torch.Tensor, by: float = 2.0) -> torch.Tensor:
    return inputs / by


def test_lambda() -> None:
    layer = layers.Lambda(halve, arguments={"by": 4.0})
    assert layer(torch.ones(2)).tolist() == [0.25, 0.25]
    assert layer(layers.Input((3, 2))).shape == (None, 3, 2)
    assert layers.Lambda(lambda x: x.argmax(-1))(layers.Input((3, 2))).dtype == "int64"
    assert layers.Lambda(lambda x: x, output_shape=(7,)).compute_output_shape((None, 3)) == (None, 7)
    assert layers.Lambda(lambda x: x, output_shape=lambda s: (s[0], 9)).compute_output_shape((4, 3)) == (4, 9)
    modes = layers.Lambda(lambda x, training=None: x * (2.0 if training else 1.0))
    assert modes(torch.ones(1), training=True).item() == 2.0
    assert modes(torch.ones(1)).item() == 1.0


def test_lambda_is_found_again_by_name_alone() -> None:
    layer = layers.Lambda(halve, arguments={"by": 4.0}, output_shape=(2,))
    config = json.loads(json.dumps(layers.serialize(layer)))
    assert layers.deserialize(config)(torch.ones(1)).item() == 0.25  # in the process that made it
    del config["config"]["function"]["in_process"]
    with pytest.raises(FileFormatError, match="Code is never loaded"):
        layers.deserialize(config)
    again = layers.deserialize(config, custom_objects={"halve": halve})
    assert again(torch.ones(1)).item() == 0.25
    theirs = keras.layers.Lambda(lambda x: x).get_config()
    with pytest.raises(FileFormatError, match="Code is never loaded"):
        layers.Lambda.from_config(theirs)


def test_rescaling_and_flips_leave_bytes_alone() -> None:
    photo = torch.randint(0, 256, (2, 4, 4, 3), dtype=torch.uint8)
    kept = photo.clone()
    outputs = layers.RandomFlip("horizontal", seed=1)(photo, training=True)
    layers.Rescaling(1 / 255)(photo)
    assert torch.equal(photo, kept)
    flipped = photo.flip(2).float()
    for image, before, mirrored in zip(outputs, photo.float(), flipped, strict=True):
        assert torch.equal(image, before) or torch.equal(image, mirrored)
