"""Layers of Keras that hold what only TensorFlow or JAX can run: names that say what to do instead."""

from __future__ import annotations

from typing import Any, NoReturn

from neocog.exceptions import ArgumentError
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS


class ForeignLayer(Layer):
    """Say at once why there is no such layer, in code as in a file."""

    _holds: str
    _instead: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._refuse()

    @classmethod
    def from_config(cls, config: Any) -> NoReturn:
        """Refuse, without looking at the configuration.

        Raises:
            ArgumentError: always.
        """
        cls._refuse()

    @classmethod
    def _refuse(cls) -> NoReturn:
        raise ArgumentError(f"{cls.__name__}: holds {cls._holds}, which neocog does not run. {cls._instead}")


@LAYERS.register()
class TFSMLayer(ForeignLayer):
    """Refuse: in Keras this layer runs a TensorFlow SavedModel."""

    _holds = "a TensorFlow SavedModel"
    _instead = (
        "Load it where it was made, save the Keras model as .keras or its weights as .weights.h5, and open "
        "these with neocog.models.load_model or model.load_weights."
    )


@LAYERS.register()
class JaxLayer(ForeignLayer):
    """Refuse: in Keras this layer runs a JAX function."""

    _holds = "a JAX function"
    _instead = "Write it with torch or neocog.ops in a Layer's call, and copy its weights with set_weights."


@LAYERS.register()
class FlaxLayer(ForeignLayer):
    """Refuse: in Keras this layer runs a Flax module."""

    _holds = "a Flax module"
    _instead = "Write it as an nn.Module or a Layer, and copy its weights with set_weights."
