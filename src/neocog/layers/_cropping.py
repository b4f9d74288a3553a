"""Inner parts of series, images and volumes."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import standardize_data_format
from neocog.functional import layout
from neocog.layers._input_spec import InputSpec
from neocog.layers._layer import Layer
from neocog.layers._padding_argument import check_sides
from neocog.layers._registry import LAYERS
from neocog.layers._spatial_sizes import check_sizes


class Cropping(Layer):
    """Leave out the borders of the inputs: a view.

    Args:
        cropping: how many: one number for all sides, one for each spatial axis, or a pair (before, after) for
            each.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
    """

    rank: int

    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._sides = check_sides(self.label, "cropping", cropping, self.rank)
        self.cropping: Any = self._sides[0] if self.rank == 1 else self._sides
        self.data_format = standardize_data_format(data_format)
        self._layout = layout(self.rank, self.data_format)
        self._parts = (slice(None),) * self._layout.first_axis + tuple(
            slice(before, -after if after else None) for before, after in self._sides
        )
        self._smallest = tuple(before + after + 1 for before, after in self._sides)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        self._check_window(inputs.shape)
        return self.as_float(inputs)[self._parts]

    def _check_window(self, shape: Any) -> None:
        sizes = self._layout.sizes(shape)
        check_sizes(self.label, sizes, self._smallest, shape, "Crop less, or use larger inputs.")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs, None for unknown sizes."""
        self._check_window(input_shape)
        sizes = [
            None if size is None else size - before - after
            for size, (before, after) in zip(self._layout.sizes(input_shape), self._sides, strict=True)
        ]
        return self._layout.with_sizes(input_shape, sizes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "cropping": self.cropping, "data_format": self.data_format}


@LAYERS.register("cropping1d")
class Cropping1D(Cropping):
    """Leave out the start and the end of series.

    Args:
        cropping: one number, or the pair (before, after); default (1, 1).

    Shapes:
        (batch, length, channels) to (batch, length - before - after, channels).

    Example:
        >>> Cropping1D((1, 0))(torch.tensor([[[1.0], [2.0], [3.0]]])).flatten()
        tensor([2., 3.])
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, "channels_last", **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {key: value for key, value in super().get_config().items() if key != "data_format"}


@LAYERS.register("cropping2d")
class Cropping2D(Cropping):
    """Leave out the borders of images.

    Args:
        cropping: one number, (rows, columns), or ((top, bottom), (left, right)); default 0.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Shapes:
        (batch, height, width, channels) to (batch, new height, new width, channels).

    Example:
        >>> Cropping2D(((1, 0), (2, 2)))(torch.ones(1, 6, 6, 3)).shape
        torch.Size([1, 5, 2, 3])
    """

    rank = 2

    def __init__(
        self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)


@LAYERS.register("cropping3d")
class Cropping3D(Cropping):
    """Leave out the borders of volumes.

    Args:
        cropping: one number, one an axis, or a pair an axis; default 1.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Shapes:
        (batch, depth, height, width, channels) to (batch, new depth, new height, new width, channels).

    Example:
        >>> Cropping3D(1)(torch.ones(1, 4, 5, 6, 3)).shape
        torch.Size([1, 2, 3, 4, 3])
    """

    rank = 3

    def __init__(
        self,
        cropping: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)
