"""Augmentation of brightness, contrast, saturation and hue at once."""

from __future__ import annotations

from typing import Any

import torch

from neocog.layers._registry import LAYERS
from neocog.layers.augment._arguments import checked_range
from neocog.layers.augment._base import Draw, RandomImageLayer
from neocog.layers.augment._color import RandomBrightness, RandomContrast
from neocog.layers.augment._hue import RandomHue, RandomSaturation

_STEPS = {
    "random_brightness": RandomBrightness,
    "random_contrast": RandomContrast,
    "random_saturation": RandomSaturation,
    "random_hue": RandomHue,
}


@LAYERS.register("random_color_jitter")
class RandomColorJitter(RandomImageLayer):
    """Change brightness, then contrast, saturation and hue of each image at random in training.

    Args:
        value_range: least and greatest value of a pixel.
        brightness_factor: as for `RandomBrightness`; None leaves the brightness.
        contrast_factor: as for `RandomContrast`; None leaves the contrast.
        saturation_factor: as for `RandomSaturation`; None leaves the saturation.
        hue_factor: as for `RandomHue`; None leaves the hue.
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, height, width, 3), unchanged, or one image; floats.

    Example:
        >>> jitter = RandomColorJitter(brightness_factor=0.2, hue_factor=0.1)
        >>> jitter(torch.rand(2, 8, 8, 3), training=True).shape
        torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range = checked_range(self.label, value_range)
        self.brightness_factor = brightness_factor
        self.contrast_factor = contrast_factor
        self.saturation_factor = saturation_factor
        self.hue_factor = hue_factor
        for name, kind in _STEPS.items():
            factor = getattr(self, name.replace("random_", "") + "_factor")
            step = None if factor is None else kind(factor, value_range=value_range, dtype=self.dtype_policy)
            setattr(self, name, step if step is None else self.drawing_here(step))

    def build(self, input_shape: Any) -> None:
        """Build the steps."""
        for name in self._active():
            getattr(self, name).build(input_shape)

    def _active(self) -> list[str]:
        return [name for name in _STEPS if getattr(self, name) is not None]

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw for each step."""
        return {name: getattr(self, name).draw(images) for name in self._active()}

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images after all steps."""
        for name, numbers in drawn.items():
            images = getattr(self, name).change(images, numbers)
        return images

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "value_range": self.value_range,
            "brightness_factor": self.brightness_factor,
            "contrast_factor": self.contrast_factor,
            "saturation_factor": self.saturation_factor,
            "hue_factor": self.hue_factor,
        }
