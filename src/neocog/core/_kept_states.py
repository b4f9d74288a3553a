"""Calls that are made only to learn shapes, and must leave no trace in layers that keep states."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn


@contextmanager
def keeping_states(module: Any) -> Iterator[None]:
    """Put the states that layers carry from batch to batch back afterwards.

    A layer that has such states says so by the methods `copy_kept` and `restore_kept`.
    """
    layers: list[Any] = []
    if isinstance(module, nn.Module):
        layers = [inner for inner in module.modules() if getattr(inner, "stateful", False) is True]
        layers = [layer for layer in layers if hasattr(layer, "restore_kept")]
    saved = [layer.copy_kept() for layer in layers]
    try:
        yield
    finally:
        for layer, states in zip(layers, saved, strict=True):
            layer.restore_kept(states)
