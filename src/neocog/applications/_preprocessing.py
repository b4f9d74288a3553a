"""Images with values from 0 to 255 as each family was trained on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neocog import ops
from neocog.core import check_one_of, dtype_name, floatx, standardize_data_format, torch_dtype
from neocog.exceptions import ArgumentError, message
from neocog.graph import SymbolicTensor

_CAFFE_MEAN = (103.939, 116.779, 123.68)  # blue, green, red
_TORCH_MEAN = (0.485, 0.456, 0.406)
_TORCH_DEVIATION = (0.229, 0.224, 0.225)
_WHERE = "preprocess_input"


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Return images as a network expects them; the input stays as it is.

    Args:
        x: array, tensor or symbolic tensor, (…, height, width, 3) or (…, 3, height, width), values from 0 to
            255.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
        mode: `"caffe"`: blue, green, red, each minus ImageNet's mean; `"tf"`: from -1 to 1; `"torch"`: from 0
            to 1, minus ImageNet's mean, divided by its standard deviation.

    Returns:
        The same kind of object, floating.

    Raises:
        ArgumentError: an unknown mode, or not 3 channels where the mode needs them.

    Example:
        >>> preprocess_input(np.full((1, 1, 1, 3), 255.0), mode="tf")
        array([[[[1., 1., 1.]]]])
    """
    mode = check_one_of(_WHERE, "mode", mode, ("caffe", "tf", "torch"))
    data_format = standardize_data_format(data_format)
    if not hasattr(x, "shape"):
        x = np.asarray(x)
    axis = -1 if data_format == "channels_last" else len(x.shape) - 3
    if mode != "tf":
        _check_channels(x, axis)
    if isinstance(x, (torch.Tensor, SymbolicTensor)):
        return _of_tensor(x, axis, mode)
    return _of_array(np.asarray(x), axis, mode)


def _check_channels(x: Any, axis: int) -> None:
    if len(x.shape) < 3 or x.shape[axis] not in (3, None):
        raise ArgumentError(
            message(_WHERE, expected=f"images with 3 channels on axis {axis}", got=tuple(x.shape))
        )


def _of_array(x: Any, axis: int, mode: str) -> Any:
    x = x if np.issubdtype(x.dtype, np.floating) else x.astype(floatx())
    if mode == "tf":
        return x / x.dtype.type(127.5) - x.dtype.type(1.0)

    def along(values: tuple[float, ...]) -> Any:
        return np.asarray(values, x.dtype).reshape((-1,) + (1,) * _behind(x, axis))

    if mode == "caffe":
        return np.flip(x, axis) - along(_CAFFE_MEAN)
    return (x / x.dtype.type(255.0) - along(_TORCH_MEAN)) / along(_TORCH_DEVIATION)


def _of_tensor(x: Any, axis: int, mode: str) -> Any:
    """As `_of_array`, by operations that a graph and its files know."""
    dtype = dtype_name(x.dtype)
    if not dtype.startswith(("float", "bfloat")):
        dtype = floatx()
        x = ops.cast(x, dtype)

    def along(values: tuple[float, ...]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch_dtype(dtype)).reshape((-1,) + (1,) * _behind(x, axis))

    if mode == "tf":
        return ops.subtract(ops.divide(x, 127.5), 1.0)
    if mode == "caffe":
        return ops.subtract(ops.flip(x, axis=axis), along(_CAFFE_MEAN))
    return ops.divide(ops.subtract(ops.divide(x, 255.0), along(_TORCH_MEAN)), along(_TORCH_DEVIATION))


def _behind(x: Any, axis: int) -> int:
    """Return how many axes follow the channels."""
    return 0 if axis == -1 else len(x.shape) - 1 - axis
