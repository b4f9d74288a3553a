"""Layers that change the size of images: Resizing, CenterCrop."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import check_int, check_number, check_one_of, standardize_data_format
from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.functional import RESIZE_MODES, crop_to_ratio, pad_to_ratio, resize
from neocog.layers._input_spec import InputSpec
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS


class ImageLayer(Layer):
    """Base of the layers on images: one image (height, width, channels), or a batch of them.

    Args:
        data_format: `"channels_last"` (default) or `"channels_first"`.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=3, max_ndim=4)
        self._channels_last = self.data_format == "channels_last"

    def channels_first_batch(self, images: torch.Tensor) -> torch.Tensor:
        """Return the images as a batch (B, C, H, W): a view."""
        batch = images if images.ndim == 4 else images.unsqueeze(0)
        return batch.permute(0, 3, 1, 2) if self._channels_last else batch

    def like_inputs(self, batch: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        """Return a batch (B, C, H, W) in the layout and with the number of axes of `inputs`: a view."""
        outputs = batch.permute(0, 2, 3, 1) if self._channels_last else batch
        return outputs if inputs.ndim == 4 else outputs.squeeze(0)

    def resized_shape(self, input_shape: Any, height: int, width: int) -> Any:
        """Return the input's shape with other sizes of the image."""
        if len(input_shape) not in (3, 4):
            raise ShapeError(
                message(self.label, expected="one image (3 axes) or a batch (4 axes)", got=input_shape)
            )
        if self._channels_last:
            return (*input_shape[:-3], height, width, input_shape[-1])
        return (*input_shape[:-2], height, width)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "data_format": self.data_format}


@LAYERS.register("resizing")
class Resizing(ImageLayer):
    """Give images another size.

    Args:
        height: new height in pixels.
        width: new width in pixels.
        interpolation: `"bilinear"`, `"nearest"` or `"bicubic"`.
        crop_to_aspect_ratio: True cuts borders off first, so that nothing is distorted.
        pad_to_aspect_ratio: True puts borders on first, so that nothing is distorted or lost.
        fill_mode: of these borders; `"constant"`.
        fill_value: of these borders.
        antialias: True averages where images shrink.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, h, w, channels) to (batch, height, width, channels), or without batch; the type stays.

    Example:
        >>> Resizing(8, 6)(torch.zeros(2, 20, 20, 3)).shape
        torch.Size([2, 8, 6, 3])
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height = check_int(self.label, "height", height, minimum=1)
        self.width = check_int(self.label, "width", width, minimum=1)
        self.interpolation = check_one_of(self.label, "interpolation", interpolation, tuple(RESIZE_MODES))
        self.crop_to_aspect_ratio = bool(crop_to_aspect_ratio)
        self.pad_to_aspect_ratio = bool(pad_to_aspect_ratio)
        self.fill_mode = check_one_of(self.label, "fill_mode", fill_mode, ("constant",))
        self.fill_value = check_number(self.label, "fill_value", fill_value)
        self.antialias = bool(antialias)
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise ArgumentError(
                f"{self.label}: expected either crop_to_aspect_ratio or pad_to_aspect_ratio, got both."
            )

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        images = self.channels_first_batch(inputs)
        if self.crop_to_aspect_ratio:
            images = crop_to_ratio(images, self.height, self.width)
        elif self.pad_to_aspect_ratio:
            images = pad_to_ratio(images, self.height, self.width, self.fill_value)
        images = resize(images, self.height, self.width, self.interpolation, self.antialias)
        return self.like_inputs(images, inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape with the new size."""
        return self.resized_shape(input_shape, self.height, self.width)

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return the type of the inputs."""
        return input_dtype

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "height": self.height,
            "width": self.width,
            "interpolation": self.interpolation,
            "crop_to_aspect_ratio": self.crop_to_aspect_ratio,
            "pad_to_aspect_ratio": self.pad_to_aspect_ratio,
            "fill_mode": self.fill_mode,
            "fill_value": self.fill_value,
            "antialias": self.antialias,
        }


@LAYERS.register("center_crop")
class CenterCrop(ImageLayer):
    """Cut the middle out of images; images that are too small are cropped to the aspect ratio and enlarged.

    Args:
        height: new height in pixels.
        width: new width in pixels.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Shapes:
        (batch, h, w, channels) to (batch, height, width, channels), or without batch; floats.

    Example:
        >>> CenterCrop(2, 2)(torch.arange(16.0).reshape(4, 4, 1)).flatten()
        tensor([ 5.,  6.,  9., 10.])
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height = check_int(self.label, "height", height, minimum=1)
        self.width = check_int(self.label, "width", width, minimum=1)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        images = self.channels_first_batch(inputs)
        top, left = images.shape[-2] - self.height, images.shape[-1] - self.width
        if top >= 0 and left >= 0:
            top, left = top // 2, left // 2
            images = images[..., top : top + self.height, left : left + self.width]
            return self.as_float(self.like_inputs(images, inputs))
        images = crop_to_ratio(self.as_float(images), self.height, self.width)
        return self.like_inputs(resize(images, self.height, self.width), inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape with the new size."""
        return self.resized_shape(input_shape, self.height, self.width)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "height": self.height, "width": self.width}
