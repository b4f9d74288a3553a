"""Augmentations in hue and saturation."""

from __future__ import annotations

from typing import Any

import torch

from neocog.layers._registry import LAYERS
from neocog.layers.augment._arguments import (
    checked_range,
    factor_bounds,
    rescale,
    share_bounds,
    sorted_range,
)
from neocog.layers.augment._base import Draw, RandomImageLayer, require_rgb
from neocog.ops.image import hsv_to_rgb, rgb_to_hsv

_EPSILON = 1e-7


@LAYERS.register("random_hue")
class RandomHue(RandomImageLayer):
    """Turn the hue of each image by a random part of half the colour circle in training.

    Args:
        factor: bounds of that part, `(low, high)` from 0 to 1, or a number f for `(0, f)`; the direction is
            drawn too. 1 is half a turn.
        value_range: least and greatest value of a pixel.
        data_format: `"channels_last"` (default) or `"channels_first"`.
        seed: own seed of the layer's random numbers; None takes torch's global generator.

    Shapes:
        (batch, height, width, 3), unchanged, or one image; floats.

    Example:
        >>> cyan = RandomHue((1.0, 1.0), value_range=(0, 1))(torch.tensor([[[1.0, 0.0, 0.0]]]), training=True)
        >>> cyan.round().abs()
        tensor([[[0., 1., 1.]]])
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = share_bounds(self.label, "factor", factor)
        self.value_range = checked_range(self.label, value_range)

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw a turn for each image."""
        count, device = len(images), images.device
        return {"factor": self.signs(count, device) * self.uniform(count, self.factor, device) * 0.5}

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images in other hues."""
        require_rgb(self.label, images)
        colors = rgb_to_hsv(rescale(images, self.value_range, (0, 1)), data_format="channels_last")
        hue, saturation, value = colors.unbind(-1)
        hue = hue + drawn["factor"].to(images.dtype)[:, None, None]
        hue = torch.where(hue > 1.0, hue - 1.0, hue)
        hue = torch.where(hue < 0.0, hue + 1.0, hue)
        turned = hsv_to_rgb(torch.stack([hue, saturation, value], dim=-1), data_format="channels_last")
        return rescale(turned.clamp(0.0, 1.0), (0, 1), self.value_range)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


@LAYERS.register("random_saturation")
class RandomSaturation(RandomImageLayer):
    """Multiply the saturation of each image by `factor / (1 - factor)` in training.

    Args:
        factor: bounds, `(low, high)`: 0 makes images gray, 0.5 changes nothing, near 1 colours are as strong
            as can be. As in Keras 3.15, a single number f stands for `(-f, f)`, and below 0 images are gray.
        value_range: least and greatest value of a pixel. As in Keras, saturations are cut there, which keeps
            results in range for (0, 1).
        data_format: `"channels_last"` (default) or `"channels_first"`.
        seed: own seed of the layer's random numbers; None takes torch's global generator.

    Shapes:
        (batch, height, width, 3), unchanged, or one image; floats.

    Example:
        >>> RandomSaturation((0.0, 0.0))(torch.tensor([[[1.0, 0.0, 0.0]]]), training=True)
        tensor([[[1., 1., 1.]]])
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factor_bounds(self.label, "factor", factor)
        self.value_range = sorted_range(self.label, value_range)

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw a multiplier for each image."""
        factor = self.uniform(len(images), self.factor, images.device)
        return {"factor": factor / (1.0 - factor + _EPSILON)}

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images with another saturation."""
        require_rgb(self.label, images)
        hue, saturation, value = rgb_to_hsv(images, data_format="channels_last").unbind(-1)
        saturation = saturation * drawn["factor"].to(images.dtype)[:, None, None]
        saturation = saturation.clamp(*self.value_range)
        return hsv_to_rgb(torch.stack([hue, saturation, value], dim=-1), data_format="channels_last")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}
