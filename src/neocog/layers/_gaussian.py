"""Gaussian noise, added or multiplied."""

from __future__ import annotations

import math
from typing import Any

import torch

from neocog.core import check_number, drawn
from neocog.exceptions import ArgumentError, message
from neocog.layers._dropout import NoiseLayer
from neocog.layers._registry import LAYERS


@LAYERS.register("gaussian_noise")
class GaussianNoise(NoiseLayer):
    """Add noise of mean 0 in training.

    Args:
        stddev: standard deviation of the noise, from 0 to 1.
        seed: own seed of the layer's random numbers; None takes torch's global generator.

    Example:
        >>> GaussianNoise(0.1)(torch.ones(2), training=False)
        tensor([1., 1.])
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        self.stddev = check_number(self.label, "stddev", stddev, minimum=0, maximum=1)

    def call(self, inputs: torch.Tensor, training: bool | None = None) -> torch.Tensor:
        """Compute the outputs."""
        inputs = self.as_float(inputs)
        if not training or self.stddev == 0:
            return inputs
        generator = self.seed_generator.generator(inputs.device)
        return inputs + drawn(
            inputs, inputs.shape, lambda noise: noise.normal_(0.0, self.stddev, generator=generator)
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "stddev": self.stddev}


@LAYERS.register("gaussian_dropout")
class GaussianDropout(NoiseLayer):
    """Multiply by noise of mean 1 and standard deviation `sqrt(rate / (1 - rate))` in training.

    Args:
        rate: the dropout rate with the same variance, at least 0 and below 1.
        seed: own seed of the layer's random numbers; None takes torch's global generator.

    Example:
        >>> GaussianDropout(0.5)(torch.ones(2), training=False)
        tensor([1., 1.])

    Reference:
        Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, 2014, sec. 10.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed=seed, **kwargs)
        self.rate = check_number(self.label, "rate", rate, minimum=0, maximum=1)
        if self.rate == 1:
            raise ArgumentError(message(self.label, expected="rate below 1", got=rate))

    def call(self, inputs: torch.Tensor, training: bool | None = None) -> torch.Tensor:
        """Compute the outputs."""
        inputs = self.as_float(inputs)
        if not training or self.rate == 0:
            return inputs
        spread = math.sqrt(self.rate / (1 - self.rate))
        generator = self.seed_generator.generator(inputs.device)
        return inputs * drawn(
            inputs, inputs.shape, lambda noise: noise.normal_(1.0, spread, generator=generator)
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "rate": self.rate}
