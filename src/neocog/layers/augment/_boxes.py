"""Random boxes in images, which are erased or exchanged."""

from __future__ import annotations

from typing import Any

import torch

from neocog.layers.augment._base import RandomImageLayer

Sides = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def draw_boxes(layer: RandomImageLayer, images: torch.Tensor, width: Any, height: Any) -> Sides:
    """Draw where boxes lie that take up shares (B,) of the width and height of images (B, H, W, C).

    Returns:
        left, right, top and bottom, (B, 1, 1, 1) each, in pixels.
    """
    sides = []
    for length, share in ((images.shape[2], width), (images.shape[1], height)):
        size = share * length
        start = layer.uniform(len(images), (0.0, 1.0), images.device) * (length - size)
        sides += [start.reshape(-1, 1, 1, 1), (start + size).reshape(-1, 1, 1, 1)]
    return tuple(sides)


def inside(sides: Sides, images: torch.Tensor) -> torch.Tensor:
    """Return which pixels lie inside the boxes: (B, H, W, 1)."""
    left, right, top, bottom = sides
    x = torch.arange(images.shape[2], device=images.device)[None, None, :, None]
    y = torch.arange(images.shape[1], device=images.device)[None, :, None, None]
    return (x >= left) & (x < right) & (y >= top) & (y < bottom)
