"""Constraints against Keras on torch."""

from __future__ import annotations

import json
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

from typing import Any

import keras
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neocog import constraints
from neocog.constraints import CONSTRAINTS
from neocog.exceptions import ArgumentError, ArgumentTypeError, UnknownNameError

CASES: dict[str, list[dict[str, Any]]] = {
    "MaxNorm": [{}, {"max_value": 0.7}, {"max_value": 1, "axis": [0, 1]}],
    "NonNeg": [{}],
    "UnitNorm": [{}, {"axis": (0, 1)}],
    "MinMaxNorm": [{}, {"min_value": 0.8, "max_value": 1.2, "rate": 0.3, "axis": -1}],
}
ALL = [(name, config) for name, configs in CASES.items() for config in configs]


def test_every_registered_class_has_a_case() -> None:
    assert set(CASES) == set(CONSTRAINTS.names())


@pytest.mark.parametrize(("name", "config"), ALL)
@given(
    shape=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    seed=st.integers(0, 10**6),
    scale=st.sampled_from([0.0, 0.1, 3.0]),
)
def test_weights_are_keras(name: str, config: dict[str, Any], shape: Any, seed: int, scale: float) -> None:
    w = (np.random.default_rng(seed).normal(size=shape) * scale).astype("float32")
    ours = getattr(constraints, name)(**config)(torch.tensor(w)).numpy()
    theirs = getattr(keras.constraints, name)(**config)(torch.tensor(w)).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)


@given(seed=st.integers(0, 10**6))
def test_norms_end_where_they_should(seed: int) -> None:
    w = torch.tensor(np.random.default_rng(seed).normal(size=(7, 5)) * 3)
    assert (torch.linalg.vector_norm(constraints.MaxNorm(1.5)(w), dim=0) <= 1.5 + 1e-6).all()
    assert torch.linalg.vector_norm(constraints.UnitNorm()(w), dim=0) == pytest.approx(np.ones(5), abs=1e-6)
    norms = torch.linalg.vector_norm(constraints.MinMaxNorm(1.0, 2.0)(w), dim=0)
    assert ((norms >= 1 - 1e-6) & (norms <= 2 + 1e-6)).all()
    assert (constraints.NonNeg()(w) >= 0).all()


@pytest.mark.parametrize(("name", "config"), ALL)
def test_configuration_round_trip(name: str, config: dict[str, Any]) -> None:
    constraint = getattr(constraints, name)(**config)
    described = constraints.serialize(constraint)
    again = constraints.deserialize(described)
    assert type(again) is type(constraint)
    assert again.get_config() == constraint.get_config()
    theirs = keras.constraints.get(described).get_config()
    assert json.dumps(theirs) == json.dumps(constraint.get_config())  # files know lists alone


def test_names() -> None:
    assert constraints.get("max_norm").max_value == 2
    assert constraints.get("non_neg").get_config() == {}
    assert constraints.get(None) is None
    assert isinstance(constraints.get("unit_norm"), constraints.unit_norm)
    assert constraints.get("min_max_norm").rate == 1.0
    assert constraints.get(torch.abs) is torch.abs
    with pytest.raises(UnknownNameError, match="max_norm"):
        constraints.get("maxnorms")


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ArgumentError, match="max_value"):
        constraints.MaxNorm(-1)
    with pytest.raises(ArgumentTypeError, match="max_value"):
        constraints.MaxNorm("2")
    with pytest.raises(ArgumentError, match="rate"):
        constraints.MinMaxNorm(rate=2)
    with pytest.raises(ArgumentError, match="max_value"):
        constraints.MinMaxNorm(min_value=2, max_value=1)
