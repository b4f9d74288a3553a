"""Keras's `utils`: re-exports of what lives on the floors below."""

from typing import TYPE_CHECKING

from neocog._old_spellings import missing_name
from neocog.core import custom_object_scope, set_random_seed
from neocog.data import (
    PyDataset,
    Sequence,
    array_to_img,
    get_file,
    image_dataset_from_directory,
    img_to_array,
    load_img,
    normalize,
    save_img,
    to_categorical,
)

CustomObjectScope = custom_object_scope

__all__ = [
    "CustomObjectScope",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "custom_object_scope",
    "get_file",
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "normalize",
    "save_img",
    "set_random_seed",
    "to_categorical",
]

if not TYPE_CHECKING:
    __getattr__ = missing_name(__name__, __all__)
