"""Larger series, images and volumes without weights."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import check_ntuple, check_one_of, standardize_data_format
from neocog.functional import lanczos, layout, repeat, resize
from neocog.layers._input_spec import InputSpec
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS

_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


class UpSampling(Layer):
    """Repeat each place `size` times along each spatial axis.

    Args:
        size: one factor, or one for each spatial axis; default 2.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
    """

    rank: int

    def __init__(self, size: Any = 2, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._factors = check_ntuple(self.label, "size", size, self.rank)
        self.size: Any = self._factors[0] if self.rank == 1 else self._factors
        self.data_format = standardize_data_format(data_format)
        self._layout = layout(self.rank, self.data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        return repeat(self.as_float(inputs), self._factors, self._layout.first_axis)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs, None for unknown sizes."""
        sizes = [
            None if size is None else size * factor
            for size, factor in zip(self._layout.sizes(input_shape), self._factors, strict=True)
        ]
        return self._layout.with_sizes(input_shape, sizes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "size": self.size, "data_format": self.data_format}


@LAYERS.register("up_sampling1d")
class UpSampling1D(UpSampling):
    """Repeat each step of series.

    Args:
        size: how often; default 2.

    Shapes:
        (batch, length, channels) to (batch, size · length, channels).

    Example:
        >>> UpSampling1D(2)(torch.tensor([[[1.0], [2.0]]])).flatten()
        tensor([1., 1., 2., 2.])
    """

    rank = 1

    def __init__(self, size: Any = 2, **kwargs: Any) -> None:
        super().__init__(size, "channels_last", **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {key: value for key, value in super().get_config().items() if key != "data_format"}


@LAYERS.register("up_sampling2d")
class UpSampling2D(UpSampling):
    """Enlarge images by whole factors.

    Args:
        size: one factor, or (rows, columns); default 2.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
        interpolation: `"nearest"` (repeat pixels, the default), `"bilinear"`, `"bicubic"`, `"lanczos3"` or
            `"lanczos5"`.

    Shapes:
        (batch, height, width, channels) to (batch, rows · height, columns · width, channels).

    Example:
        >>> UpSampling2D((2, 3), interpolation="bilinear")(torch.ones(1, 4, 4, 3)).shape
        torch.Size([1, 8, 12, 3])
    """

    rank = 2

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(size, data_format, **kwargs)
        self.interpolation: str = check_one_of(self.label, "interpolation", interpolation, _INTERPOLATIONS)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        if self.interpolation == "nearest":
            return super().call(inputs)
        x = self._layout.inward(self.as_float(inputs))
        height, width = x.shape[2] * self._factors[0], x.shape[3] * self._factors[1]
        if self.interpolation.startswith("lanczos"):
            outputs = lanczos(x, height, width, int(self.interpolation[-1]))
        else:
            outputs = resize(x, height, width, self.interpolation)
        return self._layout.outward(outputs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "interpolation": self.interpolation}


@LAYERS.register("up_sampling3d")
class UpSampling3D(UpSampling):
    """Repeat each place of volumes along each axis.

    Shapes:
        (batch, depth, height, width, channels) to the same with each size multiplied by its factor.

    Example:
        >>> UpSampling3D(2)(torch.ones(1, 2, 2, 2, 3)).shape
        torch.Size([1, 4, 4, 4, 3])
    """

    rank = 3
