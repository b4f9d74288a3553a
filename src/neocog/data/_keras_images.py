"""Keras's image helpers: `load_img`, `img_to_array`, `array_to_img`, `save_img`, `smart_resize`."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neocog.core import check_ntuple, check_one_of, dtype_name, floatx, standardize_data_format, to_tensor
from neocog.data._image_files import FORMATS, open_image
from neocog.data._look import COLOR_MODES
from neocog.exceptions import ArgumentError, DataError, message

if TYPE_CHECKING:
    from PIL import Image

_FILTERS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def load_img(
    path: str | os.PathLike[str] | io.BytesIO,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Image.Image:
    """Read an image file as a Pillow image, as Keras does (no rotation by EXIF; `load_image` applies it).

    Args:
        path: file, or bytes in a `BytesIO`.
        color_mode: `"rgb"`, `"grayscale"` or `"rgba"`.
        target_size: (height, width) in pixels; None keeps the size.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"hamming"`, `"box"` or `"lanczos"`.
        keep_aspect_ratio: cut the middle to the target's shape before resizing.

    Raises:
        DataError: a file that is missing, damaged or no image.
    """
    from PIL import Image

    color_mode = check_one_of("load_img", "color_mode", color_mode, tuple(COLOR_MODES))
    interpolation = check_one_of("load_img", "interpolation", interpolation, _FILTERS)
    if isinstance(path, io.BytesIO):
        try:
            image = _in_mode(Image.open(path, formats=FORMATS), color_mode)
        except Exception as error:
            raise DataError(message("load_img", expected="the bytes of an image", got=str(error))) from error
    else:
        with open_image(path) as opened:
            image = _in_mode(opened, color_mode)
    if target_size is None:
        return image
    height, width = check_ntuple("load_img", "target_size", target_size, 2)
    if image.size == (width, height):
        return image
    resample = Image.Resampling[interpolation.upper()]
    box = None
    if keep_aspect_ratio:
        crop_height = min(image.height, image.width * height // width)
        crop_width = min(image.width, image.height * width // height)
        top, left = (image.height - crop_height) // 2, (image.width - crop_width) // 2
        box = (left, top, left + crop_width, top + crop_height)
    return image.resize((width, height), resample, box=box)


def _in_mode(image: Image.Image, color_mode: str) -> Image.Image:
    image.load()
    if color_mode == "grayscale":
        return image.copy() if image.mode in ("L", "I;16", "I") else image.convert("L")
    return image.convert({"rgb": "RGB", "rgba": "RGBA"}[color_mode])


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray[Any, Any]:
    """Return a Pillow image as an array (height, width, channels) of the default float type.

    Args:
        img: Pillow image or array of 2 or 3 axes.
        data_format: `"channels_last"` or `"channels_first"`; None stands for the default.
        dtype: of the array.
    """
    first = standardize_data_format(data_format) == "channels_first"
    array = np.asarray(img, dtype=dtype_name(dtype))
    if array.ndim not in (2, 3):
        raise ArgumentError(message("img_to_array", expected="an image of 2 or 3 axes", got=array.shape))
    array = array[:, :, None] if array.ndim == 2 else array
    return array.transpose(2, 0, 1) if first else array


def array_to_img(
    x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None
) -> Image.Image:
    """Return an array (height, width, channels) as a Pillow image.

    Args:
        x: array with 1, 3 or 4 channels.
        data_format: `"channels_last"` or `"channels_first"`; None stands for the default.
        scale: stretch the values so that the least is 0 and the largest 255.
        dtype: to compute in.
    """
    from PIL import Image

    array = np.array(x, dtype=floatx() if dtype is None else dtype_name(dtype))
    if array.ndim != 3:
        raise ArgumentError(message("array_to_img", expected="an array of 3 axes", got=array.shape))
    if standardize_data_format(data_format) == "channels_first":
        array = array.transpose(1, 2, 0)
    if array.shape[2] not in (1, 3, 4):
        raise ArgumentError(message("array_to_img", expected="1, 3 or 4 channels", got=array.shape[2]))
    if scale:
        array = array - array.min()
        array = array / (array.max() or 1) * 255
    if array.shape[2] > 1:
        return Image.fromarray(np.ascontiguousarray(array.astype("uint8")))
    wide = array.max() > 255
    return Image.fromarray(array[:, :, 0].astype("int32" if wide else "uint8"))


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array as an image file.

    Args:
        path: file name or file object.
        x: array (height, width, channels).
        data_format: `"channels_last"` or `"channels_first"`; None stands for the default.
        file_format: `"png"`, `"jpeg"`, …; None takes the suffix of `path`.
        scale: stretch the values to 0-255, as in `array_to_img`.
        **kwargs: passed on to Pillow's `save`, as in Keras.
    """
    if file_format is None and isinstance(path, (str, os.PathLike)):
        file_format = Path(path).suffix[1:]
    file_format = {"jpg": "jpeg", "tif": "tiff", "": None}.get((file_format or "").lower(), file_format)
    image = array_to_img(x, data_format=data_format, scale=scale)
    if image.mode == "RGBA" and (file_format or "").lower() == "jpeg":
        warnings.warn("save_img: JPEG has no transparency: the image is written as RGB.", stacklevel=2)
        image = image.convert("RGB")
    image.save(path, format=file_format, **kwargs)


def smart_resize(
    x: Any,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    data_format: str = "channels_last",
) -> Any:
    """Resize images without distortion: the largest middle part of the target's shape is resized to `size`.

    Args:
        x: array or tensor (height, width, channels) or (batch, height, width, channels).
        size: (height, width) in pixels.
        interpolation: `"bilinear"`, `"nearest"` or `"bicubic"`, without antialiasing, as in Keras.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        An array of the type of `x` (float64 becomes float32), NumPy for NumPy and torch for torch.
    """
    mode = check_one_of("smart_resize", "interpolation", interpolation, ("bilinear", "nearest", "bicubic"))
    height, width = check_ntuple("smart_resize", "size", size, 2)
    image = to_tensor(x)
    if image.ndim not in (3, 4):
        raise ArgumentError(
            message("smart_resize", expected="an image of 3 or 4 axes", got=tuple(image.shape))
        )
    last = standardize_data_format(data_format) == "channels_last"
    image = image.movedim(-1, -3) if last else image  # (..., C, H, W)
    rows, columns = image.shape[-2:]
    crop_rows = max(min(rows, int(float(columns * height) / width)), 1)
    crop_columns = max(min(columns, int(float(rows * width) / height)), 1)
    top, left = (rows - crop_rows) // 2, (columns - crop_columns) // 2
    image = image[..., top : top + crop_rows, left : left + crop_columns]
    batch = image.reshape(-1, *image.shape[-3:]).float()
    if mode == "nearest":
        out = torch.nn.functional.interpolate(batch, (height, width), mode="nearest-exact")
    else:
        out = torch.nn.functional.interpolate(batch, (height, width), mode=mode, align_corners=False)
    if not image.is_floating_point():
        limits = torch.iinfo(image.dtype)
        out = out.round().clamp(limits.min, limits.max).to(image.dtype)
    out = out.reshape(*image.shape[:-2], height, width)
    out = out.movedim(-3, -1).contiguous() if last else out
    return out if isinstance(x, torch.Tensor) else out.numpy()
