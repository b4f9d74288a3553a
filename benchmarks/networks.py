"""The networks of the benchmarks: each once in neocog's layers, once in plain PyTorch, with the same
shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

import neocog as keras


@dataclass(frozen=True, kw_only=True)
class Network:
    """One network in both forms.

    Attributes:
        name: how the table calls it.
        input_shape: shape of one input, channels last.
        neocog: makes the neocog model.
        torch: makes the torch module, channels first.
    """

    name: str
    input_shape: tuple[int, ...]
    neocog: Callable[[], keras.Model]
    torch: Callable[[], nn.Module]


def mlp() -> keras.Model:
    """784-512-10."""
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((784,)), layers.Dense(512, activation="relu"), layers.Dense(10, activation="softmax")]
    )


def torch_mlp() -> nn.Module:
    """784-512-10; logits."""
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(inplace=True), nn.Linear(512, 10))


def lenet() -> keras.Model:
    """LeNet-5 in its modern form."""
    return keras.zoo.lenet5_tanh(input_shape=(28, 28, 1))


def torch_lenet() -> nn.Module:
    """LeNet-5 in its modern form; logits."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.Tanh(),
        nn.Linear(120, 84),
        nn.Tanh(),
        nn.Linear(84, 10),
    )


def fashion() -> keras.Model:
    """The Fashion-MNIST network of the course notes."""
    return keras.zoo.fashion_cnn()


def torch_fashion() -> nn.Module:
    """The same; logits."""
    relu = lambda: nn.ReLU(inplace=True)  # noqa: E731
    return nn.Sequential(
        nn.Conv2d(1, 64, 7, padding=3),
        relu(),
        nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3, padding=1),
        relu(),
        nn.Conv2d(128, 128, 3, padding=1),
        relu(),
        nn.MaxPool2d(2),
        nn.Conv2d(128, 256, 3, padding=1),
        relu(),
        nn.Conv2d(256, 256, 3, padding=1),
        relu(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(2304, 64),
        relu(),
        nn.Dropout(0.5),
        nn.Linear(64, 64),
        relu(),
        nn.Dropout(0.5),
        nn.Linear(64, 10),
    )


NETWORKS = {
    "mlp": Network(name="MLP 784-512-10", input_shape=(784,), neocog=mlp, torch=torch_mlp),
    "lenet": Network(name="LeNet-5", input_shape=(28, 28, 1), neocog=lenet, torch=torch_lenet),
    "fashion": Network(
        name="Fashion-MNIST network", input_shape=(28, 28, 1), neocog=fashion, torch=torch_fashion
    ),
}


def channels_first(x: torch.Tensor) -> torch.Tensor:
    """Return (n, height, width, channels) as (n, channels, height, width) in channels_last memory; vectors as
    they are.
    """
    return x.permute(0, 3, 1, 2) if x.dim() == 4 else x
