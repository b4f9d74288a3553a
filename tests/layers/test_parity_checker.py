"""The checker of the layer tests is itself shown to fail on wrong values."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from parity import assert_close, assert_same_as_keras

from neocog.layers._dense import Dense

INPUTS = np.random.default_rng(3).normal(size=(4, 5)).astype("float32")


def test_accepts_the_same_layer() -> None:
    assert_same_as_keras(Dense(3, "tanh"), keras.layers.Dense(3, "tanh"), INPUTS)


class WrongValue(Dense):
    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        return super().call(inputs) * 1.0001


class WrongGradient(Dense):
    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        outputs = super().call(inputs)
        return outputs.detach() * 2 - outputs


class WrongWeightGradient(Dense):
    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        kernel = self.weight.detach() * 0.5 + self.weight * 0.5
        return inputs @ kernel.mT + self.bias


class WrongShape(Dense):
    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (1, *super().compute_output_shape(input_shape)[1:])


class WrongConfig(Dense):
    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "use_bias": False}


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (WrongValue, "output 0"),
        (WrongGradient, "gradient to input 0"),
        (WrongWeightGradient, "gradient to wrong_weight_gradient/kernel"),
        (WrongShape, "real"),
        (WrongConfig, "use_bias"),
    ],
)
def test_fails_on(wrong: type[Dense], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        assert_same_as_keras(wrong(3), keras.layers.Dense(3), INPUTS)


def test_fails_on_another_layer() -> None:
    with pytest.raises(AssertionError, match="weights"):
        assert_same_as_keras(Dense(3, use_bias=False), keras.layers.Dense(3), INPUTS)
    with pytest.raises(AssertionError, match="output 0"):
        assert_same_as_keras(Dense(3, "relu"), keras.layers.Dense(3), INPUTS)


def test_close_sees_shape_value_and_nan() -> None:
    assert_close("same", np.ones(3, "float32"), torch.ones(3))
    for wrong in (np.ones((3, 1), "float32"), np.full(3, 1.001, "float32"), np.full(3, np.nan, "float32")):
        with pytest.raises(AssertionError):
            assert_close("wrong", wrong, torch.ones(3))
