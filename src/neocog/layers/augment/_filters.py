"""Augmentations by small filters: sharpness, blur."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from neocog.core import check_ntuple, check_number
from neocog.exceptions import ArgumentError, message
from neocog.layers._registry import LAYERS
from neocog.layers.augment._arguments import checked_range, share_bounds, sorted_range
from neocog.layers.augment._base import Draw, RandomImageLayer, per_image
from neocog.layers.augment._bells import bells, filtered, planes

_AROUND, _MIDDLE = 1.0 / 13.0, 5.0 / 13.0
_SMALLEST = 1e-6


@LAYERS.register("random_sharpness")
class RandomSharpness(RandomImageLayer):
    """Blur or sharpen each image by a random amount in training: `x + (1 - 2 factor) · (blurred - x)`.

    Args:
        factor: bounds, `(low, high)` from 0 to 1, or a number f for `(0, f)`: 0 blurs, 0.5 changes nothing,
            1 sharpens.
        value_range: least and greatest value of a pixel; results are cut there.
        data_format: `"channels_last"` (default) or `"channels_first"`.
        seed: own seed of the layer's random numbers; None takes torch's global generator.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; floats.

    Example:
        >>> RandomSharpness((0.5, 0.5))(torch.ones(1, 3, 3, 1), training=True).sum()
        tensor(9.)
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
        self.value_range = sorted_range(self.label, value_range)

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw a factor for each image."""
        return {"factor": self.uniform(len(images), self.factor, images.device)}

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images, blurred or sharpened."""
        channels = images.shape[-1]
        kernel = torch.full((3, 3), _AROUND, dtype=images.dtype, device=images.device)
        kernel[1, 1] = _MIDDLE
        x = planes(images)
        smooth = F.conv2d(x, kernel.expand(channels, 1, 3, 3), padding=1, groups=channels)
        share = 1.0 - 2.0 * per_image(drawn["factor"], images)
        return (images + share * (smooth.permute(0, 2, 3, 1) - images)).clamp(*self.value_range)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


@LAYERS.register("random_gaussian_blur")
class RandomGaussianBlur(RandomImageLayer):
    """Blur images, drawn at random, by normal distributions of random width in training.

    Each image draws its own width (Keras 3.15 takes one for the whole batch). Zeros lie outside the image.

    Args:
        factor: bounds of the probability, `(low, high)` from 0 to 1, or a number f for `(0, f)`; each image
            draws its probability first.
        kernel_size: size of the window in pixels, odd: a number, or width and height.
        sigma: bounds of the standard deviations in pixels, `(low, high)`, or a number f up to 1 for `(0, f)`.
        value_range: least and greatest value of a pixel; results are cut there.
        data_format: `"channels_last"` (default) or `"channels_first"`.
        seed: own seed of the layer's random numbers; None takes torch's global generator.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; floats.

    Example:
        >>> blur = RandomGaussianBlur(1.0, kernel_size=5, sigma=(0.5, 2.0))
        >>> blur(torch.rand(2, 8, 8, 3), training=True).shape
        torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = share_bounds(self.label, "factor", factor)
        self.kernel_size = check_ntuple(self.label, "kernel_size", kernel_size, 2)
        if not all(size % 2 for size in self.kernel_size):
            raise ArgumentError(message(self.label, expected="kernel_size to be odd", got=repr(kernel_size)))
        self.sigma = _widths(self.label, sigma)
        self.value_range = checked_range(self.label, value_range)

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw which images to blur, and two widths for each."""
        count, device = len(images), images.device
        return {
            "should_apply_blur": self.happens(count, self.factor, device),
            "blur_factor": self.uniform((count, 2), self.sigma, device) + _SMALLEST,
        }

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images, blurred or not."""
        widths = drawn["blur_factor"].to(images.dtype)
        width, height = self.kernel_size
        x = planes(images)
        blurred = filtered(x, bells(height, widths[:, 1]), bells(width, widths[:, 0])).permute(0, 2, 3, 1)
        chosen = drawn["should_apply_blur"].reshape(-1, 1, 1, 1)
        return torch.where(chosen, blurred, images).clamp(*self.value_range)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "factor": self.factor,
            "kernel_size": self.kernel_size,
            "sigma": self.sigma,
            "value_range": self.value_range,
        }


def _widths(where: str, sigma: Any) -> tuple[float, float]:
    """Return bounds of standard deviations; pairs may go beyond 1."""
    if not isinstance(sigma, (list, tuple)) or len(sigma) != 2:
        return share_bounds(where, "sigma", sigma)
    low, high = sorted(check_number(where, "sigma", value, minimum=0.0) for value in sigma)
    return low, high
