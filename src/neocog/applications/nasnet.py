"""`neocog.applications.nasnet`: NASNetLarge and NASNetMobile, and what belongs to it."""

from __future__ import annotations

from typing import Any

from neocog.applications._nasnet import NASNetLarge, NASNetMobile
from neocog.applications._predictions import decode_predictions
from neocog.applications._preprocessing import preprocess_input as _preprocess

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Return images as the network expects them: values from -1 to 1.

    Args:
        x: array, tensor or symbolic tensor with 3 channels, values from 0 to 255.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
    """
    return _preprocess(x, data_format, "tf")
