"""The base of the layers that move pixels by a matrix an image."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import check_number, check_one_of
from neocog.functional import FILL_MODES, INTERPOLATIONS, warp
from neocog.layers.augment._base import Draw, RandomImageLayer


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

    @property
    def filling(self) -> tuple[str, str, float] | None:
        """What a warp needs besides the matrices; None where layers fit any: they move whole pixels alone."""
        value = self.fill_value if self.fill_mode == "constant" else 0.0
        return self.fill_mode, self.interpolation, value

    def matrices(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the matrices (B, 2, 3) of a draw for images (B, H, W, C)."""
        matrices: torch.Tensor = drawn["matrices"]
        return matrices

    def draw(self, images: torch.Tensor) -> Draw:
        """Draw one matrix an image."""
        batch, height, width = images.shape[:3]
        return {"matrices": self.draw_matrices(batch, height, width, images.device)}

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images (B, H, W, C), each warped by its own matrix."""
        return warp(images, drawn["matrices"], self.fill_mode, self.interpolation, self.fill_value)

    def apply_to_masks(self, masks: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the masks (B, H, W, C), moved by whole pixels."""
        return warp(masks, drawn["matrices"], self.fill_mode, "nearest", self.fill_value).to(masks.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "fill_mode": self.fill_mode,
            "interpolation": self.interpolation,
            "fill_value": self.fill_value,
        }
