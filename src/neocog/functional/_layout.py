"""Between Keras's public layouts and torch's (B, C, …): views, no copies.

An array (B, H, W, C), seen as (B, C, H, W), is torch's channels_last memory. Series (B, L, C) become images
of height 1, because torch's 2D kernels know that memory layout and its 1D kernels do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch

View = Callable[[torch.Tensor], torch.Tensor]


def _series_in(x: torch.Tensor) -> torch.Tensor:
    return x.unsqueeze(1).permute(0, 3, 1, 2)


def _series_out(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 2, 3, 1).squeeze(1)


def _series_first_in(x: torch.Tensor) -> torch.Tensor:
    return x.unsqueeze(2)


def _series_first_out(x: torch.Tensor) -> torch.Tensor:
    return x.squeeze(2)


def _image_in(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 3, 1, 2)


def _image_out(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 2, 3, 1)


def _volume_in(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 4, 1, 2, 3)


def _volume_out(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 2, 3, 4, 1)


def _same(x: torch.Tensor) -> torch.Tensor:
    return x


_VIEWS: dict[tuple[int, str], tuple[View, View]] = {
    (1, "channels_last"): (_series_in, _series_out),
    (2, "channels_last"): (_image_in, _image_out),
    (3, "channels_last"): (_volume_in, _volume_out),
    (1, "channels_first"): (_series_first_in, _series_first_out),
    (2, "channels_first"): (_same, _same),
    (3, "channels_first"): (_same, _same),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where batch, channels and space stand in a public array.

    Attributes:
        rank: number of spatial axes, 1 to 3.
        data_format: `"channels_last"` or `"channels_first"`.
        inward: view of a public array as torch's kernels want it.
        outward: view of a kernel's result as a public array.
    """

    rank: int
    data_format: str
    inward: View
    outward: View

    @property
    def channel_axis(self) -> int:
        """Axis of the channels in the public array."""
        return -1 if self.data_format == "channels_last" else 1

    @property
    def first_axis(self) -> int:
        """First spatial axis in the public array."""
        return 1 if self.data_format == "channels_last" else 2

    @property
    def spatial_axes(self) -> tuple[int, ...]:
        """The spatial axes in the public array."""
        return tuple(range(self.first_axis, self.first_axis + self.rank))

    def sizes(self, shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the spatial sizes of a public shape."""
        return tuple(shape[self.first_axis : self.first_axis + self.rank])

    def with_sizes(
        self, shape: Sequence[int | None], sizes: Sequence[int | None], channels: int | None = None
    ) -> tuple[int | None, ...]:
        """Return a public shape with other spatial sizes, and with other channels when they are given."""
        depth = shape[self.channel_axis] if channels is None else channels
        if self.data_format == "channels_last":
            return (shape[0], *sizes, depth)
        return (shape[0], depth, *sizes)


@lru_cache
def layout(rank: int, data_format: str) -> Layout:
    """Return the layout of arrays with `rank` spatial axes."""
    return Layout(rank, data_format, *_VIEWS[rank, data_format])
