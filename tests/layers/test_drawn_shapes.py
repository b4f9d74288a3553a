"""Shapes that nobody thought of: hypothesis draws them, real Keras knows the result."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from parity import assert_close

from neocog import layers

SIZES = st.integers(1, 6)


def values(shape: Any, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def compare(name: str, arguments: Any, inputs: Any, rtol: float = 1e-5) -> None:
    ours, theirs = getattr(layers, name)(**arguments), getattr(keras.layers, name)(**arguments)
    got, want = ours(inputs), theirs(inputs)
    assert_close(name, got, want, rtol)
    shapes = [one.shape for one in inputs] if isinstance(inputs, list) else inputs.shape
    assert ours.compute_output_shape(shapes) == tuple(want.shape)
    symbols = [layers.Input(one.shape[1:]) for one in inputs] if isinstance(inputs, list) else None
    symbol = ours(symbols if symbols is not None else layers.Input(inputs.shape[1:]))
    assert symbol.shape == (None, *want.shape[1:])


@given(
    st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.integers(1, 4)),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.sampled_from(["bilinear", "nearest", "bicubic"]),
    st.sampled_from([{}, {"antialias": True}, {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True}]),
)
def test_resizing(shape: Any, size: Any, interpolation: str, more: Any) -> None:
    arguments = {"height": size[0], "width": size[1], "interpolation": interpolation, **more}
    compare("Resizing", arguments, values(shape))
    compare("CenterCrop", {"height": size[0], "width": size[1]}, values(shape))


@given(st.lists(SIZES, min_size=1, max_size=3), st.data())
def test_merges(shape: list[int], data: Any) -> None:
    others = [
        [data.draw(st.sampled_from([1, n])) for n in shape] for _ in range(data.draw(st.integers(0, 2)))
    ]
    inputs = [values((3, *one), seed) for seed, one in enumerate([shape, *others])]
    for name in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
        compare(name, {}, inputs)
    if len(inputs) == 2:
        compare("Subtract", {}, inputs)


@given(st.lists(SIZES, min_size=2, max_size=4), st.integers(0, 3), st.lists(SIZES, min_size=1, max_size=3))
def test_concatenate(shape: list[int], place: int, sizes: list[int]) -> None:
    axis = 1 + place % (len(shape) - 1)
    inputs = [values([n if i == axis else m for i, m in enumerate(shape)]) for n in sizes]
    for counted in (axis, axis - len(shape)):
        compare("Concatenate", {"axis": counted}, inputs)


@given(st.lists(SIZES, min_size=1, max_size=3), st.lists(SIZES, min_size=1, max_size=2), SIZES, st.data())
def test_dot(left: list[int], right: list[int], size: int, data: Any) -> None:
    a, b = data.draw(st.integers(1, len(left))), data.draw(st.integers(1, len(right)))
    left[a - 1] = right[b - 1] = size
    inputs = [values((2, *left)), values((2, *right), 1)]
    compare("Dot", {"axes": (a, b), "normalize": data.draw(st.booleans())}, inputs)


@given(st.lists(SIZES, min_size=2, max_size=5), st.integers(1, 3), st.integers(1, 3), st.data())
def test_group_and_layer_normalisation(shape: list[int], groups: int, each: int, data: Any) -> None:
    axis = data.draw(st.integers(1, len(shape) - 1))
    shape[axis] = groups * each
    if np.prod(shape[1:]) > groups:  # one value a group: nothing but rounding
        compare("GroupNormalization", {"groups": groups, "axis": axis}, values(shape), rtol=1e-4)
    first = data.draw(st.integers(1, len(shape) - 1))
    compare("LayerNormalization", {"axis": list(range(first, len(shape)))}, values(shape), rtol=1e-4)


@given(st.lists(SIZES, min_size=2, max_size=5), st.data())
def test_rearrangements(shape: list[int], data: Any) -> None:
    inputs = values(shape)
    compare("Permute", {"dims": tuple(data.draw(st.permutations(range(1, len(shape)))))}, inputs)
    compare(
        "Flatten", {"data_format": data.draw(st.sampled_from(["channels_last", "channels_first"]))}, inputs
    )
    target = [*data.draw(st.permutations(shape[1:])), 1]
    target[data.draw(st.integers(0, len(target) - 1))] = -1
    compare("Reshape", {"target_shape": tuple(target)}, inputs)


@given(
    st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(1, 7), st.just(2)),
    st.tuples(st.floats(-0.9, 1), st.floats(-1, 1)),
    st.sampled_from(["reflect", "nearest", "wrap", "constant"]),
)
def test_zooms_and_translations(shape: Any, factors: Any, fill: str) -> None:
    images = np.random.default_rng(1).uniform(1, 2, shape).astype("float32")
    for name in ("RandomZoom", "RandomTranslation"):
        fixed = {
            "height_factor": (factors[0],) * 2,
            "width_factor": (max(factors[1], -0.9),) * 2,
            "fill_mode": fill,
            "fill_value": 1.5,
        }
        got = getattr(layers, name)(**fixed)(images, training=True)
        want = getattr(keras.layers, name)(**fixed)(images, training=True)
        assert_close(name, got, want, rtol=2e-5)
