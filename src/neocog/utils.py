"""Keras's `utils`: re-exports of what lives on the floors below."""

from typing import TYPE_CHECKING

from neocog._old_spellings import missing_name
from neocog.core import custom_object_scope, set_random_seed
from neocog.data import (
    PyDataset,
    Sequence,
    array_to_img,
    audio_dataset_from_directory,
    get_file,
    image_dataset_from_directory,
    img_to_array,
    load_img,
    normalize,
    pack_x_y_sample_weight,
    save_img,
    split_dataset,
    timeseries_dataset_from_array,
    to_categorical,
    unpack_x_y_sample_weight,
)

CustomObjectScope = custom_object_scope

__all__ = [
    "CustomObjectScope",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "audio_dataset_from_directory",
    "custom_object_scope",
    "get_file",
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "normalize",
    "pack_x_y_sample_weight",
    "save_img",
    "set_random_seed",
    "split_dataset",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]

if not TYPE_CHECKING:
    __getattr__ = missing_name(__name__, __all__)
