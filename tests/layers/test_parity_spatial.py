"""Spatial layers against real Keras, on tables of arguments and on drawn kernels, strides and sizes."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from parity import assert_close, assert_same_as_keras

from neocog import layers

RNG = np.random.default_rng(11)
FAMILIES = (
    "Conv",
    "DepthwiseConv",
    "SeparableConv",
    "MaxPooling",
    "AveragePooling",
    "GlobalMaxPooling",
    "GlobalAveragePooling",
    "ZeroPadding",
    "Cropping",
    "UpSampling",
)
RULES = {
    "kernel_initializer": "he_normal",
    "bias_initializer": "ones",
    "kernel_regularizer": "l2",
    "bias_regularizer": "l1",
    "kernel_constraint": "max_norm",
    "bias_constraint": "non_neg",
    "activity_regularizer": "l2",
    "activation": "relu",
}
DEEP = {
    key.replace("kernel_", "depthwise_"): value for key, value in RULES.items() if key != "kernel_initializer"
}
BOTH = {**DEEP, "pointwise_regularizer": "l2", "pointwise_constraint": "max_norm"}


def x(*shape: int) -> Any:
    """Distinct values, so that no maximum is tied, and none near the corner of a rectifier."""
    size = int(np.prod(shape))
    return ((RNG.permutation(size) + 0.7 - size / 2) / max(size, 1) * 4).reshape(shape).astype("float32")


# class name -> (constructor arguments, shape of the inputs)
CASES: dict[str, list[tuple[dict[str, Any], tuple[int, ...]]]] = {
    "Conv1D": [
        ({"filters": 3, "kernel_size": 2, "padding": "causal", "dilation_rate": 2}, (2, 7, 4)),
        ({"filters": 3, "kernel_size": 3, "padding": "causal", "strides": 2, **RULES}, (2, 8, 2)),
        (
            {
                "filters": 4,
                "kernel_size": 2,
                "groups": 2,
                "data_format": "channels_first",
                "padding": "causal",
            },
            (2, 4, 7),
        ),
        ({"filters": 2, "kernel_size": 1}, (1, 1, 1)),
    ],
    "Conv2D": [
        ({"filters": 3, "kernel_size": 3, "padding": "same", **RULES}, (2, 7, 6, 2)),
        (
            {"filters": 4, "kernel_size": (2, 3), "strides": (2, 1), "groups": 2, "padding": "same"},
            (2, 5, 6, 4),
        ),
        ({"filters": 2, "kernel_size": 5, "padding": "same", "use_bias": False}, (2, 2, 3, 1)),
        ({"filters": 2, "kernel_size": 3, "dilation_rate": (2, 3), "padding": "same"}, (1, 5, 6, 2)),
        ({"filters": 3, "kernel_size": 2, "activation": "softmax"}, (2, 4, 4, 2)),
        (
            {
                "filters": 3,
                "kernel_size": 3,
                "strides": 2,
                "padding": "same",
                "data_format": "channels_first",
            },
            (2, 2, 6, 5),
        ),
    ],
    "Conv3D": [
        ({"filters": 3, "kernel_size": 2, "padding": "same", "strides": (1, 2, 3)}, (1, 3, 4, 5, 2)),
        ({"filters": 2, "kernel_size": (1, 2, 3), "groups": 2, **RULES}, (2, 3, 3, 3, 4)),
    ],
    "Conv1DTranspose": [
        ({"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same", **RULES}, (2, 4, 2)),
        ({"filters": 2, "kernel_size": 2, "data_format": "channels_first", "dilation_rate": 2}, (2, 3, 4)),
    ],
    "Conv2DTranspose": [
        (
            {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "relu"},
            (2, 4, 3, 2),
        ),
        (
            {"filters": 3, "kernel_size": (2, 4), "strides": (3, 2), "output_padding": (2, 1), **RULES},
            (2, 3, 2, 2),
        ),
        ({"filters": 2, "kernel_size": 1, "strides": 3, "padding": "same"}, (1, 2, 2, 2)),
        ({"filters": 2, "kernel_size": 4, "data_format": "channels_first", "padding": "same"}, (1, 3, 5, 4)),
    ],
    "Conv3DTranspose": [
        ({"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"}, (1, 2, 3, 2, 2)),
        ({"filters": 2, "kernel_size": 2, "strides": 2, "use_bias": False}, (1, 2, 2, 2, 3)),
    ],
    "DepthwiseConv1D": [({"kernel_size": 3, "depth_multiplier": 2, **DEEP}, (2, 6, 3))],
    "DepthwiseConv2D": [
        ({"kernel_size": 3, "depth_multiplier": 2, "padding": "same", **DEEP}, (2, 5, 4, 3)),
        ({"kernel_size": 2, "strides": 2, "data_format": "channels_first", "use_bias": False}, (2, 3, 5, 4)),
    ],
    "SeparableConv1D": [({"filters": 3, "kernel_size": 3, "depth_multiplier": 2, **BOTH}, (2, 6, 3))],
    "SeparableConv2D": [
        ({"filters": 4, "kernel_size": 3, "depth_multiplier": 2, "padding": "same", **BOTH}, (2, 5, 4, 3)),
        ({"filters": 2, "kernel_size": 2, "strides": 2, "data_format": "channels_first"}, (2, 3, 5, 4)),
    ],
    "MaxPooling1D": [({}, (2, 5, 3)), ({"pool_size": 3, "strides": 1, "padding": "same"}, (2, 5, 3))],
    "MaxPooling2D": [
        ({}, (2, 5, 4, 3)),
        ({"pool_size": (3, 2), "strides": (1, 3), "padding": "same"}, (2, 5, 4, 3)),
        ({"data_format": "channels_first", "padding": "same"}, (2, 3, 5, 1)),
    ],
    "MaxPooling3D": [({}, (1, 4, 5, 3, 2)), ({"pool_size": 3, "padding": "same"}, (1, 4, 2, 3, 2))],
    "AveragePooling1D": [({"pool_size": 2}, (2, 5, 3))],
    "AveragePooling2D": [
        ({"pool_size": 3, "strides": 1, "padding": "same"}, (2, 5, 4, 3)),
        ({"pool_size": 2, "data_format": "channels_first"}, (2, 3, 5, 4)),
    ],
    "AveragePooling3D": [({"pool_size": 3, "strides": 1, "padding": "same"}, (1, 3, 4, 3, 2))],
    **{
        f"Global{kind}Pooling{rank}D": [
            ({}, (2, *(3, 4, 2)[:rank], 5)),
            ({"keepdims": True}, (2, *(3, 4, 2)[:rank], 5)),
            ({"data_format": "channels_first", "keepdims": True}, (2, 5, *(3, 4, 2)[:rank])),
        ]
        for kind in ("Max", "Average")
        for rank in (1, 2, 3)
    },
    "ZeroPadding1D": [({}, (2, 3, 2)), ({"padding": (0, 2), "data_format": "channels_first"}, (2, 2, 3))],
    "ZeroPadding2D": [
        ({}, (2, 3, 2, 1)),
        ({"padding": (2, 0)}, (2, 3, 2, 1)),
        ({"padding": ((1, 0), (2, 3)), "data_format": "channels_first"}, (2, 1, 3, 2)),
    ],
    "ZeroPadding3D": [({}, (1, 2, 2, 2, 1)), ({"padding": ((1, 0), (2, 3), (0, 0))}, (1, 2, 2, 2, 1))],
    "Cropping1D": [({}, (2, 5, 2)), ({"cropping": (0, 2)}, (2, 5, 2)), ({"cropping": 2}, (2, 5, 2))],
    "Cropping2D": [
        ({}, (2, 3, 4, 1)),
        ({"cropping": (1, 0)}, (2, 3, 4, 1)),
        ({"cropping": ((1, 0), (2, 1)), "data_format": "channels_first"}, (2, 1, 3, 4)),
    ],
    "Cropping3D": [({}, (1, 3, 4, 5, 1)), ({"cropping": ((1, 0), (2, 1), (0, 0))}, (1, 3, 4, 5, 1))],
    "UpSampling1D": [({}, (2, 3, 2)), ({"size": 3}, (2, 1, 2))],
    "UpSampling2D": [
        ({}, (2, 3, 4, 2)),
        ({"size": (3, 2), "interpolation": "bilinear"}, (2, 3, 4, 2)),
        ({"size": (1, 5), "interpolation": "bicubic"}, (2, 3, 4, 2)),
        ({"size": 3, "data_format": "channels_first", "interpolation": "bilinear"}, (2, 2, 3, 4)),
        ({"size": (3, 1), "data_format": "channels_first"}, (2, 2, 3, 4)),
    ],
    "UpSampling3D": [
        ({}, (1, 2, 3, 2, 2)),
        ({"size": (1, 2, 3), "data_format": "channels_first"}, (1, 2, 1, 2, 3)),
    ],
}
FLAT = [(name, *case) for name, cases in CASES.items() for case in cases]


def keras_class(name: str) -> Any:
    return getattr(keras.layers, name)


@pytest.mark.parametrize(
    ("name", "arguments", "shape"), FLAT, ids=[f"{name}-{i}" for i, (name, *_) in enumerate(FLAT)]
)
def test_same_as_keras(name: str, arguments: dict[str, Any], shape: tuple[int, ...]) -> None:
    ours, theirs = getattr(layers, name)(**arguments), keras_class(name)(**arguments)
    assert_same_as_keras(ours, theirs, x(*shape))
    penalties = [value.item() for value in theirs.losses]
    assert sorted(value.item() for value in ours.losses) == pytest.approx(sorted(penalties), rel=1e-5)


def test_every_registered_class_has_a_case() -> None:
    named = {name for name in layers.LAYERS.names() if name[:-2].removesuffix("DTran") and name[-1:] in "De"}
    spatial = {
        name for name in named if name.rstrip("D123").removesuffix("DTranspose").rstrip("D123") in FAMILIES
    }
    assert spatial == CASES.keys()
    assert "LocalResponseNormalization" in layers.LAYERS  # test_local_response.py


@pytest.mark.parametrize("name", sorted(CASES))
def test_signature_is_that_of_keras(name: str) -> None:
    ours = [p for p in inspect.signature(getattr(layers, name)).parameters if p != "kwargs"]
    theirs = [p for p in inspect.signature(keras_class(name)).parameters if p != "kwargs"]
    assert ours == theirs


def test_signatures_of_classes_and_of_layers() -> None:
    """Any Python shows the constructor's for the class, and the call's for a layer."""
    assert list(layers.Dense.__signature__.parameters)[:2] == ["units", "activation"]
    assert list(layers.MaxPooling1D.__signature__.parameters)[:2] == ["pool_size", "strides"]
    assert "units" not in inspect.signature(layers.Dense(2)).parameters


def test_other_names() -> None:
    for rank in (1, 2, 3):
        for short, full in {
            "Convolution{}D": "Conv{}D",
            "Convolution{}DTranspose": "Conv{}DTranspose",
            "MaxPool{}D": "MaxPooling{}D",
            "AvgPool{}D": "AveragePooling{}D",
            "GlobalMaxPool{}D": "GlobalMaxPooling{}D",
            "GlobalAvgPool{}D": "GlobalAveragePooling{}D",
            **({"SeparableConvolution{}D": "SeparableConv{}D"} if rank < 3 else {}),
        }.items():
            cls = getattr(layers, full.format(rank))
            with pytest.warns(DeprecationWarning, match=cls.__name__):
                assert getattr(layers, short.format(rank)) is cls
            assert layers.LAYERS.resolve(short.format(rank)) is cls
            assert getattr(keras.layers, short.format(rank)).__name__ == cls.__name__


numbers = st.integers
ranks = st.sampled_from([1, 2, 2, 2, 3])
paddings = st.sampled_from(["valid", "same"])
formats = st.sampled_from(["channels_last", "channels_last", "channels_first"])


@st.composite
def windows(draw: st.DrawFn, dilated: bool = True) -> tuple[int, dict[str, Any], tuple[int, ...]]:
    """Rank, arguments of a window and spatial sizes that it fits into."""
    rank = draw(ranks)
    sizes = draw(st.tuples(*[numbers(1, 9 if rank < 3 else 5)] * rank))
    kernel = draw(st.tuples(*[numbers(1, 4)] * rank))
    strides, dilation = (1,) * rank, (1,) * rank
    if dilated and draw(st.booleans()):
        dilation = draw(st.tuples(*[numbers(1, 3)] * rank))
    else:
        strides = draw(st.tuples(*[numbers(1, 5)] * rank))
    padding = draw(paddings)
    if padding == "valid":
        assume(all(n >= (k - 1) * d + 1 for n, k, d in zip(sizes, kernel, dilation, strict=True)))
    arguments = {"strides": strides, "padding": padding, "data_format": draw(formats)}
    if dilated:
        arguments["dilation_rate"] = dilation
    return rank, {**arguments, "kernel_size": kernel}, sizes


def inputs_for(arguments: dict[str, Any], sizes: tuple[int, ...], channels: int, batch: int = 2) -> Any:
    if arguments["data_format"] == "channels_last":
        return x(batch, *sizes, channels)
    return x(batch, channels, *sizes)


@given(windows(), numbers(1, 2), numbers(1, 3), numbers(1, 3))
def test_drawn_convolutions(window: Any, groups: int, depth: int, filters: int) -> None:
    rank, arguments, sizes = window
    arguments |= {"filters": filters * groups, "groups": groups}
    name = f"Conv{rank}D"
    inputs = inputs_for(arguments, sizes, depth * groups)
    assert_same_as_keras(getattr(layers, name)(**arguments), keras_class(name)(**arguments), inputs)


@given(windows(), st.booleans(), numbers(1, 3), numbers(1, 3))
def test_drawn_transposed_convolutions(window: Any, extra: bool, depth: int, filters: int) -> None:
    rank, arguments, sizes = window
    arguments |= {"filters": filters}
    if extra:
        arguments["output_padding"] = tuple(stride - 1 for stride in arguments["strides"])
    name = f"Conv{rank}DTranspose"
    layer = getattr(layers, name)(**arguments)
    inputs = inputs_for(arguments, sizes, depth)
    theirs = keras_class(name)(**arguments)
    assume(min(theirs.compute_output_shape(inputs.shape)) > 0)
    assert_same_as_keras(layer, theirs, inputs)


@given(windows(), numbers(1, 2), numbers(1, 3), st.booleans())
def test_drawn_depthwise_and_separable(window: Any, multiplier: int, depth: int, mixed: bool) -> None:
    rank, arguments, sizes = window
    assume(rank < 3)
    arguments |= {"depth_multiplier": multiplier, **({"filters": 3} if mixed else {})}
    name = f"{'Separable' if mixed else 'Depthwise'}Conv{rank}D"
    inputs = inputs_for(arguments, sizes, depth)
    assert_same_as_keras(getattr(layers, name)(**arguments), keras_class(name)(**arguments), inputs)


@given(windows(dilated=False), numbers(1, 3))
def test_drawn_max_pooling(window: Any, depth: int) -> None:
    rank, arguments, sizes = window
    arguments["pool_size"] = arguments.pop("kernel_size")
    name = f"MaxPooling{rank}D"
    inputs = inputs_for(arguments, sizes, depth) - 5  # all below 0: added zeros would win
    assert_same_as_keras(getattr(layers, name)(**arguments), keras_class(name)(**arguments), inputs)


@given(windows(dilated=False), numbers(1, 3))
def test_drawn_average_pooling(window: Any, depth: int) -> None:
    rank, arguments, sizes = window
    arguments["pool_size"] = arguments.pop("kernel_size")
    name = f"AveragePooling{rank}D"
    inputs = inputs_for(arguments, sizes, depth)
    assert_same_as_keras(getattr(layers, name)(**arguments), keras_class(name)(**arguments), inputs)


def test_masked_average() -> None:
    inputs, mask = x(2, 4, 3), np.array([[1, 1, 0, 1], [0, 1, 0, 0]], bool)
    for keepdims in (False, True):
        ours = layers.GlobalAveragePooling1D(keepdims=keepdims)
        theirs = keras.layers.GlobalAveragePooling1D(keepdims=keepdims)
        assert_close("masked", ours(inputs, mask=mask), theirs(inputs, mask=mask))
