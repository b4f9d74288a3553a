"""Floor 5: models. Stacks, graphs and subclasses, how they train, and their summaries."""

from typing import TYPE_CHECKING

from neocog._old_spellings import missing_name
from neocog.layers import Input
from neocog.models._cloning import clone_model
from neocog.models._diagram import model_to_dot, plot_model
from neocog.models._export import export_model
from neocog.models._files import (
    load_model,
    load_torch_weights,
    load_weights,
    model_config,
    model_from_config,
    model_from_json,
    save_model,
    save_weights,
)
from neocog.models._functional import Functional
from neocog.models._model import Model
from neocog.models._objects import deserialize_keras_object, serialize_keras_object
from neocog.models._sequential import Sequential

__all__ = [
    "Functional",
    "Input",
    "Model",
    "Sequential",
    "clone_model",
    "deserialize_keras_object",
    "export_model",
    "load_model",
    "load_torch_weights",
    "load_weights",
    "model_config",
    "model_from_config",
    "model_from_json",
    "model_to_dot",
    "plot_model",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]

if not TYPE_CHECKING:
    __getattr__ = missing_name(__name__, __all__)
