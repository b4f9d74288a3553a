"""`neocog.applications.densenet`: DenseNet121, DenseNet169 and DenseNet201, and what belongs to it."""

from __future__ import annotations

from typing import Any

from neocog.applications._densenet import DenseNet121, DenseNet169, DenseNet201
from neocog.applications._predictions import decode_predictions
from neocog.applications._preprocessing import preprocess_input as _preprocess

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Return images as the network expects them: from 0 to 1, then minus mean, by deviation.

    Args:
        x: array, tensor or symbolic tensor with 3 channels, values from 0 to 255.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
    """
    return _preprocess(x, data_format, "torch")
