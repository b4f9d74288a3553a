"""Augmentations that distort: in perspective, like rubber."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import check_number, check_one_of
from neocog.functional import INTERPOLATIONS, look_up
from neocog.layers._registry import LAYERS
from neocog.layers.augment._arguments import checked_range, share_bounds
from neocog.layers.augment._base import Draw, RandomImageLayer
from neocog.layers.augment._bells import bells, filtered
from neocog.ops.image import perspective_transform

_FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
_STRENGTH, _WIDTH = 0.1, 0.05  # of the larger and the smaller side, at full distortion


@LAYERS.register("random_perspective")
class RandomPerspective(RandomImageLayer):
    """Move the corners of images, drawn at random, and the plane between them in training.

    As in Keras, each corner's coordinates are multiplied by random numbers about 1, so that the upper left
    one stays.

    Args:
        factor: bounds of the probability, `(low, high)` from 0 to 1, or a number f for `(0, f)`; each image
            draws its probability first.
        scale: how far corners move at most, from 0 to 1; at 1 by half the size of the image.
        interpolation: `"bilinear"` or `"nearest"`.
        fill_value: value of what comes in from outside.
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; floats.

    Example:
        >>> RandomPerspective(scale=0.3)(torch.zeros(2, 8, 8, 3), training=True).shape
        torch.Size([2, 8, 8, 3])
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = share_bounds(self.label, "factor", factor)
        self.scale = check_number(self.label, "scale", scale, minimum=0.0, maximum=1.0)
        self.interpolation = check_one_of(self.label, "interpolation", interpolation, INTERPOLATIONS)
        self.fill_value = check_number(self.label, "fill_value", fill_value)

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw which images to distort, and where their corners go."""
        count, device = len(images), images.device
        bottom, right = (max(size - 1.0, 1.0) for size in images.shape[1:3])  # one pixel spans no plane
        corners = torch.tensor([[0.0, 0.0], [right, 0.0], [0.0, bottom], [right, bottom]], device=device)
        moved = self.uniform((count, 4, 2), (-0.5 * self.scale, 0.5 * self.scale), device)
        return {
            "apply_perspective": self.happens(count, self.factor, device),
            "start_points": corners.expand(count, 4, 2),
            "end_points": corners + corners * moved,
        }

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images, distorted or not."""
        return self._moved(images, drawn, self.interpolation)

    def apply_to_masks(self, masks: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the masks, moved by whole pixels."""
        return self._moved(masks, drawn, "nearest")

    def _moved(self, images: torch.Tensor, drawn: Draw, interpolation: str) -> torch.Tensor:
        start, end = drawn["start_points"], drawn["end_points"]
        outputs = perspective_transform(
            images, start, end, interpolation, self.fill_value, data_format="channels_last"
        )
        return torch.where(drawn["apply_perspective"].reshape(-1, 1, 1, 1), outputs, images)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "factor": self.factor,
            "scale": self.scale,
            "interpolation": self.interpolation,
            "fill_value": self.fill_value,
        }


@LAYERS.register("random_elastic_transform")
class RandomElasticTransform(RandomImageLayer):
    """Move the pixels of images, drawn at random, by smooth random fields in training.

    Each image draws its own strength (Keras 3.15 takes one for the whole batch).

    Args:
        factor: bounds of the probability, `(low, high)` from 0 to 1, or a number f for `(0, f)`; each image
            draws its probability first.
        scale: bounds of the strength, `(low, high)` from 0 to 1, or a number f for `(0, f)`.
        interpolation: `"bilinear"` or `"nearest"`.
        fill_mode: what comes in from outside: `"reflect"`, `"mirror"`, `"nearest"` (the edge), `"wrap"` or
            `"constant"`.
        fill_value: for `"constant"`.
        value_range: least and greatest value of a pixel; results are cut there.
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; floats.

    Example:
        >>> RandomElasticTransform()(torch.rand(2, 16, 16, 3), training=True).shape
        torch.Size([2, 16, 16, 3])

    Reference:
        Simard et al., Best Practices for Convolutional Neural Networks, 2003.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = share_bounds(self.label, "factor", factor)
        self.scale = share_bounds(self.label, "scale", scale)
        self.interpolation = check_one_of(self.label, "interpolation", interpolation, INTERPOLATIONS)
        self.fill_mode = check_one_of(self.label, "fill_mode", fill_mode, _FILL_MODES)
        self.fill_value = check_number(self.label, "fill_value", fill_value)
        self.value_range = checked_range(self.label, value_range)

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw which images to distort, how much, and the noise that moves the pixels."""
        count, height, width = images.shape[:3]
        generator = self.seed_generator.generator(images.device)
        noise = torch.randn((count, 2, height, width), generator=generator, device=images.device)
        return {
            "noise": noise,
            "apply_transform": self.happens(count, self.factor, images.device),
            "distortion_factor": self.uniform(count, self.scale, images.device),
        }

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images, distorted or not."""
        return self._moved(images, drawn, self.interpolation).clamp(*self.value_range)

    def apply_to_masks(self, masks: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the masks, moved by whole pixels."""
        return self._moved(masks, drawn, "nearest")

    def _moved(self, images: torch.Tensor, drawn: Draw, interpolation: str) -> torch.Tensor:
        height, width = images.shape[1:3]
        columns, rows = self._moves(drawn, height, width).unbind(1)
        columns = columns + torch.arange(width, device=images.device)
        rows = rows + torch.arange(height, device=images.device)[:, None]
        moved = look_up(images, columns, rows, self.fill_mode, interpolation, self.fill_value)
        return torch.where(drawn["apply_transform"].reshape(-1, 1, 1, 1), moved, images).to(images.dtype)

    def _moves(self, drawn: Draw, height: int, width: int) -> torch.Tensor:
        """Return how far each pixel looks to the right and down, (B, 2, H, W)."""
        strength = drawn["distortion_factor"]
        sigma = (min(height, width) * (_WIDTH * strength)).clamp(min=1e-6)
        widest = int(6 * min(height, width) * _WIDTH * self.scale[1]) | 1  # known without asking the device
        sides = (6 * sigma).to(torch.int64) | 1
        weights = bells(widest, sigma, sides)
        fields = filtered(drawn["noise"] * sigma[:, None, None, None], weights, weights)
        moves: torch.Tensor = fields * (max(height, width) * (_STRENGTH * strength))[:, None, None, None]
        return moves

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "factor": self.factor,
            "scale": self.scale,
            "interpolation": self.interpolation,
            "fill_mode": self.fill_mode,
            "fill_value": self.fill_value,
            "value_range": self.value_range,
        }
