"""The mode of augmentations that are called alone: they augment, as in Keras."""

from __future__ import annotations

from typing import Any

from torch import nn

from neocog.layers._images import ImageLayer
from neocog.layers._layer import Layer
from neocog.layers._losses_of_layers import CALLS


def is_augmentation(model: nn.Module) -> bool:
    """Return whether a model is a row of augmentations: it has some, and nothing to learn."""
    if next(model.parameters(), None) is not None:
        return False
    return any(getattr(module, "augments_alone", False) for module in model.modules())


def fill_in_mode(layer: Layer, mode_given: bool, kwargs: dict[str, Any]) -> None:
    """Fill in `training=True` where a layer is called by itself and nobody has said anything else.

    Pipelines (`images.map(augment)`) count on it. Inside a model the model's mode holds.

    Args:
        layer: the layer that is called.
        mode_given: whether `train()` or `eval()` was called on it.
        kwargs: the keyword arguments of the call; changed.
    """
    said = mode_given or CALLS.mode_said
    alone = CALLS.outermost is None or CALLS.outermost is layer
    if alone and kwargs.get("training") is None and not said:
        kwargs["training"] = True


class AugmentingLayer(ImageLayer):
    """Base of the layers on images that augment where they are called alone without `training=…`.

    Args:
        data_format: `"channels_last"` (default) or `"channels_first"`.
    """

    augments_alone = True
    _mode_given = False

    def train(self, mode: bool = True) -> Any:
        """Switch to training or inference mode, which then holds for calls of the layer alone too."""
        if CALLS.depth == 0:
            self._mode_given = True
        return super().train(mode)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Run `call` with the mode filled in: training where the layer is called alone."""
        fill_in_mode(self, self._mode_given, kwargs)
        return super().forward(*args, **kwargs)
