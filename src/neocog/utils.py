"""Keras's `utils`: re-exports of what lives on the floors below."""

from neocog.core import custom_object_scope, set_random_seed
from neocog.data import (
    PyDataset,
    Sequence,
    array_to_img,
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
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "normalize",
    "save_img",
    "set_random_seed",
    "to_categorical",
]
