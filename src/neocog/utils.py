"""Keras's `utils`: re-exports of what lives on the floors below."""

from typing import TYPE_CHECKING

from neocog._old_spellings import missing_name
from neocog.backend import clear_session, is_keras_tensor, standardize_dtype
from neocog.core import (
    Config,
    custom_object_scope,
    disable_interactive_logging,
    enable_interactive_logging,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    is_interactive_logging_enabled,
    register_keras_serializable,
    set_random_seed,
)
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
    pad_sequences,
    save_img,
    split_dataset,
    text_dataset_from_directory,
    timeseries_dataset_from_array,
    to_categorical,
    unpack_x_y_sample_weight,
)
from neocog.graph import get_source_inputs
from neocog.models import deserialize_keras_object, model_to_dot, plot_model, serialize_keras_object
from neocog.training import Progbar

CustomObjectScope = custom_object_scope

__all__ = [
    "Config",
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "audio_dataset_from_directory",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "image_dataset_from_directory",
    "img_to_array",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "load_img",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]

if not TYPE_CHECKING:
    __getattr__ = missing_name(__name__, __all__)
