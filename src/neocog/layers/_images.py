"""Layers that change the size of images: Resizing, CenterCrop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from neocog.core import check_int, check_number, check_one_of, standardize_data_format, torch_dtype
from neocog.exceptions import ArgumentError, ArgumentTypeError, ShapeError, message
from neocog.functional import RESIZE_MODES, crop_to_ratio, pad_to_ratio, resize
from neocog.layers._input_spec import InputSpec
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS


class ImageLayer(Layer):
    """Base of the layers on images: one image (height, width, channels), or a batch of them.

    Inputs are images, or a dict with `"images"` and, where wanted, `"segmentation_masks"`, with channels or
    without; other entries are handed on.

    Args:
        data_format: `"channels_last"` (default) or `"channels_first"`.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=3, max_ndim=4)
        self._channels_last = self.data_format == "channels_last"

    def check_inputs(self, args: tuple[Any, ...]) -> None:
        """Raise ShapeError where the images do not fit, ArgumentTypeError where there are none."""
        images = args[0]
        if isinstance(images, dict):
            self._check_entries(images)
            images = images["images"]
        if not hasattr(images, "shape"):
            expected = 'images as an array or tensor, or a dict with "images"'
            short = images is None or isinstance(images, (str, int, float))
            got = repr(images) if short else f"a {type(images).__name__}"
            raise ArgumentTypeError(message(self.label, expected=expected, got=got))
        super().check_inputs((images,))
        if 0 in (images.shape[-3:-1] if self._channels_last else images.shape[-2:]):
            expected = "images with pixels"
            raise ShapeError(message(self.label, expected=expected, got=f"shape {tuple(images.shape)}"))

    def on_entries(self, inputs: Any, step: Callable[[torch.Tensor, bool], torch.Tensor]) -> Any:
        """Return images, or a dict of them and their masks, changed by a function of either.

        Args:
            inputs: images, or a dict with `"images"`.
            step: given images or masks (with channels), and whether it is masks.
        """
        if not isinstance(inputs, dict):
            return step(inputs, False)
        self._check_entries(inputs)
        moved = self._masks_by(inputs, lambda masks: step(masks, True))
        return {**inputs, "images": step(inputs["images"], False), **moved}

    def _check_entries(self, inputs: dict[str, Any]) -> None:
        if "images" not in inputs:
            expected = 'a dict with "images" (and "labels", "segmentation_masks")'
            raise ArgumentError(message(self.label, expected=expected, got=sorted(inputs)))
        if "bounding_boxes" in inputs:
            do = "Leave them out, or change images and boxes before."
            raise ArgumentError(message(self.label, expected="no bounding_boxes", got="some", do=do))

    def _masks_by(self, inputs: dict[str, Any], step: Callable[[Any], Any]) -> dict[str, Any]:
        """Return the masks, where there are any, changed by a function of masks that have channels."""
        if "segmentation_masks" not in inputs:
            return {}
        masks = inputs["segmentation_masks"]
        if masks.ndim == inputs["images"].ndim:
            return {"segmentation_masks": step(masks)}
        axis = -1 if self._channels_last else -3  # (B, H, W): no axis of channels
        return {"segmentation_masks": step(masks.unsqueeze(axis)).squeeze(axis)}

    def in_own_type(self, images: torch.Tensor) -> torch.Tensor:
        """Return images in the layer's type; where that is one of floats, floats come back as they are."""
        kind = torch_dtype(self._dtype)
        return self.as_float(images) if kind.is_floating_point else images.to(kind)

    def channels_first_batch(self, images: torch.Tensor) -> torch.Tensor:
        """Return the images as a batch (B, C, H, W): a view."""
        batch = images if images.ndim == 4 else images.unsqueeze(0)
        return batch.permute(0, 3, 1, 2) if self._channels_last else batch

    def like_inputs(self, batch: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        """Return a batch (B, C, H, W) in the layout and with the number of axes of `inputs`: a view."""
        outputs = batch.permute(0, 2, 3, 1) if self._channels_last else batch
        return outputs if inputs.ndim == 4 else outputs.squeeze(0)

    def resized_shape(self, input_shape: Any, height: int, width: int) -> Any:
        """Return the input's shape with other sizes of the image; a dict's, of its images and masks."""
        if isinstance(input_shape, dict):
            return self._resized_entries(input_shape, height, width)
        if len(input_shape) not in (3, 4):
            raise ShapeError(
                message(self.label, expected="one image (3 axes) or a batch (4 axes)", got=input_shape)
            )
        if self._channels_last:
            return (*input_shape[:-3], height, width, input_shape[-1])
        return (*input_shape[:-2], height, width)

    def _resized_entries(self, shapes: dict[str, Any], height: int, width: int) -> dict[str, Any]:
        found = {**shapes, "images": self.resized_shape(shapes["images"], height, width)}
        masks = shapes.get("segmentation_masks")
        if masks is not None and len(masks) == len(shapes["images"]):
            found["segmentation_masks"] = self.resized_shape(masks, height, width)
        elif masks is not None:
            found["segmentation_masks"] = (*masks[:-2], height, width)
        return found

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return the type of the outputs: the layer's; where that is one of floats, floats stay."""
        floats = torch_dtype(self._dtype).is_floating_point
        return super().compute_output_dtype(input_dtype) if floats else self._dtype

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
        (batch, h, w, channels) to (batch, height, width, channels), or without batch; the type stays. Masks
        in a dict take the nearest pixel.

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

    def call(self, inputs: Any) -> Any:
        """Compute the outputs.

        Args:
            inputs: images, or a dict with `"images"`.
        """
        return self.on_entries(inputs, self._resized)

    def _resized(self, inputs: torch.Tensor, is_mask: bool) -> torch.Tensor:
        images = self.channels_first_batch(inputs)
        interpolation = "nearest" if is_mask else self.interpolation
        if self.crop_to_aspect_ratio:
            images = crop_to_ratio(images, self.height, self.width)
        elif self.pad_to_aspect_ratio:
            images = pad_to_ratio(images, self.height, self.width, self.fill_value)
        images = resize(images, self.height, self.width, interpolation, self.antialias)
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
        (batch, h, w, channels) to (batch, height, width, channels), or without batch; floats. Masks in a dict
        keep their type, and take the nearest pixel where they are enlarged.

    Example:
        >>> CenterCrop(2, 2)(torch.arange(16.0).reshape(4, 4, 1)).flatten()
        tensor([ 5.,  6.,  9., 10.])
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height = check_int(self.label, "height", height, minimum=1)
        self.width = check_int(self.label, "width", width, minimum=1)

    def call(self, inputs: Any) -> Any:
        """Compute the outputs.

        Args:
            inputs: images, or a dict with `"images"`.
        """
        return self.on_entries(inputs, self._cropped)

    def _cropped(self, inputs: torch.Tensor, is_mask: bool) -> torch.Tensor:
        images = self.channels_first_batch(inputs if is_mask else self.in_own_type(inputs))
        top, left = images.shape[-2] - self.height, images.shape[-1] - self.width
        if top >= 0 and left >= 0:
            top, left = top // 2, left // 2
            return self.like_inputs(images[..., top : top + self.height, left : left + self.width], inputs)
        images = crop_to_ratio(images, self.height, self.width)
        interpolation = "nearest" if is_mask else "bilinear"
        return self.like_inputs(resize(images, self.height, self.width, interpolation), inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape with the new size."""
        return self.resized_shape(input_shape, self.height, self.width)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "height": self.height, "width": self.width}
