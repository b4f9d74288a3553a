"""Layers that hand their inputs on: Identity, ActivityRegularization."""

from __future__ import annotations

from typing import Any

import torch

from neocog import regularizers
from neocog.core import check_number
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS


@LAYERS.register("identity")
class Identity(Layer):
    """Return the inputs as they are.

    Example:
        >>> Identity()(torch.tensor([1, 2]))
        tensor([1, 2])
    """

    supports_masking = True

    def call(self, inputs: Any) -> Any:
        """Return the inputs."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        return input_shape

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return the type of the inputs."""
        return input_dtype


@LAYERS.register("activity_regularization")
class ActivityRegularization(Layer):
    """Return the inputs and add `l1 · sum |x| + l2 · sum x²`, divided by the batch size, to the loss.

    Args:
        l1: factor of the absolute values, 0 or more.
        l2: factor of the squares, 0 or more.

    Example:
        >>> layer = ActivityRegularization(l2=0.5)
        >>> _ = layer(torch.ones(1, 4))
        >>> layer.losses
        [tensor(2.)]
    """

    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.l1 = check_number(self.label, "l1", l1, minimum=0)
        self.l2 = check_number(self.label, "l2", l2, minimum=0)
        self.activity_regularizer = regularizers.L1L2(l1=self.l1, l2=self.l2)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the inputs."""
        return self.as_float(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        config = super().get_config()
        config.pop("activity_regularizer", None)
        return {**config, "l1": self.l1, "l2": self.l2}
