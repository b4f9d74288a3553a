"""Initializers: fans and constants as in Keras, moments and bounds as the formulas say."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import math
from typing import Any

import keras
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from keras.src.initializers.random_initializers import compute_fans as keras_fans

from neocog import initializers
from neocog.core import set_random_seed
from neocog.exceptions import ArgumentError, ArgumentTypeError, ShapeError, UnknownNameError
from neocog.initializers import INITIALIZERS

AXES = {"input_axes": [0, 1], "output_axes": [2]}
CASES: dict[str, list[dict[str, Any]]] = {
    "Zeros": [{}],
    "Ones": [{}],
    "Constant": [{}, {"value": 2.5}, {"value": 3}, {"value": [1.0, 2.0]}],
    "ArrayInitializer": [{"value": np.arange(6.0).reshape(3, 2)}],
    "Identity": [{}, {"gain": 2.0}],
    "STFT": [{}, {"side": "imag", "window": "hamming", "scaling": "spectrum", "periodic": True}],
    "RandomNormal": [{}, {"mean": 1.0, "stddev": 0.5, "seed": 3}],
    "RandomUniform": [{}, {"minval": 1.0, "maxval": 3.0, "seed": 3}],
    "TruncatedNormal": [{}, {"mean": -1.0, "stddev": 2.0, "seed": 3}],
    "VarianceScaling": [
        {},
        {"scale": 2.0, "mode": "fan_out", "distribution": "uniform"},
        {"scale": 0.5, "mode": "fan_avg", "distribution": "untruncated_normal"},
    ],
    **{
        f"{family}{kind}": [{}, {"seed": 7, **AXES}]
        for family in ("Glorot", "He", "Lecun")
        for kind in ("Uniform", "Normal")
    },
    "Orthogonal": [{}, {"gain": 1.5, "seed": 2}],
}
ALL = [(name, config) for name, configs in CASES.items() for config in configs]
RANDOM = [
    (name, config)
    for name, config in ALL
    if name not in ("Zeros", "Ones", "Constant", "ArrayInitializer", "Identity", "STFT")
]


def test_every_registered_class_has_a_case() -> None:
    assert set(CASES) == set(INITIALIZERS.names())
    for name in keras.src.initializers.ALL_OBJECTS_DICT:
        assert name in INITIALIZERS or name in ("Initializer", "initializer")


@given(shape=st.lists(st.integers(0, 9), max_size=5))
def test_fans_are_keras(shape: list[int]) -> None:
    assert initializers.compute_fans(shape) == keras_fans(shape)
    if len(shape) > 2:
        assert initializers.compute_fans(shape, **AXES) == keras_fans(shape, **AXES)


@pytest.mark.parametrize(
    ("name", "config", "shape"),
    [
        ("Zeros", {}, (2, 3)),
        ("Ones", {}, ()),
        ("Constant", {"value": 2}, (2, 3)),
        ("Constant", {"value": [1.0, 2.0]}, (3, 2)),
        ("Identity", {"gain": 3.0}, (3, 5)),
        ("STFT", {}, (16, 1, 9)),
        ("STFT", {"side": "imag", "scaling": "spectrum"}, (15, 1, 11)),
        ("STFT", {"window": None}, (8, 1, 5)),
        ("STFT", {"window": "hamming", "periodic": True, "scaling": None}, (8, 1, 5)),
    ],
)
def test_constants_are_keras(name: str, config: dict[str, Any], shape: tuple[int, ...]) -> None:
    ours = getattr(initializers, name)(**config)(shape)
    theirs = getattr(keras.initializers, name)(**config)(shape)
    assert ours.dtype == torch.float32
    # Keras rounds the angles of STFT to float32.
    np.testing.assert_allclose(ours.numpy(), theirs.detach().numpy(), rtol=1e-5, atol=5e-6)


def moments(values: torch.Tensor) -> tuple[float, float]:
    return values.mean().item(), values.std().item()


@pytest.mark.parametrize(("name", "config"), RANDOM)
@pytest.mark.parametrize("shape", [(200, 300), (3, 3, 60, 120)])
def test_moments_and_bounds_are_keras(name: str, config: dict[str, Any], shape: tuple[int, ...]) -> None:
    if "input_axes" in config:
        config = {**config, "output_axes": [len(shape) - 1]}
    ours = getattr(initializers, name)(**config)(shape)
    theirs = getattr(keras.initializers, name)(**config)(shape).detach()
    assert ours.shape == theirs.shape
    assert ours.device.type == "cpu"
    (mean, std), (mean_k, std_k) = moments(ours), moments(theirs)
    assert std == pytest.approx(std_k, rel=0.02)
    assert mean == pytest.approx(mean_k, abs=0.02 * std_k)
    if name != "Orthogonal":
        assert ours.max().item() == pytest.approx(theirs.max().item(), rel=0.25)
        assert ours.min().item() == pytest.approx(theirs.min().item(), rel=0.25, abs=0.02 * std_k)


def test_the_moment_check_sees_a_missing_truncation_factor() -> None:
    he = initializers.HeNormal()((200, 300))
    assert moments(he * 0.8796)[1] != pytest.approx(moments(initializers.HeNormal()((200, 300)))[1], rel=0.02)


def test_bounds() -> None:
    shape = (3, 3, 16, 32)
    limit = math.sqrt(6 / (9 * 48))
    assert initializers.GlorotUniform()(shape).abs().max() <= limit
    assert initializers.GlorotUniform()(shape).abs().max() > 0.99 * limit
    stddev = math.sqrt(2 / (9 * 16)) / 0.87962566103423978
    assert initializers.HeNormal()(shape).abs().max() <= 2 * stddev * (1 + 1e-6)
    assert initializers.HeNormal()(shape).std().item() == pytest.approx(math.sqrt(2 / (9 * 16)), rel=0.03)
    assert initializers.RandomUniform(2.0, 3.0)(shape).min() >= 2.0


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (3, 3, 2, 7), (2, 1, 9)])
def test_orthogonal_has_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    q = initializers.Orthogonal(gain=2.0)(shape, dtype="float64").reshape(-1, shape[-1])
    gram = q @ q.T if q.shape[0] < q.shape[1] else q.T @ q
    torch.testing.assert_close(gram, 4 * torch.eye(len(gram), dtype=torch.float64))


@pytest.mark.parametrize(("name", "config"), RANDOM)
def test_seeds(name: str, config: dict[str, Any]) -> None:
    make = getattr(initializers, name)
    shape = (4, 3, 5)
    seeded = make(**{**config, "seed": 5})
    state = torch.get_rng_state()
    first = seeded(shape)
    assert torch.equal(first, seeded(shape))
    assert torch.equal(first, seeded.clone()(shape))
    assert not torch.equal(first, make(**{**config, "seed": 6})(shape))
    assert torch.equal(state, torch.get_rng_state())  # the global generator was left alone
    free = make(**{**config, "seed": None})
    set_random_seed(1)
    drawn = free(shape)
    assert not torch.equal(drawn, free(shape))
    set_random_seed(1)
    assert torch.equal(drawn, free(shape))


@pytest.mark.parametrize(("name", "config"), ALL)
def test_types_and_configuration(name: str, config: dict[str, Any]) -> None:
    initializer = getattr(initializers, name)(**config)
    shape = {"STFT": (8, 1, 5), "Constant": (3, 2), "ArrayInitializer": (3, 2), "Identity": (3, 2)}.get(
        name, (3, 4, 2)
    )
    for dtype in ("float32", "float64", "float16", "bfloat16", torch.float32, None):
        expected = torch.float32 if dtype is None else dtype
        expected = getattr(torch, expected) if isinstance(expected, str) else expected
        assert initializer(shape, dtype=dtype).dtype == expected
        assert tuple(initializer(list(shape), dtype=dtype).shape) == shape
    described = initializers.serialize(initializer)
    again = initializers.deserialize(described)
    assert type(again) is type(initializer)
    assert again.get_config() == initializer.get_config()
    if name != "ArrayInitializer":
        theirs = keras.initializers.deserialize(described)
        assert type(theirs).__name__ == name
    if described["config"].get("seed", 0) is not None:
        torch.testing.assert_close(again(shape), initializer(shape))


def test_scaling_names_and_small_fans() -> None:
    assert initializers.VarianceScaling(distribution="NORMAL").distribution == "truncated_normal"
    assert initializers.HeNormal()((0, 4)).shape == (0, 4)
    assert initializers.GlorotUniform()(()).shape == ()


def test_get() -> None:
    assert isinstance(initializers.get("he_normal"), initializers.HeNormal)
    assert initializers.he_normal is initializers.HeNormal
    assert isinstance(initializers.get("zeros"), initializers.Zeros)
    assert isinstance(initializers.get("Ones"), initializers.Ones)
    assert isinstance(initializers.get("normal"), initializers.RandomNormal)
    assert isinstance(initializers.get("uniform"), initializers.RandomUniform)
    assert isinstance(initializers.get(initializers.Orthogonal), initializers.Orthogonal)
    assert initializers.get(None) is None
    config = {"class_name": "RandomNormal", "config": {"stddev": 0.2}}
    assert initializers.get(config).stddev == 0.2
    assert initializers.get(torch.zeros).__name__ == "zeros"
    array = np.arange(6).reshape(2, 3)
    for values in (array, torch.tensor(array)):
        initializer = initializers.get(values)
        torch.testing.assert_close(initializer((2, 3)), torch.arange(6.0).reshape(2, 3))
        first = initializer((2, 3))
        first += 1  # the weight must not share memory with the array
        assert initializer((2, 3))[0, 0] == 0
        with pytest.raises(ShapeError, match=r"\(3, 2\)"):
            initializer((3, 2))
    with pytest.raises(UnknownNameError, match="glorot_uniform"):
        initializers.get("glorot_unifrom")


def test_float64_arrays_keep_their_precision() -> None:
    value = np.array([1 / 3])
    assert initializers.Constant(value)((1,), dtype="float64").item() == 1 / 3


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ArgumentError, match="scale above 0"):
        initializers.VarianceScaling(scale=0.0)
    with pytest.raises(ArgumentError, match="mode"):
        initializers.VarianceScaling(mode="fan_inn")
    with pytest.raises(ArgumentError, match="distribution"):
        initializers.VarianceScaling(distribution="cauchy")
    with pytest.raises(ArgumentError, match="seed"):
        initializers.HeNormal(seed="7")
    with pytest.raises(ArgumentTypeError, match="scale"):
        initializers.VarianceScaling(scale="1")
    with pytest.raises(ShapeError, match="2 axes"):
        initializers.Identity()((2, 2, 2))
    with pytest.raises(ShapeError, match="2 axes"):
        initializers.Orthogonal()((2,))
    with pytest.raises(ShapeError, match="array"):
        initializers.Constant([1, 2, 3])((2, 2))
    with pytest.raises(ArgumentError, match="side"):
        initializers.STFT(side="left")
    with pytest.raises(ShapeError, match="window"):
        initializers.STFT(window=[1.0, 1.0])((3, 1, 2))
