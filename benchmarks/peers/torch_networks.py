"""The networks of `keras_networks.py` in plain PyTorch: same layers, same shapes, channels first; logits.

Where Keras pads to one side ("same" with strides) these pad to both, as people write it: the same work.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import nn

EPSILON = 1e-3  # Keras's, of batch normalization


class Scale(nn.Module):
    """`x · scale + offset`, from bytes straight to the type that the first layer computes in."""

    def __init__(self, scale: float, offset: float = 0.0) -> None:
        super().__init__()
        self.scale, self.offset = scale, offset

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scale."""
        kind = x.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else torch.float32
        x = x.to(dtype) * self.scale
        return x + self.offset if self.offset else x


def relu() -> nn.Module:
    """ReLU in place."""
    return nn.ReLU(inplace=True)


def mlp() -> nn.Module:
    """784-512-10."""
    return nn.Sequential(nn.Linear(784, 512), relu(), nn.Linear(512, 10))


def lenet() -> nn.Module:
    """LeNet-5 in its modern form."""
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


def fashion() -> nn.Module:
    """The Fashion-MNIST network of the course notes."""
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


def cats() -> nn.Module:
    """The network for cats and dogs, at 180×180; augmentation is the loop's business."""
    stages: list[nn.Module] = [nn.Conv2d(3, 32, 3), relu()]
    for before, after in ((32, 64), (64, 128), (128, 256), (256, 256)):
        stages += [nn.MaxPool2d(2), nn.Conv2d(before, after, 3), relu()]
    return nn.Sequential(Scale(1 / 255), *stages, nn.Flatten(), nn.Dropout(0.5), nn.Linear(12544, 1))


class _Block(nn.Module):
    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False),
            nn.BatchNorm2d(after, EPSILON),
            relu(),
            nn.Conv2d(after, after, 3, 1, 1, bias=False),
            nn.BatchNorm2d(after, EPSILON),
        )
        self.short: nn.Module | None = None
        if stride > 1:
            self.short = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after, EPSILON)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add what the body makes of x to x."""
        return torch.relu_(self.body(x) + (x if self.short is None else self.short(x)))


def resnet18() -> nn.Module:
    """ResNet-18 in its form for 32×32 pixels."""
    widths = (64, 64, 128, 256, 512)
    blocks = []
    for stage, (before, after) in enumerate(pairwise(widths)):
        blocks += [_Block(before, after, 2 if stage else 1), _Block(after, after, 1)]
    return nn.Sequential(
        Scale(1 / 255),
        nn.Conv2d(3, 64, 3, 1, 1, bias=False),
        nn.BatchNorm2d(64, EPSILON),
        relu(),
        *blocks,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(512, 10),
    )


def mobilenet() -> nn.Module:
    """MobileNet with blocks 12 and 13 and the head to train; batch normalization runs on its statistics."""

    def part(before: int, after: int, size: int, stride: int, groups: int = 1) -> list[nn.Module]:
        convolution = nn.Conv2d(before, after, size, stride, size // 2, groups=groups, bias=False)
        return [convolution, nn.BatchNorm2d(after, EPSILON), nn.ReLU6(inplace=True)]

    widths = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
    strides = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
    base = [Scale(1 / 127.5, -1.0), *part(3, 32, 3, 2)]
    top: list[nn.Module] = []
    for number, (before, after, stride) in enumerate(zip(widths, widths[1:], strides, strict=False), 1):
        layers = [*part(before, before, 3, stride, before), *part(before, after, 1, 1)]
        (top if number >= 12 else base).extend(layers)
    network = nn.Sequential(
        nn.Sequential(*base),
        nn.Sequential(*top),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(1024, 1),
    )
    network[0].requires_grad_(False)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.requires_grad_(False)
    return network


def vgg16() -> nn.Module:
    """VGG-16 without its top."""
    layers: list[nn.Module] = []
    before = 3
    for width, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            layers += [nn.Conv2d(before, width, 3, padding=1), relu()]
            before = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def quick_mnist() -> nn.Module:
    """16-32-64 with batch normalization: for the suite `time-to-accuracy`."""
    return _quick(((16,), (32,), (64,)))


def quick_fashion() -> nn.Module:
    """32-32, 64-64, 128 with batch normalization: for the suite `time-to-accuracy`."""
    return _quick(((32, 32), (64, 64), (128,)))


def _quick(stages: tuple[tuple[int, ...], ...]) -> nn.Module:
    layers: list[nn.Module] = []
    before = 1
    for number, stage in enumerate(stages):
        if number:
            layers.append(nn.MaxPool2d(2))
        for width in stage:
            layers.append(nn.Conv2d(before, width, 3, padding=1, bias=False))
            layers += [nn.BatchNorm2d(width, EPSILON, momentum=0.1), relu()]
            before = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(49 * before, 10))


def tiny() -> nn.Module:
    """One small product."""
    return nn.Sequential(nn.Linear(16, 10))


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "mlp": mlp,
    "lenet": lenet,
    "fashion": fashion,
    "cats": cats,
    "cats-augmented": cats,
    "resnet18": resnet18,
    "mobilenet": mobilenet,
    "vgg16": vgg16,
    "quick-mnist": quick_mnist,
    "quick-fashion": quick_fashion,
    "tiny": tiny,
}


def made(name: str) -> nn.Module:
    """Return a network with Keras's initial weights: Glorot's uniform ones, zero biases."""
    network = NETWORKS[name]()
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network


def training(network: nn.Module) -> None:
    """Set training mode; batch normalization whose weights are frozen keeps its statistics."""
    network.train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
            module.eval()
