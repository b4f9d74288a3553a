"""Layers one after the other, as one layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from neocog.exceptions import ArgumentTypeError, message
from neocog.layers._layer import Layer
from neocog.layers._losses_of_layers import CALLS
from neocog.layers._registry import LAYERS, deserialize, serialize
from neocog.layers.augment._alone import fill_in_mode
from neocog.layers.augment._together import WarpChain, in_chains


@LAYERS.register("pipeline")
class Pipeline(Layer):
    """Call layers one after the other: for preprocessing and augmentation outside of a model.

    Called alone without `training=…` it augments. Layers that move pixels and follow each other are one warp.

    Args:
        layers: the layers.
        name: name of the layer.

    Example:
        >>> import numpy as np
        >>> from neocog.layers.augment import AutoContrast, RandomFlip
        >>> Pipeline([AutoContrast(), RandomFlip()])(np.ones((2, 8, 8, 3))).shape
        torch.Size([2, 8, 8, 3])
    """

    augments_alone = True
    _mode_given = False

    def __init__(self, layers: Sequence[Any], name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        if not isinstance(layers, (list, tuple)) or not all(isinstance(layer, Layer) for layer in layers):
            raise ArgumentTypeError(message(self.label, expected="a list of layers", got=repr(layers)))
        self.layers = list(layers)

    def train(self, mode: bool = True) -> Any:
        """Switch to training or inference mode, which then holds for calls of the pipeline alone too."""
        if CALLS.depth == 0:
            self._mode_given = True
        return super().train(mode)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Run `call` with the mode filled in: training where the pipeline is called alone."""
        fill_in_mode(self, self._mode_given, kwargs)
        return super().forward(*args, **kwargs)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Run the layers.

        Args:
            inputs: inputs of the first one.
            training: whether they augment.
            mask: for the first one; the others get that of the layer before.
        """
        for operation in self._operations(together=bool(training) and mask is None):
            if isinstance(operation, WarpChain):
                inputs = operation(inputs, training=True)
                continue
            extra: dict[str, Any] = {"training": training} if operation._takes_training else {}
            if mask is not None and "mask" in operation._call_arguments:
                extra["mask"] = mask
            inputs, mask = operation(inputs, **extra), None
        return inputs

    def _operations(self, *, together: bool) -> list[Any]:
        """Return the layers; those that move pixels and follow each other as one where asked."""
        return in_chains(self.layers) if together else self.layers

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape after the last layer."""
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return the type after the last layer."""
        for layer in self.layers:
            input_dtype = layer.compute_output_dtype(input_dtype)
        return input_dtype

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {"name": self.name, "layers": [serialize(layer) for layer in self.layers]}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make the layers and the pipeline."""
        layers = [deserialize(entry, custom_objects) for entry in config["layers"]]
        return cls(**{**config, "layers": layers})
