"""Training and inference mode, and freezing, over a module and all that is in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import nn

from neocog.layers._weights import WeightSpec, WeightView


@contextmanager
def mode(module: nn.Module, training: bool) -> Iterator[None]:
    """Put a module and all in it into training or inference mode for one block, then back as each was."""
    before = [(child, child.training) for child in module.modules()]
    module.train(training)
    try:
        yield
    finally:
        for child, was in before:
            child.training = was


def set_trainable(module: nn.Module, value: bool) -> None:
    if hasattr(type(module), "trainable"):
        setattr(module, "trainable", value)  # noqa: B010 - a Layer's property; this file does not know Layer
        return
    for parameter in module.parameters(recurse=False):
        parameter.requires_grad_(value)
    for child in module.children():
        set_trainable(child, value)


def freeze_or_thaw(layer: nn.Module, specs: Sequence[WeightSpec], value: bool) -> None:
    """Take gradients, or none, for a layer's weights that may be trained, and for all layers inside it."""
    own = {id(WeightView(layer, spec, spec.name).value): spec.trainable for spec in specs}
    for parameter in layer.parameters(recurse=False):  # with the user's own, which no spec describes
        wanted = own.pop(id(parameter), getattr(parameter, "wants_training", True))
        if wanted and parameter.is_floating_point():
            parameter.requires_grad_(value)
    for spec in specs:
        if spec.trainable and spec.tensor is not None:  # no attribute holds it yet
            spec.tensor.requires_grad_(value)
    for child in layer.children():
        set_trainable(child, value)
