"""The published networks in plain torch, with the names that their files have: what loaded ones equal."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn


def conv(
    inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0, **options: Any
) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, **{"bias": False, **options})


def named(**parts: nn.Module) -> nn.ModuleDict:
    return nn.ModuleDict(parts)


class MobileNetV1(nn.Module):
    """TensorFlow's padding: one pixel right and bottom where the stride is 2."""

    def __init__(self, alpha: float = 0.75, classes: int = 1000) -> None:
        super().__init__()
        widths = [int(w * alpha) for w in (32, 64, 128, 128, 256, 256, *(512,) * 6, 1024, 1024)]
        self.features = nn.ModuleList(
            [named(conv=conv(3, widths[0], 3, 2), bn=nn.BatchNorm2d(widths[0], eps=0.001))]
        )
        for i in range(1, 14):
            before, after = widths[i - 1], widths[i]
            self.features.append(
                named(
                    dw=conv(before, before, 3, 2 if i in (2, 4, 6, 12) else 1, groups=before),
                    dw_bn=nn.BatchNorm2d(before, eps=0.001),
                    pw=conv(before, after, 1),
                    pw_bn=nn.BatchNorm2d(after, eps=0.001),
                )
            )
        self.classifier = nn.Linear(widths[-1], classes)

    def maps(self, x: torch.Tensor) -> torch.Tensor:
        for number, block in enumerate(self.features):
            if number == 0:
                x = F.relu6(block["bn"](block["conv"](F.pad(x, (0, 1, 0, 1)))))
                continue
            pads = (0, 1, 0, 1) if block["dw"].stride[0] == 2 else (1, 1, 1, 1)
            x = F.relu6(block["dw_bn"](block["dw"](F.pad(x, pads))))
            x = F.relu6(block["pw_bn"](block["pw"](x)))
        return x

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.maps(x).mean((2, 3)))


class Fire(nn.Module):
    def __init__(self, inputs: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], 1)


class SqueezeNet(nn.Module):
    """1.0."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.features = nn.Sequential(
            nn.Conv2d(3, 96, 7, 2), nn.ReLU(), pool,
            Fire(96, 16, 64), Fire(128, 16, 64), Fire(128, 32, 128), pool,
            Fire(256, 32, 128), Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), pool,
            Fire(512, 64, 256),
        )  # fmt: skip
        self.classifier = nn.Sequential(nn.Dropout(), nn.Conv2d(512, classes, 1), nn.ReLU())

    def maps(self, x: torch.Tensor) -> torch.Tensor:
        return self.features(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.maps(x)).mean((2, 3))


class CifarBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, outputs, 3, stride, 1), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = conv(outputs, outputs, 3, 1, 1), nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if y.shape != x.shape:  # option A: every second pixel, zeros for the new channels
            more = (y.shape[1] - x.shape[1]) // 2
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, more, more))
        return F.relu(y + x)


class CifarResNet(nn.Module):
    def __init__(self, depth: int, classes: int = 10) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(3, 16, 3, 1, 1), nn.BatchNorm2d(16)
        blocks, before = (depth - 2) // 6, 16
        for stage in range(3):
            width = 16 << stage
            first = CifarBlock(before, width, 2 if stage else 1)
            rest = [CifarBlock(width, width, 1) for _ in range(blocks - 1)]
            setattr(self, f"layer{stage + 1}", nn.Sequential(first, *rest))
            before = width
        self.linear = nn.Linear(64, classes)

    def maps(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(self.maps(x).mean((2, 3)))


class Residual(nn.Module):
    """torchvision's blocks: the stride lies on the 3×3 convolution."""

    def __init__(self, inputs: int, width: int, stride: int, bottleneck: bool) -> None:
        super().__init__()
        outputs = 4 * width if bottleneck else width
        shapes = (
            [(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)]
            if bottleneck
            else [(inputs, width, 3, stride), (width, width, 3, 1)]
        )
        for number, (before, after, kernel, step) in enumerate(shapes, 1):
            setattr(self, f"conv{number}", conv(before, after, kernel, step, kernel // 2))
            setattr(self, f"bn{number}", nn.BatchNorm2d(after))
        self.count = len(shapes)
        self.downsample = None
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x
        for number in range(1, self.count + 1):
            y = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(y))
            y = F.relu(y) if number < self.count else y
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, depths: tuple[int, ...], bottleneck: bool, classes: int = 1000) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(3, 64, 7, 2, 3), nn.BatchNorm2d(64)
        before = 64
        for stage, depth in enumerate(depths):
            width, blocks = 64 << stage, []
            for block in range(depth):
                blocks.append(Residual(before, width, 2 if stage and not block else 1, bottleneck))
                before = 4 * width if bottleneck else width
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(before, classes)

    def maps(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.maps(x).mean((2, 3)))


