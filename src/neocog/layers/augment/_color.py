"""Augmentations that change values: contrast, brightness."""

from __future__ import annotations

from typing import Any

import torch

from neocog.functional import computed_as, rounded_to
from neocog.layers._registry import LAYERS
from neocog.layers.augment._arguments import checked_range, factor_bounds
from neocog.layers.augment._base import Draw, RandomImageLayer, per_image


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

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw a factor for each image."""
        low, high = self.factor
        return {"contrast_factor": self.uniform(len(images), (1.0 - low, 1.0 + high), images.device)}

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images with another contrast."""
        factor = per_image(drawn["contrast_factor"], images)
        if not images.is_contiguous() or images.element_size() < 4:
            mean = images.mean((1, 2), keepdim=True)
            return (images * factor).add_(mean * (1.0 - factor)).clamp_(*self.value_range)
        batch, height, width, channels = images.shape  # rows as wholes: a loop over 3 channels is slow
        rows, factor = images.reshape(batch, height, width * channels), factor[..., 0]
        mean = rows.mean(1).reshape(batch, 1, width, channels).mean(2)
        shift = (mean * (1.0 - factor)).repeat(1, 1, width)
        return (rows * factor).add_(shift).clamp_(*self.value_range).reshape(images.shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


@LAYERS.register("random_brightness")
class RandomBrightness(RandomImageLayer):
    """Add a random amount to each image in training.

    Whole numbers stay whole numbers, and the amount is then cut to one, as in Keras; but nothing wraps
    around (255 in uint8 and 3 more are 2 in Keras 3.15).

    Args:
        factor: bounds of the amount as share of the value range: 0.2 for -20 % to 20 %, or `(low, high)`.
        value_range: least and greatest value of a pixel; results are cut there.
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; the type stays.

    Example:
        >>> RandomBrightness(0.2)(torch.ones(2, 8, 8, 3), training=True).shape
        torch.Size([2, 8, 8, 3])
    """

    keeps_type = True

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.factor = factor_bounds(self.label, "factor", factor)
        self.value_range = sorted(checked_range(self.label, value_range))

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw an amount for each image."""
        low, high = self.value_range
        return {"rgb_delta": self.uniform(len(images), self.factor, images.device) * (high - low)}

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images, lighter or darker."""
        values, amounts = computed_as(images, torch.int32), drawn["rgb_delta"]
        if not images.is_floating_point():
            amounts = amounts.trunc()
        outputs = (values + per_image(amounts, values)).clamp_(*self.value_range)
        return outputs if values is images else rounded_to(outputs, images.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}
