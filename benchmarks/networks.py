"""The small networks of the benchmarks in both forms, from the tables that the competitors use.

Whoever imports this has `benchmarks/peers` on the path of modules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import keras_networks
import torch
import torch_networks
from torch import nn

import neocog as keras


@dataclass(frozen=True, kw_only=True)
class Network:
    """One network in both forms.

    Attributes:
        name: how the table calls it.
        input_shape: shape of one input, channels last.
        neocog: makes the neocog model.
        torch: makes the torch module, channels first; logits.
    """

    name: str
    input_shape: tuple[int, ...]
    neocog: Callable[[], keras.Model]
    torch: Callable[[], nn.Module]


def _both(key: str, name: str, input_shape: tuple[int, ...]) -> Network:
    ours = partial(keras_networks.NETWORKS[key], keras)
    return Network(name=name, input_shape=input_shape, neocog=ours, torch=torch_networks.NETWORKS[key])


NETWORKS = {
    "mlp": _both("mlp", "MLP 784-512-10", (784,)),
    "lenet": _both("lenet", "LeNet-5", (28, 28, 1)),
    "fashion": _both("fashion", "Fashion-MNIST network", (28, 28, 1)),
}


def channels_first(x: torch.Tensor) -> torch.Tensor:
    """Return (n, height, width, channels) as (n, channels, height, width) in channels_last memory; vectors as
    they are.
    """
    return x.permute(0, 3, 1, 2) if x.dim() == 4 else x
