"""Floor 5: models. Stacks, graphs and subclasses, how they train, and their summaries."""

from typing import TYPE_CHECKING

from neocog._old_spellings import missing_name
from neocog.layers import Input
from neocog.models._export import export_model
from neocog.models._files import load_model, model_config, model_from_config, model_from_json
from neocog.models._functional import Functional
from neocog.models._model import Model
from neocog.models._sequential import Sequential

__all__ = [
    "export_model",
    "Functional",
    "Input",
    "Model",
    "Sequential",
    "load_model",
    "model_config",
    "model_from_config",
    "model_from_json",
]

if not TYPE_CHECKING:
    __getattr__ = missing_name(__name__, __all__)
