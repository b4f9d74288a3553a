"""Augmentation by erasing a part of the image."""

from __future__ import annotations

import numbers
from typing import Any

import torch

from neocog.core import check_number
from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.layers._registry import LAYERS
from neocog.layers.augment._arguments import checked_range, share_bounds
from neocog.layers.augment._base import Draw, RandomImageLayer
from neocog.layers.augment._boxes import draw_boxes, inside


@LAYERS.register("random_erasing")
class RandomErasing(RandomImageLayer):
    """Replace a random box in images, drawn at random, by noise or a value in training.

    Args:
        factor: bounds of the probability, `(low, high)` from 0 to 1, or a number f for `(0, f)`; each image
            draws its probability first.
        scale: bounds of the square of the box's width as share of the image's, and likewise of its height.
        fill_value: what is put there: a number, three for red, green and blue, or None for noise.
        value_range: least and greatest value of a pixel; what is put there is cut to it.
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; floats.

    Example:
        >>> everything = RandomErasing((1.0, 1.0), scale=(1.0, 1.0), fill_value=7)
        >>> everything(torch.ones(1, 2, 1), training=True).flatten()
        tensor([7., 7.])

    Reference:
        Zhong et al., Random Erasing Data Augmentation, 2020.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = share_bounds(self.label, "factor", factor)
        self.scale = share_bounds(self.label, "scale", scale)
        self.fill_value = _checked_filling(self.label, fill_value)
        self.value_range = checked_range(self.label, value_range)

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw which images lose a part, the part, and what comes there."""
        count, device = len(images), images.device
        shares = self.uniform((count, 2), self.scale, device).sqrt()
        sides = draw_boxes(self, images, shares[:, 0], shares[:, 1])
        return {
            "apply_erasing": self.happens(count, self.factor, device),
            "batch_masks": inside(sides, images),
            "fill_value": self._filling(images).clamp(*self.value_range),
        }

    def _filling(self, images: torch.Tensor) -> torch.Tensor:
        if self.fill_value is None:
            generator = self.seed_generator.generator(images.device)
            noise = torch.randn(images.shape, generator=generator, device=images.device)
            return noise.to(images.dtype) * self.value_range[1]
        filling = torch.tensor(self.fill_value, dtype=images.dtype, device=images.device).reshape(-1)
        if len(filling) not in (1, images.shape[-1]):
            expected = f"images with {len(filling)} channels, as many as fill_value has numbers"
            raise ShapeError(message(self.label, expected=expected, got=images.shape[-1]))
        return filling.expand(len(images), 1, 1, -1)

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images, a part erased or not."""
        erased = drawn["batch_masks"] & drawn["apply_erasing"].reshape(-1, 1, 1, 1)
        return torch.where(erased, drawn["fill_value"].to(images.dtype), images)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "factor": self.factor,
            "scale": self.scale,
            "fill_value": self.fill_value,
            "value_range": self.value_range,
        }


@LAYERS.register("cutout")
class Cutout(RandomErasing):
    """Put a square hole (in shares of the sides) into every image in training, at a random place.

    `RandomErasing` with one size, one filling and no draw of whether.

    Args:
        size: side of the hole as share of the image's, above 0 up to 1; all of it lies in the image.
        fill_value: what is put there: a number, three for red, green and blue, or None for noise.
        value_range: least and greatest value of a pixel; what is put there is cut to it.
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; floats.

    Example:
        >>> Cutout(0.5, seed=1)(torch.ones(1, 8, 8, 1), training=True).shape
        torch.Size([1, 8, 8, 1])

    Reference:
        DeVries and Taylor, Improved Regularization of Convolutional Neural Networks with Cutout, 2017.
    """

    def __init__(
        self,
        size: float = 0.25,
        fill_value: Any = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        share = check_number("Cutout", "size", size, minimum=1e-6, maximum=1.0)
        area = share * share
        super().__init__((1.0, 1.0), (area, area), fill_value, value_range, seed, data_format, **kwargs)
        self.size = share

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        config = {**super().get_config(), "size": self.size}
        del config["factor"], config["scale"]
        return config


def _checked_filling(where: str, value: Any) -> Any:
    several = isinstance(value, (list, tuple)) and len(value) == 3
    parts = value if several else [value]
    if value is not None and not all(isinstance(part, numbers.Real) for part in parts):
        expected = "fill_value as a number, three numbers, or None"
        raise ArgumentError(message(where, expected=expected, got=repr(value)))
    return value
