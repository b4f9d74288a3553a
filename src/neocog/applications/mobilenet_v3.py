"""`neocog.applications.mobilenet_v3`: ."""

from __future__ import annotations

from typing import Any

from neocog.applications._predictions import decode_predictions

__all__ = ["decode_predictions", "preprocess_input"]


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Return the images as they are: the scaling is inside the network.

    Args:
        x: array, tensor or symbolic tensor, values from 0 to 255.
        data_format: not needed.
    """
    return x
