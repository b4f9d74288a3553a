"""Zeros around series, images and volumes."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from neocog.core import standardize_data_format
from neocog.functional import layout
from neocog.layers._input_spec import InputSpec
from neocog.layers._layer import Layer
from neocog.layers._padding_argument import check_sides
from neocog.layers._registry import LAYERS


class ZeroPadding(Layer):
    """Put zeros around the inputs.

    Args:
        padding: how many (default 1): one number for all sides, one for each spatial axis, or a pair
            (before, after) for each.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
    """

    rank: int

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._sides = check_sides(self.label, "padding", padding, self.rank)
        self.padding: Any = self._sides[0] if self.rank == 1 else self._sides
        self.data_format = standardize_data_format(data_format)
        self._layout = layout(self.rank, self.data_format)
        flat = [side for pair in reversed(self._sides) for side in pair]
        self._pads = (0, 0, *flat) if self.data_format == "channels_last" else tuple(flat)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        return F.pad(self.as_float(inputs), self._pads)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs, None for unknown sizes."""
        sizes = [
            None if size is None else size + before + after
            for size, (before, after) in zip(self._layout.sizes(input_shape), self._sides, strict=True)
        ]
        return self._layout.with_sizes(input_shape, sizes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "padding": self.padding, "data_format": self.data_format}


@LAYERS.register("zero_padding1d")
class ZeroPadding1D(ZeroPadding):
    """Put zeros before and after series: `padding` is one number, or the pair (before, after).

    Shapes:
        (batch, length, channels) to (batch, before + length + after, channels).

    Example:
        >>> ZeroPadding1D((1, 0))(torch.ones(1, 2, 1)).flatten()
        tensor([0., 1., 1.])
    """

    rank = 1


@LAYERS.register("zero_padding2d")
class ZeroPadding2D(ZeroPadding):
    """Put zeros around images: `padding` as one number, (rows, columns), or ((top, bottom), (left, right)).

    Shapes:
        (batch, height, width, channels) to (batch, new height, new width, channels).

    Example:
        >>> ZeroPadding2D(((1, 0), (2, 2)))(torch.ones(1, 4, 4, 3)).shape
        torch.Size([1, 5, 8, 3])
    """

    rank = 2


@LAYERS.register("zero_padding3d")
class ZeroPadding3D(ZeroPadding):
    """Put zeros around volumes: `padding` as one number, one an axis, or a pair an axis.

    Shapes:
        (batch, depth, height, width, channels) to (batch, new depth, new height, new width, channels).

    Example:
        >>> ZeroPadding3D(1)(torch.ones(1, 2, 2, 2, 3)).shape
        torch.Size([1, 4, 4, 4, 3])
    """

    rank = 3
