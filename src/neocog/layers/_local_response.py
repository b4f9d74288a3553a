"""Local response normalisation."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import check_int, check_number, standardize_data_format
from neocog.functional import local_response_normalization
from neocog.layers._input_spec import InputSpec
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS


@LAYERS.register("local_response_normalization", "LRN")
class LocalResponseNormalization(Layer):
    """Divide each value by a power of the sum of squares of the channels beside it.

        outputs = inputs / (bias + alpha · Σ inputs²)^beta,   the sum over 2 · depth_radius + 1 channels

    Keras has no such layer; the arguments and defaults are those of `tf.nn.local_response_normalization`.
    AlexNet used depth_radius=2, bias=2, alpha=1e-4, beta=0.75.

    Args:
        depth_radius: neighbours on each side; default 5.
        bias: added to the sum; default 1.
        alpha: factor of the sum; default 1.
        beta: exponent; default 0.5.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Shapes:
        Any, with channels; the outputs have the shape of the inputs.

    Example:
        >>> LocalResponseNormalization(2, bias=2.0, alpha=1e-4, beta=0.75)(torch.ones(1, 4, 4, 8)).shape
        torch.Size([1, 4, 4, 8])

    Reference:
        Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks,
        2012, section 3.3.
    """

    def __init__(
        self,
        depth_radius: int = 5,
        bias: float = 1.0,
        alpha: float = 1.0,
        beta: float = 0.5,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.depth_radius = check_int(self.label, "depth_radius", depth_radius, minimum=0)
        self.bias = check_number(self.label, "bias", bias)
        self.alpha = check_number(self.label, "alpha", alpha)
        self.beta = check_number(self.label, "beta", beta)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=2)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        x = self.as_float(inputs)
        arguments = (self.depth_radius, self.bias, self.alpha, self.beta)
        if self.data_format == "channels_last":
            return local_response_normalization(x, *arguments)
        return local_response_normalization(x.movedim(1, -1), *arguments).movedim(-1, 1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "depth_radius": self.depth_radius,
            "bias": self.bias,
            "alpha": self.alpha,
            "beta": self.beta,
            "data_format": self.data_format,
        }
