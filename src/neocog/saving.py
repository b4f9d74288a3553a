"""Keras's `saving`: models and objects to files and back; re-exports of what lives on the floors below."""

from typing import TYPE_CHECKING

from neocog._old_spellings import missing_name
from neocog.core import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from neocog.models import (
    deserialize_keras_object,
    load_model,
    load_torch_weights,
    load_weights,
    save_model,
    save_weights,
    serialize_keras_object,
)

CustomObjectScope = custom_object_scope

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_torch_weights",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]

if not TYPE_CHECKING:
    __getattr__ = missing_name(__name__, __all__)
