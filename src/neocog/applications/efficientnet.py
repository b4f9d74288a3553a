"""`neocog.applications.efficientnet`: EfficientNetB0 to EfficientNetB7, and what belongs to them."""

from __future__ import annotations

from typing import Any

from neocog.applications._efficientnet import (
    EfficientNetB0,
    EfficientNetB1,
    EfficientNetB2,
    EfficientNetB3,
    EfficientNetB4,
    EfficientNetB5,
    EfficientNetB6,
    EfficientNetB7,
)
from neocog.applications._predictions import decode_predictions

__all__ = [
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetB6",
    "EfficientNetB7",
    "decode_predictions",
    "preprocess_input",
]


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Return the images as they are: the scaling is inside the network.

    Args:
        x: array, tensor or symbolic tensor, values from 0 to 255.
        data_format: not needed.
    """
    return x
