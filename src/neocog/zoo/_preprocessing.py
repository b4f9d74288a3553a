"""Pixels as each architecture expects them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neocog import ops
from neocog.applications._preprocessing import preprocess_input as of_application
from neocog.core import floatx
from neocog.exceptions import ArgumentError, message
from neocog.graph import SymbolicTensor
from neocog.zoo._architecture import find

# factor and offset; LeNet-5's make paper -0.1 and ink 1.175
_LINEAR = {"unit": (1 / 255, 0.0), "lenet": (1.275 / 255, -0.1)}


def preprocess_input(x: Any, architecture: str, data_format: str | None = None) -> Any:
    """Return images as an architecture expects them; the input stays as it is.

    torchvision's forms take values from 0 to 1 minus ImageNet's mean, divided by its standard deviation
    (`"torch"`), its GoogLeNet and Inception v3 values from -1 to 1 (what `transform_input` makes there);
    AlexNet and GoogLeNet as published blue, green, red, each minus ImageNet's mean (`"caffe"`); Keras's
    forms what `neocog.applications` says; LeNet-5 -0.1 for paper and 1.175 for ink; the networks of the
    notes values from 0 to 1. Pretrained weights from elsewhere may want something else: `backbone` knows
    what belongs to its files.

    Args:
        x: array, tensor or symbolic tensor, (…, height, width, channels), values from 0 to 255.
        architecture: name, as `build` knows it.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Returns:
        The same kind of object, floating.

    Raises:
        UnknownNameError: no architecture has this name.
        ArgumentError: one for text, or not 3 channels where they are needed.

    Example:
        >>> preprocess_input(np.full((1, 1, 1, 1), 255.0), "mnist_cnn")
        array([[[[1.]]]])
    """
    row = find(architecture)
    if row.image is None:
        raise ArgumentError(
            message("preprocess_input", expected="an architecture for images", got=repr(row.name))
        )
    if row.pixels == "none":
        return x
    if row.pixels in _LINEAR:
        return _scaled(x, *_LINEAR[row.pixels])
    return of_application(x, data_format, row.pixels)


def _scaled(x: Any, factor: float, offset: float) -> Any:
    if isinstance(x, (torch.Tensor, SymbolicTensor)):
        return ops.add(ops.multiply(ops.cast(x, floatx()), factor), offset)
    values = np.asarray(x)
    values = values if np.issubdtype(values.dtype, np.floating) else values.astype(floatx())
    return values * values.dtype.type(factor) + values.dtype.type(offset)
