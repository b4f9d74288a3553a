"""Core, activation, normalisation and merge layers against real Keras: a table of cases a class."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from parity import assert_close, assert_same_as_keras

from neocog import layers

RNG = np.random.default_rng(5)


def x(*shape: int) -> Any:
    """Normal values, away from 0 where rectifiers have their corner."""
    values = RNG.normal(size=shape)
    return (values + 0.05 * np.sign(values)).astype("float32")


def ids(*shape: int) -> Any:
    return RNG.integers(0, 7, shape).astype("int32")


# Keras forgets sizes that we infer; test_einsum_shapes has them.
NO_SHAPES = {"shapes": False}

# class name -> (constructor arguments, inputs, call arguments)
CASES: dict[str, list[tuple[dict[str, Any], Any, dict[str, Any]]]] = {
    "Dense": [
        ({"units": 3}, x(4, 5), {}),
        ({"units": 1, "activation": "sigmoid", "use_bias": False}, x(2, 3, 5), {}),
        ({"units": 4, "activation": "softmax", "kernel_initializer": "he_normal"}, x(2, 2, 3, 5), {}),
        (
            {
                "units": 2,
                "activation": "relu",
                "kernel_regularizer": "l2",
                "bias_regularizer": "l2",
                "kernel_constraint": "max_norm",
                "bias_constraint": "non_neg",
                "activity_regularizer": "l2",
            },
            x(3, 5),
            {},
        ),
    ],
    "EinsumDense": [
        ({"equation": "ab,bc->ac", "output_shape": 4, "bias_axes": "c"}, x(2, 3), {}),
        ({"equation": "abc,cd->abd", "output_shape": (None, 4), "bias_axes": "d"}, x(2, 5, 3), NO_SHAPES),
        (
            {"equation": "...x,xy->...y", "output_shape": 4, "bias_axes": "y", "activation": "relu"},
            x(2, 5, 3),
            {},
        ),
        (
            {"equation": "abc,cde->abde", "output_shape": (None, 2, 4), "bias_axes": "de"},
            x(2, 5, 3),
            NO_SHAPES,
        ),
        ({"equation": "ab...,bc->ac...", "output_shape": 4, "bias_axes": "c"}, x(2, 3, 5), {}),
        ({"equation": "abc,cd->adb", "output_shape": (4, None)}, x(2, 5, 3), NO_SHAPES),
    ],
    "Activation": [({"activation": name}, x(3, 4), {}) for name in ("relu", "tanh", "softmax", "linear")],
    "ReLU": [
        ({}, x(3, 4), {}),
        ({"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.3}, x(3, 4, 5), {}),
        ({"max_value": 6.0}, 5 * x(3, 4), {}),
        ({"negative_slope": 0.2}, x(7, 1), {}),
    ],
    "LeakyReLU": [({}, x(3, 4), {}), ({"negative_slope": 0.01}, x(2, 3, 4), {})],
    "PReLU": [
        ({}, x(3, 4), {}),
        ({"shared_axes": [1, 2]}, x(2, 3, 4, 5), {}),
        ({"shared_axes": [1], "alpha_initializer": "ones", "alpha_regularizer": "l2"}, x(2, 3, 5), {}),
    ],
    "ELU": [({}, x(3, 4), {}), ({"alpha": 0.5}, x(2, 3, 4), {})],
    "Softmax": [({}, x(3, 4), {}), ({"axis": 1}, x(2, 3, 4), {}), ({"axis": [1, 2]}, x(2, 3, 4), {})],
    "Flatten": [
        ({}, x(2, 3, 4), {}),
        ({"data_format": "channels_first"}, x(2, 3, 4, 5), {}),
        ({"data_format": "channels_first"}, x(2, 3), {}),
    ],
    "Reshape": [
        ({"target_shape": (6, 2)}, x(2, 3, 4), {}),
        ({"target_shape": (-1, 3)}, x(2, 3, 4), {}),
        ({"target_shape": (2, -1, 1)}, x(2, 12), {}),
    ],
    "Permute": [({"dims": (2, 1)}, x(2, 3, 4), {}), ({"dims": (3, 1, 2)}, x(2, 3, 4, 5), {})],
    "RepeatVector": [({"n": 3}, x(2, 4), {})],
    "Embedding": [
        ({"input_dim": 7, "output_dim": 3}, ids(2, 4), {}),
        ({"input_dim": 7, "output_dim": 2, "mask_zero": True, "embeddings_regularizer": "l2"}, ids(5, 1), {}),
        ({"input_dim": 7, "output_dim": 2}, ids(2, 2, 3).astype("float32"), {}),
    ],
    "Identity": [({}, x(2, 3), {})],
    "ActivityRegularization": [({"l1": 0.1, "l2": 0.2}, x(2, 3), {})],
    "BatchNormalization": [
        ({}, x(6, 4), {"training": True}),
        ({}, x(6, 4), {"training": False}),
        ({"momentum": 0.8, "epsilon": 1e-5}, x(2, 5, 3, 4), {"training": True}),
        ({"axis": 1, "scale": False}, x(2, 5, 3, 4), {"training": True}),
        ({"axis": 2, "center": False}, x(2, 5, 3, 4), {"training": True}),
        ({"axis": -2}, x(2, 5, 3), {"training": True}),
        ({}, x(2, 5, 3), {"training": True}),
        ({}, x(2, 2, 3, 2, 4), {"training": True}),
        ({"axis": 1}, x(2, 2, 3, 2, 4), {"training": False}),
        ({}, x(2, 2, 3, 1, 2, 4), {"training": True}),
        ({"axis": 0}, x(3, 4), {"training": True}),
        ({"axis": 0}, x(3, 4, 2, 2), {"training": True}),
        ({}, x(1, 4), {"training": True}),
        ({"center": False, "scale": False, "gamma_initializer": "zeros"}, x(3, 4), {"training": False}),
        (
            {"gamma_regularizer": "l2", "beta_constraint": "non_neg", "trainable": False},
            x(3, 4),
            {"training": True},
        ),
    ],
    "LayerNormalization": [
        ({}, x(3, 4), {}),
        ({"axis": [1, 2]}, x(2, 3, 4), {}),
        ({"axis": [1, 3], "epsilon": 1e-5}, x(2, 3, 4, 5), {}),
        ({"axis": [0, 2], "scale": False}, x(2, 3, 4), {}),
        ({"center": False}, x(2, 3, 4), {}),
        ({"axis": [1, 3], "center": False}, x(2, 3, 4, 2), {}),
    ],
    "RMSNormalization": [({}, x(3, 4), {}), ({"axis": [1, 2], "epsilon": 1e-3}, x(2, 3, 4), {})],
    "UnitNormalization": [
        ({}, x(3, 4), {}),
        ({"axis": 1}, x(2, 3, 4), {}),
        ({"axis": [1, 2]}, x(2, 3, 4), {}),
    ],
    "GroupNormalization": [
        ({"groups": 2}, x(2, 4, 4, 6), {}),
        ({"groups": -1}, x(2, 5, 3), {}),
        ({"groups": 3, "axis": 1, "scale": False}, x(2, 6, 3, 4), {}),
        ({"groups": 2, "axis": 2, "center": False}, x(2, 3, 4, 5), {}),
        ({"groups": 1, "axis": -2}, x(2, 3, 4), {}),
        ({"groups": 2}, x(2, 4), {}),
    ],
    "Add": [
        ({}, [x(2, 3), x(2, 3), x(2, 3)], {}),
        ({}, [x(2, 3, 4), x(2, 1, 4)], {}),
        ({}, [x(2, 4), x(2, 3, 4)], {}),
    ],
    "Subtract": [({}, [x(2, 3), x(2, 3)], {}), ({}, [x(2, 3, 4), x(2, 4)], {})],
    "Multiply": [({}, [x(2, 3), x(2, 3), x(2, 3)], {}), ({}, [x(2, 3, 1), x(2, 1, 4)], {})],
    "Average": [({}, [x(2, 3), x(2, 3), x(2, 3)], {}), ({}, [x(2, 3)], {})],
    "Maximum": [({}, [x(2, 3), x(2, 3), x(2, 3)], {}), ({}, [x(2, 3, 4), x(2, 1)], {})],
    "Minimum": [({}, [x(2, 3), x(2, 3)], {})],
    "Concatenate": [
        ({}, [x(2, 3), x(2, 4), x(2, 1)], {}),
        ({"axis": 1}, [x(2, 3, 4), x(2, 5, 4)], {}),
        ({"axis": 0}, [x(2, 3), x(1, 3)], {}),
    ],
    "Dot": [
        ({"axes": 1}, [x(2, 3), x(2, 3)], {}),
        ({"axes": -1, "normalize": True}, [x(2, 3), x(2, 3)], {}),
        ({"axes": (2, 1)}, [x(2, 3, 4), x(2, 4, 5)], {}),
        ({"axes": (1, 2)}, [x(2, 4), x(2, 3, 4)], {}),
        ({"axes": (2, 1)}, [x(2, 3, 4), x(2, 4)], {}),
        ({"axes": 2, "normalize": True}, [x(2, 3, 4), x(2, 2, 4)], {}),
        ({"axes": (1, 3)}, [x(2, 4, 2), x(2, 3, 2, 4)], {}),
    ],
}
FLAT = [(name, *case) for name, cases in CASES.items() for case in cases]


@pytest.mark.parametrize(
    ("name", "arguments", "inputs", "call"), FLAT, ids=[f"{name}-{i}" for i, (name, *_) in enumerate(FLAT)]
)
@pytest.mark.filterwarnings("ignore::UserWarning:keras")
def test_same_as_keras(name: str, arguments: Any, inputs: Any, call: Any) -> None:
    ours, theirs = getattr(layers, name)(**arguments), getattr(keras.layers, name)(**arguments)
    assert_same_as_keras(ours, theirs, inputs, **call)
    assert [value.item() for value in ours.losses] == pytest.approx([value.item() for value in theirs.losses])


@pytest.mark.parametrize("training", [False, True])
def test_spectral_normalization(training: bool) -> None:
    ours = layers.SpectralNormalization(layers.Dense(3, name="inner"), power_iterations=2)
    theirs = keras.layers.SpectralNormalization(keras.layers.Dense(3, name="inner"), power_iterations=2)
    inputs = x(4, 5)
    ours(inputs)
    theirs(inputs)
    rng = np.random.default_rng(1)
    weights = {weight.name: weight for weight in theirs.weights}  # in another order than ours
    for view in ours.weights:
        values = rng.normal(size=view.shape).astype("float32")
        view.assign(values)
        weights[view.name].assign(values)
    for _ in range(3):
        assert_close("outputs", ours(inputs, training=training), theirs(inputs, training=training))
    for view in ours.weights:
        assert_close(view.name, view.numpy(), weights[view.name].value)
    again = layers.SpectralNormalization.from_config(ours.get_config())
    assert again.get_config()["layer"]["config"] == ours.get_config()["layer"]["config"]
    assert layers.SpectralNormalization.from_config(theirs.get_config()).power_iterations == 2


# Classes without a table of their own here: what covers them.
ELSEWHERE = {
    "test_core.py": {"InputLayer", "Lambda"},
    "this file": {"SpectralNormalization"},
    "test_noise.py": {
        "AlphaDropout",
        "Dropout",
        "GaussianDropout",
        "GaussianNoise",
        "SpatialDropout1D",
        "SpatialDropout2D",
        "SpatialDropout3D",
    },
    "test_parity_images.py": {
        *(
            "Rescaling",
            "Resizing",
            "CenterCrop",
            "Normalization",
            "RandomFlip",
            "RandomRotation",
            "RandomZoom",
        ),
        *("RandomTranslation", "RandomContrast", "RandomBrightness", "RandomCrop"),
    },
}


def test_every_registered_class_of_these_modules_has_a_case() -> None:
    known = CASES.keys() | set().union(*ELSEWHERE.values())
    modules = {getattr(layers, name).__module__ for name in known}
    assert {name for name, entry in layers.LAYERS.items() if entry.__module__ in modules} == known


def test_einsum_shapes() -> None:
    layer = layers.EinsumDense("abc,cd->abd", (None, 4))
    assert layer.compute_output_shape((None, 5, 3)) == (None, 5, 4)
    assert layer.compute_output_shape((None, None, 3)) == (None, None, 4)
    with pytest.raises(ValueError, match="known size for 'c'"):
        layer.build((None, 5, None))
    with pytest.raises(ValueError, match="output size 5 for 'b'"):
        layers.EinsumDense("abc,cd->abd", (6, 4)).build((None, 5, 3))
    with pytest.raises(ValueError, match="an equation such as"):
        layers.EinsumDense("abc->abd", 3)
