"""Regularizers against Keras on torch and finite differences."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

from typing import Any

import keras
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neocog import regularizers
from neocog.exceptions import ArgumentError, ShapeError, UnknownNameError
from neocog.regularizers import REGULARIZERS

CASES: dict[str, list[dict[str, Any]]] = {
    "L1": [{}, {"l1": 0.3}, {"l1": 0}],
    "L2": [{}, {"l2": 0.3}],
    "L1L2": [{}, {"l1": 0.1}, {"l1": 0.1, "l2": 0.2}],
    "OrthogonalRegularizer": [{}, {"factor": 0.5, "mode": "columns"}],
}
ALL = [(name, config) for name, configs in CASES.items() for config in configs]


def test_every_registered_class_has_a_case() -> None:
    assert set(CASES) == set(REGULARIZERS.names())


@pytest.mark.parametrize(("name", "config"), ALL)
@given(shape=st.lists(st.integers(1, 5), min_size=1, max_size=4), seed=st.integers(0, 10**6))
def test_penalties_and_gradients_are_keras(name: str, config: dict[str, Any], shape: Any, seed: int) -> None:
    if name == "OrthogonalRegularizer":
        shape = [shape[0] + 1, shape[-1] + 1]
    w = np.random.default_rng(seed).normal(size=shape).astype("float32")
    results = []
    for module in (regularizers, keras.regularizers):
        leaf = torch.tensor(w, requires_grad=True)
        value = getattr(module, name)(**config)(leaf)
        if value.requires_grad:
            value.backward()
        results.append((value.item(), np.zeros(shape) if leaf.grad is None else leaf.grad.numpy()))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-5)
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("name", "config"), ALL)
def test_gradients_are_finite_differences(name: str, config: dict[str, Any]) -> None:
    w = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    regularizer = getattr(regularizers, name)(**config)
    if regularizer(w).requires_grad:
        assert torch.autograd.gradcheck(regularizer, (w,), eps=1e-6, atol=1e-6)


@pytest.mark.parametrize(("name", "config"), ALL)
def test_configuration_round_trip(name: str, config: dict[str, Any]) -> None:
    regularizer = getattr(regularizers, name)(**config)
    described = regularizers.serialize(regularizer)
    again = regularizers.deserialize(described)
    assert type(again) is type(regularizer)
    assert again.get_config() == regularizer.get_config()
    theirs = keras.regularizers.get(described).get_config()
    assert theirs == pytest.approx(regularizer.get_config())


def test_names_and_defaults() -> None:
    assert regularizers.get("l2").l2 == regularizers.l2().l2 == regularizers.L2(None).l2 == 0.01
    assert regularizers.get("l1_l2").get_config() == {"l1": 0.0, "l2": 0.0}
    assert regularizers.get(None) is None
    assert regularizers.get(regularizers.L1).l1 == 0.01
    assert regularizers.get("orthogonal_regularizer").mode == "rows"

    def own(x: torch.Tensor) -> torch.Tensor:
        return x.sum()

    assert regularizers.get(own) is own
    with pytest.raises(UnknownNameError, match="Did you mean"):
        regularizers.get("L3")


@pytest.mark.parametrize("bad", [-0.1, float("inf"), float("nan"), "0.1", True, [0.1]])
def test_bad_strengths_are_refused(bad: Any) -> None:
    for make in (regularizers.L1, regularizers.L2, regularizers.L1L2, regularizers.OrthogonalRegularizer):
        with pytest.raises(ArgumentError, match="0 or more"):
            make(bad)


def test_bad_modes_and_shapes_are_refused() -> None:
    with pytest.raises(ArgumentError, match="mode"):
        regularizers.OrthogonalRegularizer(mode="diagonal")
    with pytest.raises(ShapeError, match="matrix"):
        regularizers.OrthogonalRegularizer()(torch.ones(3))
