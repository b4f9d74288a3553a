"""Keras's old `ImageDataGenerator`, its iterators and its functions on single images."""

from neocog.data._generator._affine import apply_affine_transform
from neocog.data._generator._dataframe import DataFrameIterator
from neocog.data._generator._directory import DirectoryIterator
from neocog.data._generator._draws import (
    apply_brightness_shift,
    apply_channel_shift,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
)
from neocog.data._generator._image_generator import ImageDataGenerator
from neocog.data._generator._iterator import Iterator
from neocog.data._generator._numpy import NumpyArrayIterator

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
]
