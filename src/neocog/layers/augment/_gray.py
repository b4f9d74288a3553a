"""Augmentations that take colour away: grayscale, and duller or stronger colours."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import check_number
from neocog.layers._registry import LAYERS
from neocog.layers.augment._arguments import factor_bounds, sorted_range
from neocog.layers.augment._base import Draw, RandomImageLayer, per_image
from neocog.ops.image import rgb_to_grayscale


@LAYERS.register("random_grayscale")
class RandomGrayscale(RandomImageLayer):
    """Make a share of the images, drawn at random, gray in training; they keep their channels.

    `gray = 0.2989 R + 0.587 G + 0.114 B`.

    Args:
        factor: probability for each image, from 0 to 1.
        data_format: `"channels_last"` (default) or `"channels_first"`.
        seed: own seed of the layer's random numbers; None takes torch's global generator.

    Shapes:
        (batch, height, width, 3), unchanged, or one image; the type stays.

    Example:
        >>> RandomGrayscale(1.0)(torch.tensor([[[1.0, 0.0, 0.0]]]), training=True)
        tensor([[[0.2989, 0.2989, 0.2989]]])
    """

    keeps_type = True

    def __init__(
        self, factor: float = 0.5, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = check_number(self.label, "factor", factor, minimum=0.0, maximum=1.0)

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw which images become gray."""
        return {"should_apply": self.uniform(len(images), (0.0, 1.0), images.device) < self.factor}

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images, gray or as they were."""
        gray = rgb_to_grayscale(images, data_format="channels_last")
        return torch.where(drawn["should_apply"].reshape(-1, 1, 1, 1), gray, images)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "factor": self.factor}


@LAYERS.register("random_color_degeneration")
class RandomColorDegeneration(RandomImageLayer):
    """Mix each image with its gray version in training: `x + factor · (gray - x)`.

    Args:
        factor: bounds of the share of gray, `(low, high)`: 0 changes nothing, 1 leaves no colour, below 0
            colours become stronger. As in Keras 3.15, a single number f stands for `(-f, f)`.
        value_range: least and greatest value of a pixel; results are cut there.
        data_format: `"channels_last"` (default) or `"channels_first"`.
        seed: own seed of the layer's random numbers; None takes torch's global generator.

    Shapes:
        (batch, height, width, 3), unchanged, or one image; floats.

    Example:
        >>> RandomColorDegeneration((1.0, 1.0))(torch.tensor([[[1.0, 0.0, 0.0]]]), training=True)
        tensor([[[0.2989, 0.2989, 0.2989]]])
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
        """Draw a share for each image."""
        return {"factor": self.uniform(len(images), self.factor, images.device)}

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images with duller or stronger colours."""
        gray = rgb_to_grayscale(images, data_format="channels_last")
        return (images + per_image(drawn["factor"], images) * (gray - images)).clamp(*self.value_range)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}
