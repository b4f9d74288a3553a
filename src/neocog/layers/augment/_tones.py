"""Augmentations of single values: inversion, posterization, solarization."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import check_int
from neocog.exceptions import ArgumentError, message
from neocog.layers._registry import LAYERS
from neocog.layers.augment._arguments import checked_range, rescale, share_bounds, sorted_range
from neocog.layers.augment._base import Draw, RandomImageLayer, per_image

_BYTES = (0, 255)
_BITS = 8


@LAYERS.register("random_invert")
class RandomInvert(RandomImageLayer):
    """Replace the values x of images, drawn at random, by `value_range[1] - x` in training.

    Args:
        factor: bounds of the probability, `(low, high)` from 0 to 1, or a number f for `(0, f)`; each image
            draws its probability first.
        value_range: least and greatest value of a pixel.
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; floats.

    Example:
        >>> RandomInvert((1.0, 1.0))(torch.tensor([[[255.0, 0.0, 55.0]]]), training=True)
        tensor([[[  0., 255., 200.]]])
    """

    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Any = _BYTES,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = share_bounds(self.label, "factor", factor)
        self.value_range = checked_range(self.label, value_range)

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw which images to invert."""
        return {"apply_inversion": self.happens(len(images), self.factor, images.device)}

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images, inverted or not."""
        inverted = self.value_range[1] - images
        return torch.where(drawn["apply_inversion"].reshape(-1, 1, 1, 1), inverted, images)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


@LAYERS.register("random_posterization")
class RandomPosterization(RandomImageLayer):
    """Keep a random number of the 8 bits of each value in training.

    Args:
        factor: the number of bits to keep, as bounds `(low, high)` from 1 to 8: `low` up to, but without,
            `high`; equal bounds keep that number. A number f stands for `(1, f)`.
        value_range: least and greatest value of a pixel.
        data_format: `"channels_last"` (default) or `"channels_first"`.
        seed: own seed of the layer's random numbers; None takes torch's global generator.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; floats.

    Example:
        >>> RandomPosterization((1, 1))(torch.tensor([[[255.0, 130.0, 55.0]]]), training=True)
        tensor([[[128., 128.,   0.]]])

    Reference:
        Cubuk et al., AutoAugment: Learning Augmentation Policies from Data, 2019.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = _BYTES,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        bounds = factor if isinstance(factor, (list, tuple)) else (1, factor)
        if len(bounds) != 2:
            expected = "factor as a number or (low, high)"
            raise ArgumentError(message(self.label, expected=expected, got=repr(factor)))
        low, high = sorted(check_int(self.label, "factor", bits, minimum=1) for bits in bounds)
        if high > _BITS:
            raise ArgumentError(message(self.label, expected="factor from 1 to 8", got=repr(factor)))
        self.factor = low, high
        self.value_range = sorted_range(self.label, value_range)

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw how many bits of each image are lost."""
        low, high = self.factor
        generator, device = self.seed_generator.generator(images.device), images.device
        bits = torch.randint(low, max(high, low + 1), (len(images),), generator=generator, device=device)
        return {"shift_factor": (_BITS - bits).to(torch.uint8)}

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images with fewer different values."""
        shift = drawn["shift_factor"].reshape(-1, 1, 1, 1)
        whole = rescale(images, self.value_range, _BYTES).clamp(*_BYTES).to(torch.uint8)
        kept = torch.bitwise_left_shift(torch.bitwise_right_shift(whole, shift), shift)
        return rescale(kept.to(images.dtype), _BYTES, self.value_range)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


@LAYERS.register("solarization")
class Solarization(RandomImageLayer):
    """Add a random amount to the values of each image, then invert the bright ones, in training.

    `y = clip(x + addition)`, then `max + min - y` where y is not below a random threshold. With the defaults
    all values are inverted.

    Args:
        addition_factor: bounds of the amount as share of the value range, `(low, high)` from 0 to 1, or a
            number f for `(0, f)`.
        threshold_factor: bounds of the threshold, likewise.
        value_range: least and greatest value of a pixel.
        seed: own seed of the layer's random numbers; None takes torch's global generator.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; floats.

    Example:
        >>> Solarization()(torch.tensor([[[59.0, 62.0, 63.0]]]), training=True)
        tensor([[[196., 193., 192.]]])
    """

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = _BYTES,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.addition_factor = share_bounds(self.label, "addition_factor", addition_factor)
        self.threshold_factor = share_bounds(self.label, "threshold_factor", threshold_factor)
        self.value_range = sorted_range(self.label, value_range)

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw an amount and a threshold for each image, for values from 0 to 255."""
        count, device = len(images), images.device
        return {
            "additions": self.uniform(count, self.addition_factor, device) * _BYTES[1],
            "thresholds": self.uniform(count, self.threshold_factor, device) * _BYTES[1],
        }

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images, bright parts inverted."""
        values = rescale(images, self.value_range, _BYTES) + per_image(drawn["additions"], images)
        values = values.clamp(*_BYTES)
        values = torch.where(values < per_image(drawn["thresholds"], images), values, _BYTES[1] - values)
        return rescale(values, _BYTES, self.value_range)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "addition_factor": self.addition_factor,
            "threshold_factor": self.threshold_factor,
            "value_range": self.value_range,
        }