class VGG(nn.Module):
    """With narrow dense layers where asked for: the order of what they see is what matters."""

    def __init__(self, stages: tuple[int, ...], norm: bool, classes: int = 1000, hidden: int = 4096) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        before = 3
        for width, depth in zip((64, 128, 256, 512, 512), stages, strict=True):
            for _ in range(depth):
                parts.append(nn.Conv2d(before, width, 3, padding=1))
                parts += [nn.BatchNorm2d(width), nn.ReLU()] if norm else [nn.ReLU()]
                before = width
            parts.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*parts)
        self.classifier = nn.Sequential(
            nn.Linear(512 * 49, hidden), nn.ReLU(), nn.Dropout(),
            nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(),
            nn.Linear(hidden, classes),
        )  # fmt: skip

    def maps(self, x: torch.Tensor) -> torch.Tensor:
        return self.features(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(F.adaptive_avg_pool2d(self.maps(x), 7).flatten(1))


class AlexNet(nn.Module):
    def __init__(self, classes: int = 1000, hidden: int = 4096) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
        )  # fmt: skip
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Linear(256 * 36, hidden), nn.ReLU(),
            nn.Dropout(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, classes),
        )  # fmt: skip

    def maps(self, x: torch.Tensor) -> torch.Tensor:
        return self.features(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(F.adaptive_avg_pool2d(self.maps(x), 6).flatten(1))


def conv_norm(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        conv(inputs, outputs, kernel, stride, kernel // 2, groups=groups), nn.BatchNorm2d(outputs), nn.ReLU6()
    )


class Inverted(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, widening: int) -> None:
        super().__init__()
        width = inputs * widening
        parts: list[nn.Module] = [conv_norm(inputs, width, 1)] if widening > 1 else []
        parts += [conv_norm(width, width, 3, stride, width), conv(width, outputs, 1), nn.BatchNorm2d(outputs)]
        self.conv = nn.Sequential(*parts)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        return x + y if x.shape == y.shape else y


class MobileNetV2(nn.Module):
    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        parts: list[nn.Module] = [conv_norm(3, 32, 3, 2)]
        before = 32
        for widening, outputs, repeats, stride in (
            (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
            (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
        ):  # fmt: skip
            for repeat in range(repeats):
                parts.append(Inverted(before, outputs, stride if repeat == 0 else 1, widening))
                before = outputs
        parts.append(conv_norm(320, 1280, 1))
        self.features = nn.Sequential(*parts)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, classes))

    def maps(self, x: torch.Tensor) -> torch.Tensor:
        return self.features(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.maps(x).mean((2, 3)))


class DenseLayer(nn.Module):
    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(inputs), conv(inputs, 128, 1)
        self.norm2, self.conv2 = nn.BatchNorm2d(128), conv(128, 32, 3, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv1(F.relu(self.norm1(x)))
        return torch.cat([x, self.conv2(F.relu(self.norm2(y)))], 1)


class DenseNet(nn.Module):
    def __init__(self, depths: tuple[int, ...], classes: int = 1000) -> None:
        super().__init__()
        self.features = nn.Sequential()
        self.features.add_module("conv0", conv(3, 64, 7, 2, 3))
        self.features.add_module("norm0", nn.BatchNorm2d(64))
        self.features.add_module("relu0", nn.ReLU())
        self.features.add_module("pool0", nn.MaxPool2d(3, 2, 1))
        width = 64
        for number, depth in enumerate(depths, 1):
            block = nn.Sequential()
            for layer in range(1, depth + 1):
                block.add_module(f"denselayer{layer}", DenseLayer(width))
                width += 32
            self.features.add_module(f"denseblock{number}", block)
            if number < len(depths):
                step = nn.Sequential()
                step.add_module("norm", nn.BatchNorm2d(width))
                step.add_module("relu", nn.ReLU())
                step.add_module("conv", conv(width, width // 2, 1))
                step.add_module("pool", nn.AvgPool2d(2, 2))
                self.features.add_module(f"transition{number}", step)
                width //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(width))
        self.classifier = nn.Linear(width, classes)

    def maps(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.features(x))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.maps(x).mean((2, 3)))


class TimmBlock(nn.Module):
    """One block of timm's EfficientNet; `same` pads as TensorFlow does."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, widening: int, same: bool
    ) -> None:
        super().__init__()
        width, eps = inputs * widening, 1e-3 if same else 1e-5
        self.kernel, self.stride, self.same, self.expands = kernel, stride, same, widening > 1
        self.bn1 = nn.BatchNorm2d(width, eps=eps)
        self.conv_dw = conv(width, width, kernel, stride, groups=width)
        squeezed = max(1, inputs // 4)
        self.se = named(conv_reduce=nn.Conv2d(width, squeezed, 1), conv_expand=nn.Conv2d(squeezed, width, 1))
        if self.expands:
            self.conv_pw, self.conv_pwl = conv(inputs, width, 1), conv(width, outputs, 1)
            self.bn2, self.bn3 = nn.BatchNorm2d(width, eps=eps), nn.BatchNorm2d(outputs, eps=eps)
        else:
            self.conv_pw, self.bn2 = conv(width, outputs, 1), nn.BatchNorm2d(outputs, eps=eps)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.silu(self.bn1(self.conv_pw(x))) if self.expands else x
        y = self.conv_dw(padded(y, self.kernel, self.stride, self.same))
        y = F.silu((self.bn2 if self.expands else self.bn1)(y))
        weight = self.se["conv_expand"](F.silu(self.se["conv_reduce"](y.mean((2, 3), keepdim=True))))
        y = y * torch.sigmoid(weight)
        y = self.bn3(self.conv_pwl(y)) if self.expands else self.bn2(self.conv_pw(y))
        return x + y if x.shape == y.shape else y


def padded(x: torch.Tensor, kernel: int, stride: int, same: bool) -> torch.Tensor:
    if not same:
        return F.pad(x, (kernel // 2,) * 4)
    pads = []
    for size in (x.shape[3], x.shape[2]):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


class TimmEfficientNet(nn.Module):
    """timm's `tf_efficientnet_b0` with `same`, else its `efficientnet_b0`."""

    def __init__(self, same: bool, classes: int = 1000) -> None:
        super().__init__()
        eps = 1e-3 if same else 1e-5
        self.same = same
        self.conv_stem, self.bn1 = conv(3, 32, 3, 2), nn.BatchNorm2d(32, eps=eps)
        stages, before = [], 32
        for kernel, repeats, outputs, widening, stride in (
            (3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2),
            (5, 3, 112, 6, 1), (5, 4, 192, 6, 2), (3, 1, 320, 6, 1),
        ):  # fmt: skip
            blocks = []
            for repeat in range(repeats):
                blocks.append(
                    TimmBlock(before, outputs, kernel, stride if repeat == 0 else 1, widening, same)
                )
                before = outputs
            stages.append(nn.Sequential(*blocks))
        self.blocks = nn.Sequential(*stages)
        self.conv_head, self.bn2 = conv(320, 1280, 1), nn.BatchNorm2d(1280, eps=eps)
        self.classifier = nn.Linear(1280, classes)

    def maps(self, x: torch.Tensor) -> torch.Tensor:
        x = F.silu(self.bn1(self.conv_stem(padded(x, 3, 2, self.same))))
        return F.silu(self.bn2(self.conv_head(self.blocks(x))))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.maps(x).mean((2, 3)))


def randomize(network: nn.Module, seed: int = 0) -> nn.Module:
    """Give a network weights that keep the sizes of what passes, and statistics unlike a new one's."""
    generator = torch.Generator().manual_seed(seed)

    def normal(like: torch.Tensor) -> torch.Tensor:
        return torch.randn(like.shape, generator=generator)

    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith("num_batches_tracked"):
                value.fill_(7)
            elif name.endswith("running_var"):
                value.copy_(normal(value).abs() + 0.5)
            elif value.dim() > 1:
                value.copy_(normal(value) * (2 / value[0].numel()) ** 0.5)
            else:
                value.copy_(0.2 * normal(value) + (name.endswith("weight")))
    return network.eval()
