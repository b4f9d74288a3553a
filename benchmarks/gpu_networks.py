"""ResNet-50 in both forms, for the suite `gpu`."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

import neocog as keras


def neocog_resnet50(size: int, width: int) -> keras.Model:
    """ResNet-50 of the zoo behind the scaling of bytes."""
    inputs = keras.Input((size, size, 3), dtype="uint8")
    scaled = keras.layers.Rescaling(1.0 / 255.0)(inputs)
    network = keras.zoo.resnet50(weights=None, input_tensor=scaled, classes=10, width=width)
    return keras.Model(inputs, network.output)


class ResNet50(nn.Module):
    """The same in PyTorch (He et al., Deep residual learning, 2015), the stride in the 3×3 convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_normalized(3, width, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1))
        blocks, channels = [], width
        for stage, count in enumerate((3, 4, 6, 3)):
            for number in range(count):
                inner = width * 2**stage
                blocks.append(Bottleneck(channels, inner, 2 if stage and not number else 1))
                channels = 4 * inner
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(channels, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits of images, channels first."""
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))


class Bottleneck(nn.Module):
    """Three convolutions beside a way past them."""

    def __init__(self, channels: int, inner: int, stride: int) -> None:
        super().__init__()
        relu = nn.ReLU(inplace=True)
        self.body = nn.Sequential(
            *_normalized(channels, inner, 1), relu, *_normalized(inner, inner, 3, stride), relu,
            *_normalized(inner, 4 * inner, 1),
        )  # fmt: skip
        same = stride == 1 and channels == 4 * inner
        self.past = nn.Identity() if same else nn.Sequential(*_normalized(channels, 4 * inner, 1, stride))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the sum of both ways."""
        return F.relu(self.body(x) + self.past(x), inplace=True)


def _normalized(channels: int, filters: int, size: int, stride: int = 1) -> tuple[nn.Module, nn.Module]:
    convolution = nn.Conv2d(channels, filters, size, stride, size // 2, bias=False)
    return convolution, nn.BatchNorm2d(filters)
