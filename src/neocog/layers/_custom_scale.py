"""The layer of Inception-ResNet that adds a scaled branch; here, so that files with it open."""

from __future__ import annotations

from typing import Any

from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS


@LAYERS.register()
class CustomScaleLayer(Layer):
    """Add the second input, scaled, to the first.

    Args:
        scale: of the second input.
    """

    keras_module = "keras.src.applications.inception_resnet_v2"  # what Keras's own files say

    def __init__(self, scale: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs: Any) -> Any:
        """Compute the outputs."""
        return inputs[0] + inputs[1] * self.scale

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the first input."""
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "scale": self.scale}
