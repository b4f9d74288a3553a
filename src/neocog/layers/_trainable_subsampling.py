"""Pooling with weights: the subsampling of the first convolutional networks."""

from __future__ import annotations

from typing import Any

import torch

from neocog import initializers
from neocog.functional import layout
from neocog.layers._activation_argument import get_activation, serialize_activation
from neocog.layers._pooling import AveragePooling2D
from neocog.layers._registry import LAYERS
from neocog.layers._sizes import known_size


@LAYERS.register("trainable_subsampling")
class TrainableSubsampling(AveragePooling2D):
    """Add up windows of each channel, times a coefficient, plus a bias: both trained, one of each a channel.

        outputs = activation(coefficient · Σ window + bias)

    Args:
        pool_size: size of the window: one number (default 2), or one for each spatial axis.
        strides: steps between windows, likewise; `pool_size` when None.
        padding: `"valid"` or `"same"`, as in AveragePooling2D.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
        activation: function or its name; None is the identity.
        coefficient_initializer: of the coefficients, shape (channels,); None starts as the window's average.
        bias_initializer: of the bias, shape (channels,).

    Shapes:
        (batch, height, width, channels) to (batch, new height, new width, channels); channels in front with
        `"channels_first"`. Torch's `weight` holds the coefficients.

    Example:
        >>> TrainableSubsampling(2)(torch.ones(1, 28, 28, 6)).shape
        torch.Size([1, 14, 14, 6])

    Reference:
        LeCun et al., Gradient-Based Learning Applied to Document Recognition, 1998, section II.B.
    """

    weight: torch.Tensor
    bias: torch.Tensor

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        coefficient_initializer: Any = None,
        bias_initializer: Any = "zeros",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)
        self.activation = get_activation(activation)
        self.coefficient_initializer = initializers.get(coefficient_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self._area = self.pool_size[0] * self.pool_size[1]

    def build(self, input_shape: Any) -> None:
        """Make a coefficient and a bias for each channel."""
        channels = known_size(self.label, input_shape, layout(2, self.data_format).channel_axis)
        start = self.coefficient_initializer
        start = initializers.Constant(1 / self._area) if start is None else start
        self.make_weight("coefficient", "weight", (channels,), start)
        self.make_weight("bias", "bias", (channels,), self.bias_initializer)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        averages = super().call(inputs)
        shape = (-1,) if self.data_format == "channels_last" else (-1, 1, 1)
        coefficient, bias = (self.weight * self._area).view(shape), self.bias.view(shape)
        outputs: torch.Tensor = self.activation(averages * coefficient + bias)
        return outputs

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "activation": serialize_activation(self.activation),
            "coefficient_initializer": initializers.serialize(self.coefficient_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
        }
