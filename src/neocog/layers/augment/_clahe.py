"""Equalization of small parts of images, blended: CLAHE."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import check_ntuple, check_number
from neocog.layers._registry import LAYERS
from neocog.layers.augment._arguments import checked_range, rescale
from neocog.layers.augment._base import Draw, RandomImageLayer

_BYTES = (0, 255)
_BINS = 256


@LAYERS.register("contrast_limited_adaptive_histogram_equalization")
class ContrastLimitedAdaptiveHistogramEqualization(RandomImageLayer):
    """Equalize each channel of each image tile by tile, and blend the tiles, in training and inference.

    Args:
        value_range: least and greatest value of a pixel.
        clip_limit: how many times its fair share a value may count; what is above is shared out among all
            values, so that noise is not amplified. 0 sets no limit.
        tile_grid_size: number of tiles along height and width.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; the type stays.

    Example:
        >>> layer = ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 2))
        >>> layer(torch.rand(2, 8, 8, 3) * 255).shape
        torch.Size([2, 8, 8, 3])

    Reference:
        Zuiderveld, Contrast Limited Adaptive Histogram Equalization, Graphics Gems IV, 1994.
    """

    always = True
    keeps_type = True

    def __init__(
        self,
        value_range: Any = _BYTES,
        clip_limit: float = 4.0,
        tile_grid_size: Any = (8, 8),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = checked_range(self.label, value_range)
        self.clip_limit = check_number(self.label, "clip_limit", clip_limit, minimum=0.0)
        self.tile_grid_size = check_ntuple(self.label, "tile_grid_size", tile_grid_size, 2)

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images, equalized."""
        values = rescale(images.float(), self.value_range, _BYTES)
        height, width = values.shape[1:3]
        rows, columns = self.tile_grid_size
        tile = (height + rows - 1) // rows, (width + columns - 1) // columns
        down, across = _mirrored(tile[0] * rows, height, values), _mirrored(tile[1] * columns, width, values)
        padded = values.index_select(1, down).index_select(2, across)
        pixels = padded.clamp(*_BYTES).to(torch.int64)
        tables = self._tables(pixels, tile)
        result = _blended(tables, pixels, tile)[:, :height, :width]
        return rescale(result, _BYTES, self.value_range).to(images.dtype)

    def _tables(self, pixels: torch.Tensor, tile: tuple[int, int]) -> torch.Tensor:
        """Return what each value becomes, for each tile: (B, rows, columns, C, 256)."""
        batch, _, _, channels = pixels.shape
        rows, columns = self.tile_grid_size
        size = tile[0] * tile[1]
        tiles = pixels.reshape(batch, rows, tile[0], columns, tile[1], channels).permute(0, 1, 3, 5, 2, 4)
        values = tiles.reshape(batch, rows, columns, channels, size)
        counts = torch.zeros(*values.shape[:-1], _BINS, device=pixels.device)
        counts = counts.scatter_add(-1, values, torch.ones_like(values, dtype=counts.dtype))
        if self.clip_limit > 0:
            cut = counts.clamp(max=int(self.clip_limit * size / _BINS))  # whole, as Keras counts on torch
            counts = cut + (counts - cut).sum(-1, keepdim=True) / _BINS
        total = counts.cumsum(-1)
        first = total.amin(-1, keepdim=True)
        span = size - first
        return ((total - first) * _BYTES[1] / torch.where(span == 0, 1.0, span)).clamp(*_BYTES)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        config = {
            **super().get_config(),
            "value_range": self.value_range,
            "clip_limit": self.clip_limit,
            "tile_grid_size": self.tile_grid_size,
        }
        del config["seed"]  # nothing is drawn
        return config


def _mirrored(length: int, size: int, like: torch.Tensor) -> torch.Tensor:
    """Return the places of `length` pixels in an axis of `size`: beyond the end they come back."""
    place = torch.arange(length, device=like.device).remainder(2 * size)
    return torch.minimum(place, 2 * size - 1 - place)


def _blended(tables: torch.Tensor, pixels: torch.Tensor, tile: tuple[int, int]) -> torch.Tensor:
    """Return what the pixels (B, H, W, C) become, by the tables of the four tiles around each."""
    rows, columns = tables.shape[1:3]
    batch, channels = pixels.shape[0], pixels.shape[3]
    upper, lower, weight_y = _neighbours(rows, tile[0], pixels)
    left, right, weight_x = _neighbours(columns, tile[1], pixels)
    sample = torch.arange(batch, device=pixels.device)[:, None, None, None]
    channel = torch.arange(channels, device=pixels.device)
    weight_y, weight_x = weight_y[:, None, None], weight_x[:, None]

    def found(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return tables[sample, y[:, None, None], x[:, None], channel, pixels]

    above = found(upper, left) * (1.0 - weight_x) + found(upper, right) * weight_x
    below = found(lower, left) * (1.0 - weight_x) + found(lower, right) * weight_x
    return above * (1.0 - weight_y) + below * weight_y


def _neighbours(tiles: int, size: int, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return, for each pixel along an axis, the tiles before and after it, and the share of the one after."""
    place = (torch.arange(tiles * size, device=like.device, dtype=torch.float32) - size / 2.0) / size
    place = place + 1.0  # rounded as in Keras
    before = place.floor()
    share = place - before
    first = before.to(torch.int64) - 1
    return first.clamp(0, tiles - 1), (first + 1).clamp(0, tiles - 1), share
