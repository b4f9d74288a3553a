"""Augmentation by shearing."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import check_number
from neocog.layers._registry import LAYERS
from neocog.layers.augment._arguments import share_bounds
from neocog.layers.augment._warping import GeometricLayer


@LAYERS.register("random_shear")
class RandomShear(GeometricLayer):
    """Shear each image by random amounts in training.

    Args:
        x_factor: bounds of how far a row moves for each pixel of height, `(low, high)` from 0 to 1, or a
            number f for `(-f, f)`.
        y_factor: bounds of how far a column moves for each pixel of width, likewise. Both change their sign
            in half of the images.
        interpolation: `"bilinear"` or `"nearest"`.
        fill_mode: what comes in from outside: `"reflect"`, `"nearest"` (the edge), `"wrap"` or `"constant"`.
        fill_value: for `"constant"`.
        data_format: `"channels_last"` (default) or `"channels_first"`.
        seed: own seed of the layer's random numbers; None takes torch's global generator.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; floats.

    Example:
        >>> RandomShear(0.2, 0.1)(torch.zeros(2, 8, 8, 3), training=True).shape
        torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.x_factor = _bounds(self.label, "x_factor", x_factor)
        self.y_factor = _bounds(self.label, "y_factor", y_factor)

    def draw_matrices(self, batch: int, height: int, width: int, device: torch.device | str) -> torch.Tensor:
        """Draw a shear for each image, about the upper left corner."""
        sign = self.signs(batch, device)
        down = self.uniform(batch, self.y_factor, device) * sign
        across = self.uniform(batch, self.x_factor, device) * sign
        one, zero = torch.ones_like(down), torch.zeros_like(down)
        return torch.stack([one, across, zero, down, one, zero], dim=1).reshape(-1, 2, 3)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values; Keras reads bounds about 0 as numbers."""
        factors = {"x_factor": self.x_factor, "y_factor": self.y_factor}
        plain = {name: pair[1] if pair[0] < 0 else pair for name, pair in factors.items()}
        return {**super().get_config(), **plain}


def _bounds(where: str, name: str, value: Any) -> tuple[float, float]:
    if isinstance(value, (list, tuple)):
        if len(value) != 2 or value[0] >= 0 or value[0] != -value[1]:
            return share_bounds(where, name, value)
        value = value[1]  # as Keras writes what was a number
    size = check_number(where, name, value, minimum=0.0, maximum=1.0)
    return -size, size
