"""Multiplying and shifting: what puts pixels between 0 and 1."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import image_data_format, to_tensor, torch_dtype
from neocog.functional import computed_as, rounded_to
from neocog.layers._activations import ElementwiseLayer
from neocog.layers._registry import LAYERS


@LAYERS.register("rescaling")
class Rescaling(ElementwiseLayer):
    """Return `inputs · scale + offset`, as floats: `Rescaling(1 / 255)` puts pixels between 0 and 1.

    With a `dtype` of whole numbers results are rounded and kept in its range. (Keras 3.15 cuts `scale` to a
    whole number there.)

    Args:
        scale: a number, or one for each channel.
        offset: a number, or one for each channel.

    Shapes:
        Any, unchanged.

    Example:
        >>> Rescaling(1 / 127.5, offset=-1)(torch.tensor([0, 255], dtype=torch.uint8)).tolist()
        [-1.0, 1.0]
    """

    _scales: torch.Tensor
    _offsets: torch.Tensor

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = _plain(scale)
        self.offset = _plain(offset)
        self._per_channel = isinstance(self.scale, list) or isinstance(self.offset, list)

    def build(self, input_shape: Any) -> None:
        """Put the numbers for the channels beside the weights, so that they move to the device with them."""
        if not self._per_channel:
            return
        for name, value in (("_scales", self.scale), ("_offsets", self.offset)):
            tensor = to_tensor(value, dtype=self._dtype if self._computes_floats() else "float32")
            if name == "_scales" and tensor.ndim and image_data_format() == "channels_first":
                tensor = tensor.reshape(*tensor.shape, *(1,) * (3 - tensor.ndim))
            self.register_buffer(name, tensor, persistent=False)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        if self._computes_floats():
            return self._scaled(inputs)
        kind = torch_dtype(self._dtype)
        return rounded_to(self._scaled(computed_as(inputs.to(kind), kind)), kind)

    def _scaled(self, inputs: torch.Tensor) -> torch.Tensor:
        if self._per_channel:
            return self.as_float(inputs) * self._scales + self._offsets
        if self._dtype != "float32":
            inputs = self.as_float(inputs)
        outputs = torch.mul(inputs, self.scale)  # uint8 to float32 on the way: one pass over the images
        return torch.add(outputs, self.offset) if self.offset else outputs

    def _computes_floats(self) -> bool:
        return torch_dtype(self._dtype).is_floating_point

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return the type of the outputs: floats stay, where the layer's type is one of floats."""
        return super().compute_output_dtype(input_dtype) if self._computes_floats() else self._dtype

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}


def _plain(value: Any) -> Any:
    """Return a number as float, and anything with several numbers as nested lists."""
    if isinstance(value, dict):  # how Keras writes an array
        value = value["config"]["value"]
    return to_tensor(value, dtype="float64").tolist()
