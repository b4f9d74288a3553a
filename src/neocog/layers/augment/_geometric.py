"""Augmentations that move pixels: flip, rotation, zoom, translation."""

from __future__ import annotations

import math
from typing import Any

import torch

from neocog.core import check_one_of
from neocog.exceptions import ArgumentError, message
from neocog.functional import rotation_matrices, scale_matrices, translation_matrices
from neocog.layers._registry import LAYERS
from neocog.layers.augment._arguments import factor_bounds
from neocog.layers.augment._base import Draw
from neocog.layers.augment._warping import GeometricLayer

_DEGREE = math.pi / 180.0
_MODES = ("horizontal", "vertical", "horizontal_and_vertical")


@LAYERS.register("random_flip")
class RandomFlip(GeometricLayer):
    """Mirror half of the images, drawn at random, in training.

    Args:
        mode: `"horizontal"` (left and right change places), `"vertical"`, or `"horizontal_and_vertical"`,
            which, as in Keras, does both or neither.
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; floats.

    Example:
        >>> RandomFlip("horizontal")(torch.zeros(2, 8, 8, 3), training=True).shape
        torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.mode = check_one_of(self.label, "mode", mode, _MODES)
        self._axes = [axis for axis, name in ((1, "vertical"), (2, "horizontal")) if name in self.mode]

    def _draw_flips(self, batch: int, device: torch.device | str) -> torch.Tensor:
        return self.uniform(batch, (0.0, 1.0), device) <= 0.5

    @property
    def filling(self) -> None:
        """Nothing: a mirror brings nothing in from outside and falls between no pixels."""
        return None

    def draw_matrices(self, batch: int, height: int, width: int, device: torch.device | str) -> torch.Tensor:
        """Draw a mirror or the identity for each image."""
        return self._mirrors(self._draw_flips(batch, device), height, width)

    def matrices(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the mirrors of a draw, and the identity for the other images."""
        return self._mirrors(drawn["flips"], *images.shape[1:3])

    def _mirrors(self, flips: torch.Tensor, height: int, width: int) -> torch.Tensor:
        sign = 1.0 - 2.0 * flips.to(torch.float32)
        one = torch.ones_like(sign)
        return scale_matrices(
            sign if 2 in self._axes else one, sign if 1 in self._axes else one, height, width
        )

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw which images to mirror."""
        return {"flips": self._draw_flips(len(images), images.device)}

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images, mirrored or not: exact, and cheaper than a warp."""
        if images.device.type == "cpu" and len(images):  # one by one, in the cache
            axes = [axis - 1 for axis in self._axes]
            pairs = zip(images.unbind(), drawn["flips"].tolist(), strict=True)
            return torch.stack([image.flip(axes) if mirrored else image for image, mirrored in pairs])
        return torch.where(drawn["flips"][:, None, None, None], images.flip(self._axes), images)

    def apply_to_masks(self, masks: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the masks, mirrored or not."""
        return self.change(masks, drawn)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        config = {**super().get_config(), "mode": self.mode}
        for name in ("fill_mode", "interpolation", "fill_value"):
            del config[name]
        return config


@LAYERS.register("random_rotation")
class RandomRotation(GeometricLayer):
    """Turn each image about its centre by a random angle in training.

    Args:
        factor: bounds of the angle, in full turns: 0.1 for -36° to 36°, or `(low, high)`; positive angles
            turn counterclockwise.
        fill_mode: what comes in from outside: `"reflect"`, `"nearest"` (the edge), `"wrap"` or `"constant"`.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        fill_value: for `"constant"`.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; floats.

    Example:
        >>> RandomRotation(0.1)(torch.zeros(2, 8, 8, 3), training=True).shape
        torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.factor = factor_bounds(self.label, "factor", factor)

    def draw_matrices(self, batch: int, height: int, width: int, device: torch.device | str) -> torch.Tensor:
        """Draw a rotation for each image."""
        degrees = self.uniform(batch, (self.factor[0] * 360.0, self.factor[1] * 360.0), device)
        return rotation_matrices(degrees * _DEGREE, height, width)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "factor": self.factor}


@LAYERS.register("random_zoom")
class RandomZoom(GeometricLayer):
    """Zoom each image about its centre by a random factor in training.

    Args:
        height_factor: bounds: 0.2 for 20 % closer to 20 % farther away, or `(low, high)`; positive factors
            show more than the image (zoom out), negative ones less.
        width_factor: likewise for the width; None keeps the aspect ratio.
        fill_mode: what comes in from outside: `"reflect"`, `"nearest"` (the edge), `"wrap"` or `"constant"`.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        fill_value: for `"constant"`.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; floats.

    Example:
        >>> RandomZoom(0.2)(torch.zeros(2, 8, 8, 3), training=True).shape
        torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor = height_factor
        self.width_factor = width_factor
        self._height_bounds = self._zoom_bounds("height_factor", height_factor)
        self._width_bounds = None if width_factor is None else self._zoom_bounds("width_factor", width_factor)

    def _zoom_bounds(self, name: str, value: Any) -> tuple[float, float]:
        low, high = factor_bounds(self.label, name, value)
        if low <= -1 and not (high == 1 and value == 1):
            raise ArgumentError(
                message(self.label, expected=f"{name} above -1 (nothing would be left)", got=value)
            )
        return 1.0 + low, 1.0 + high

    def draw_matrices(self, batch: int, height: int, width: int, device: torch.device | str) -> torch.Tensor:
        """Draw a zoom for each image."""
        tall = self.uniform(batch, self._height_bounds, device)
        wide = tall if self._width_bounds is None else self.uniform(batch, self._width_bounds, device)
        return scale_matrices(wide, tall, height, width)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "height_factor": self.height_factor,
            "width_factor": self.width_factor,
        }


@LAYERS.register("random_translation")
class RandomTranslation(GeometricLayer):
    """Move each image by a random distance in training.

    Args:
        height_factor: bounds of the distance downwards, as share of the height: 0.2 for -20 % to 20 %, or
            `(low, high)`.
        width_factor: bounds of the distance to the right, as share of the width.
        fill_mode: what comes in from outside: `"reflect"`, `"nearest"` (the edge), `"wrap"` or `"constant"`.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        fill_value: for `"constant"`.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; floats.

    Example:
        >>> RandomTranslation(0.1, 0.1)(torch.zeros(2, 8, 8, 3), training=True).shape
        torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor = height_factor
        self.width_factor = width_factor
        self._height_bounds = factor_bounds(self.label, "height_factor", height_factor)
        self._width_bounds = factor_bounds(self.label, "width_factor", width_factor)

    def draw_matrices(self, batch: int, height: int, width: int, device: torch.device | str) -> torch.Tensor:
        """Draw a translation for each image."""
        down = self.uniform(batch, self._height_bounds, device) * height
        right = self.uniform(batch, self._width_bounds, device) * width
        return translation_matrices(right, down)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "height_factor": self.height_factor,
            "width_factor": self.width_factor,
        }
