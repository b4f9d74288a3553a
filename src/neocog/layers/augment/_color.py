"""Augmentations that change values: contrast, brightness."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import check_number
from neocog.exceptions import ArgumentError, message
from neocog.layers._registry import LAYERS
from neocog.layers.augment._base import RandomImageLayer, factor_bounds


@LAYERS.register("random_contrast")
class RandomContrast(RandomImageLayer):
    """Stretch each image's values about the mean of each channel by a random factor in training.

    The factor lies between `1 - low` and `1 + high`. As in Keras 3.15, a single number f stands for `(0, f)`:
    it only raises the contrast; `(f, f)` lowers it as well.

    Args:
        factor: a number, or `(low, high)`, from 0 to 1.
        value_range: least and greatest value of a pixel; results are cut there.
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; floats.

    Example:
        >>> RandomContrast(0.2)(torch.ones(2, 8, 8, 3), training=True).shape
        torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.factor = factor_bounds(self.label, "factor", factor, minimum=0.0)
        self.value_range = checked_range(self.label, value_range)

    def augment(self, images: torch.Tensor) -> torch.Tensor:
        """Return the images with another contrast."""
        low, high = self.factor
        factor = self.uniform(images.shape[0], (1.0 - low, 1.0 + high), images.device)
        mean = images.mean((1, 2), keepdim=True)
        stretched = torch.lerp(mean, images, factor.to(images.dtype)[:, None, None, None])
        return stretched.clamp(*self.value_range)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


@LAYERS.register("random_brightness")
class RandomBrightness(RandomImageLayer):
    """Add a random amount to each image in training.

    Args:
        factor: bounds of the amount as share of the value range: 0.2 for -20 % to 20 %, or `(low, high)`.
        value_range: least and greatest value of a pixel; results are cut there.
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; floats.

    Example:
        >>> RandomBrightness(0.2)(torch.ones(2, 8, 8, 3), training=True).shape
        torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.factor = factor_bounds(self.label, "factor", factor)
        self.value_range = sorted(checked_range(self.label, value_range))

    def augment(self, images: torch.Tensor) -> torch.Tensor:
        """Return the images, lighter or darker."""
        low, high = self.value_range
        amount = self.uniform(images.shape[0], self.factor, images.device) * (high - low)
        return (images + amount.to(images.dtype)[:, None, None, None]).clamp(low, high)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


def checked_range(where: str, value: Any) -> tuple[float, float]:
    """Return `value_range` as two numbers."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise ArgumentError(message(where, expected="value_range such as (0, 255)", got=repr(value)))
    low, high = (check_number(where, "value_range", item) for item in value)
    return low, high
