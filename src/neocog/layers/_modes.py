"""Training and inference mode, and freezing, over a module and all that is in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


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
