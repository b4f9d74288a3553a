"""What the augmentations share: random numbers, layouts, and the seam at which warps are composed."""

from __future__ import annotations

import numbers
from typing import Any

import torch

from neocog.core import check_number, check_one_of
from neocog.exceptions import ArgumentError, ArgumentTypeError, message
from neocog.functional import FILL_MODES, INTERPOLATIONS, warp
from neocog.layers._images import ImageLayer
from neocog.layers._seed_source import SeedSource


class RandomImageLayer(ImageLayer):
    """Base of the layers that change images at random in training, and hand them on in inference.

    Subclasses override `augment`, which sees a batch (B, H, W, C) of floats.

    Args:
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        data_format: `"channels_last"` (default) or `"channels_first"`.
    """

    def __init__(self, seed: int | None = None, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.seed = seed
        self.seed_generator = SeedSource(self.label, seed)

    def call(self, inputs: torch.Tensor, training: bool | None = None) -> torch.Tensor:
        """Compute the outputs: the whole batch at once, each image by its own draw."""
        images = inputs if inputs.is_floating_point() else self.as_float(inputs)
        if not training:
            return images
        batch = images if images.ndim == 4 else images.unsqueeze(0)
        if self._channels_last:
            outputs = self.augment(batch)
        else:
            outputs = self.augment(batch.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return outputs if images.ndim == 4 else outputs.squeeze(0)

    def augment(self, images: torch.Tensor) -> torch.Tensor:
        """Return the images (B, H, W, C), changed."""
        raise NotImplementedError

    def uniform(self, count: int, bounds: tuple[float, float], device: torch.device | str) -> torch.Tensor:
        """Draw `count` numbers between the bounds, on the device."""
        low, high = bounds
        draws = torch.rand(count, generator=self.seed_generator.generator(device), device=device)
        return draws.mul_(high - low).add_(low)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "seed": self.seed}


class GeometricLayer(RandomImageLayer):
    """Base of the layers that move pixels: each image has a matrix that says where its output pixels look.

    Subclasses override `draw_matrices`. Consecutive layers with the same filling can run as one warp by the
    product of their matrices (`neocog.functional.compose`).

    Args:
        fill_mode: what comes in from outside: `"reflect"`, `"nearest"` (the edge), `"wrap"` or `"constant"`.
        interpolation: `"bilinear"` or `"nearest"`.
        fill_value: for `"constant"`.
        seed: own seed of the layer's random numbers; None takes torch's global generator.
        data_format: `"channels_last"` (default) or `"channels_first"`.
    """

    def __init__(
        self,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.fill_mode = check_one_of(self.label, "fill_mode", fill_mode, FILL_MODES)
        self.interpolation = check_one_of(self.label, "interpolation", interpolation, INTERPOLATIONS)
        self.fill_value = check_number(self.label, "fill_value", fill_value)

    def draw_matrices(self, batch: int, height: int, width: int, device: torch.device | str) -> torch.Tensor:
        """Draw one matrix an image: (batch, 2, 3), output pixel to input pixel, float32, on the device."""
        raise NotImplementedError

    def augment(self, images: torch.Tensor) -> torch.Tensor:
        """Return the images (B, H, W, C), each warped by its own matrix."""
        batch, height, width = images.shape[:3]
        matrices = self.draw_matrices(batch, height, width, images.device)
        return warp(images, matrices, self.fill_mode, self.interpolation, self.fill_value)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "fill_mode": self.fill_mode,
            "interpolation": self.interpolation,
            "fill_value": self.fill_value,
        }


def factor_bounds(
    where: str, name: str, value: Any, *, minimum: float = -1.0, maximum: float = 1.0
) -> tuple[float, float]:
    """Return the bounds that a factor stands for: `(low, high)`, or `(-f, f)` for a number, cut at `minimum`.

    Raises:
        ArgumentError: a bound is outside `minimum` … `maximum`.
    """
    if isinstance(value, (list, tuple)):
        if len(value) != 2:
            raise ArgumentError(
                message(where, expected=f"{name} as a number or (low, high)", got=repr(value))
            )
        low, high = sorted(
            check_number(where, name, item, minimum=minimum, maximum=maximum) for item in value
        )
        return low, high
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ArgumentTypeError(
            message(where, expected=f"{name} as a number or (low, high)", got=repr(value))
        )
    size = abs(check_number(where, name, value, minimum=minimum, maximum=maximum))
    return max(-size, minimum), size
