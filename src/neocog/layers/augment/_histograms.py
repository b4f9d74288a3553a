"""Layers that spread the values of images over the whole range: by their extremes, by their histogram."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import check_int
from neocog.layers._registry import LAYERS
from neocog.layers.augment._arguments import rescale, sorted_range
from neocog.layers.augment._base import Draw, RandomImageLayer

_BYTES = (0, 255)


@LAYERS.register("auto_contrast")
class AutoContrast(RandomImageLayer):
    """Stretch each channel of each image over the whole value range, in training and inference.

    `(x - min) · (high - low) / (max - min) + low`; channels of one value alone stay as they are.

    Args:
        value_range: least and greatest value of a pixel.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; floats.

    Example:
        >>> AutoContrast()(torch.tensor([[[0.0], [1.0]]])).flatten()
        tensor([  0., 255.])
    """

    always = True

    def __init__(self, value_range: Any = _BYTES, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_range = sorted_range(self.label, value_range)

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images, stretched."""
        values = rescale(images, self.value_range, _BYTES)
        low, high = values.amin((1, 2), keepdim=True), values.amax((1, 2), keepdim=True)
        flat = high == low
        scale = _BYTES[1] / torch.where(flat, 1.0, high - low)
        stretched = (values * scale + -low * scale).clamp(*_BYTES)
        return torch.where(flat, images, rescale(stretched, _BYTES, self.value_range))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        config = {**super().get_config(), "value_range": self.value_range}
        del config["seed"]  # nothing is drawn
        return config


@LAYERS.register("equalization")
class Equalization(RandomImageLayer):
    """Change the values of each channel so that all are about as frequent, in training.

    As in Keras 3.15, the frequencies are those of the whole batch, and in inference images stay as they are;
    give images one by one to equalize each by itself.

    Args:
        value_range: least and greatest value of a pixel.
        bins: number of different values that are told apart.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, height, width, channels), unchanged, or one image; floats.

    Example:
        >>> Equalization()(torch.tensor([[[3.0], [4.0], [5.0]]]), training=True).flatten()
        tensor([  0., 128., 255.])
    """

    one_by_one = False  # policies equalize each image by its own frequencies

    def __init__(
        self, value_range: Any = _BYTES, bins: int = 256, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.bins = check_int(self.label, "bins", bins, minimum=1)
        self.value_range = sorted_range(self.label, value_range)

    def change(self, images: torch.Tensor, drawn: Draw) -> torch.Tensor:
        """Return the images, equalized."""
        low, high = self.value_range
        scale = _BYTES[1] / (high - low)
        values = images * scale - low * scale
        channels = values.permute(0, 3, 1, 2) if self.one_by_one else values.permute(3, 0, 1, 2)
        rows = channels.reshape(-1, images[0, ..., 0].numel() * (1 if self.one_by_one else len(images)))
        equal = _equalized(rows, self.bins).reshape(channels.shape)
        equal = equal.permute(0, 2, 3, 1) if self.one_by_one else equal.permute(1, 2, 3, 0)
        return (equal * ((high - low) / _BYTES[1]) + low).to(images.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        config = {**super().get_config(), "bins": self.bins, "value_range": self.value_range}
        del config["seed"]  # nothing is drawn
        return config


def _equalized(rows: torch.Tensor, bins: int) -> torch.Tensor:
    """Return rows (G, N) of values from 0 to 255, each equalized by its own histogram."""
    last = bins - 1
    place = (rows.float() * last / _BYTES[1]).to(torch.int64).clamp(0, last)
    counts = torch.zeros(len(rows), bins, dtype=torch.int64, device=rows.device)
    counts.scatter_add_(1, place, torch.ones_like(place))
    total = counts.cumsum(1)
    first = torch.where(total > 0, total, rows.shape[1]).amin(1, keepdim=True)
    span = total[:, -1:] - first
    table = ((total - first) * _BYTES[1] / torch.where(span == 0, 1, span)).round().clamp(*_BYTES)
    found = table.gather(1, (rows / _BYTES[1] * last).clamp(0, last).to(torch.int64)).to(rows.dtype)
    return torch.where((counts > 0).sum(1, keepdim=True) <= 1, rows, found)
