"""Keras's `preprocessing`: re-exports of what lives on the floors below."""

from typing import TYPE_CHECKING

from neocog._old_spellings import missing_name
from neocog.data import (
    image_dataset_from_directory,
    text_dataset_from_directory,
    timeseries_dataset_from_array,
)
from neocog.preprocessing import image, sequence, text

__all__ = [
    "image",
    "image_dataset_from_directory",
    "sequence",
    "text",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]

if not TYPE_CHECKING:
    __getattr__ = missing_name(__name__, __all__)
