"""What the tests of files share: small networks of torch modules and plain layers, and copies of weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from torch import nn

from neocog.files import weight_groups
from neocog.layers import Layer


class Scale(Layer):
    """A layer with a trainable and a fixed weight."""

    def build(self, input_shape: Any) -> None:
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="uniform", name="factor")

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor + self.count


class Branches(Layer):
    """A layer that keeps layers in attributes, lists and dicts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stem = Scale(name="the_stem")
        self.blocks = [Scale(), Scale()]
        self.heads = {"a": Scale()}
        self._last = Scale()
        self.shared = self.stem

    def call(self, inputs: Any) -> Any:
        for layer in [self.stem, *self.blocks, self.heads["a"], self._last]:
            inputs = layer(inputs)
        return inputs


def branches(size: int = 3) -> Branches:
    layer = Branches()
    layer(torch.ones(2, size))
    return layer


def values(module: nn.Module) -> list[np.ndarray]:
    return [weight.numpy() for group in weight_groups(module) for weight in group.weights]


def randomize(module: nn.Module) -> nn.Module:
    with torch.no_grad():
        for tensor in [*module.parameters(), *module.buffers()]:
            if tensor.is_floating_point():
                tensor.uniform_(-1, 1)
    return module


def same_values(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def tree(path: Path) -> list[str]:
    """Names of all members of an HDF5 file, sorted."""
    names: list[str] = []
    with h5py.File(path) as file:
        file.visit(names.append)
    return sorted(names)
