"""The class that `Model(inputs, outputs)` makes."""

from __future__ import annotations

from neocog.layers import LAYERS
from neocog.models._model import Model


@LAYERS.register(name="Functional")
class Functional(Model):
    """A model between symbolic inputs and outputs; `Model(inputs, outputs)` makes one, with the same
    arguments.
    """

    keras_module = "keras.src.models.functional"  # what Keras's own files say


Model.functional_class = Functional
