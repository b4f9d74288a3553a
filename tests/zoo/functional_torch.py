"""The architectures once more, written with torch's functions over a dictionary of weights: the oracle.

Weights are looked up under neocog's layer names, with a dot before the last part: `layer1_0_conv1.weight`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

Tensor = torch.Tensor
Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Network:
    """Torch's functions with the weights of one state dict; images are (B, C, H, W)."""

    weights: Weights
    eps: float = 1e-5

    def conv(self, x: Tensor, name: str, stride: int = 1, padding: Any = 0, groups: int = 1) -> Tensor:
        weight, bias = self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias")
        return F.conv2d(x, weight, bias, stride, padding, 1, groups)

    def norm(self, x: Tensor, name: str) -> Tensor:
        parts = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *(self.weights[f"{name}.{part}"] for part in parts), eps=self.eps)

    def dense(self, x: Tensor, name: str) -> Tensor:
        return F.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def squeezenet(self, x: Tensor, steps: str) -> Tensor:
        """`steps`: p for a pooling, f for a fire module."""
        x = F.relu(self.conv(x, "features_0", 2))
        for number, step in enumerate(steps, 2):
            if step == "p":
                x = F.max_pool2d(x, 3, 2, ceil_mode=True)
            else:
                name = f"features_{number}"
                x = F.relu(self.conv(x, f"{name}_squeeze"))
                both = self.conv(x, f"{name}_expand1x1"), self.conv(x, f"{name}_expand3x3", 1, 1)
                x = F.relu(torch.cat(both, 1))
        return F.relu(self.conv(x, "classifier_1")).mean((2, 3))

    def resnet(self, x: Tensor, depths: tuple[int, ...], *, shortcuts: bool, small: bool = False) -> Tensor:
        x = F.relu(self.norm(self.conv(x, "conv1", 1 if small else 2, 1 if small else 3), "bn1"))
        x = x if small else F.max_pool2d(x, 3, 2, 1)
        for stage, depth in enumerate(depths, 1):
            for block in range(depth):
                stride = 2 if stage > 1 and block == 0 else 1
                x = self.residual(x, f"layer{stage}_{block}", stride, shortcuts)
        return self.dense(x.mean((2, 3)), "fc")

    def residual(self, x: Tensor, name: str, stride: int, shortcuts: bool) -> Tensor:
        wide = f"{name}_conv3.weight" in self.weights
        y = F.relu(
            self.norm(self.conv(x, f"{name}_conv1", 1 if wide else stride, 0 if wide else 1), f"{name}_bn1")
        )
        y = self.norm(self.conv(y, f"{name}_conv2", stride if wide else 1, 1), f"{name}_bn2")
        if wide:
            y = self.norm(self.conv(F.relu(y), f"{name}_conv3"), f"{name}_bn3")
        if f"{name}_downsample_0.weight" in self.weights:
            x = self.norm(self.conv(x, f"{name}_downsample_0", stride), f"{name}_downsample_1")
        return F.relu(y + x) if shortcuts else F.relu(y)

    def cifar(self, x: Tensor, depth: int) -> Tensor:
        x = F.relu(self.norm(self.conv(x, "conv1", 1, 1), "bn1"))
        for stage in (1, 2, 3):
            for block in range(depth):
                name, stride = f"layer{stage}_{block}", 2 if stage > 1 and block == 0 else 1
                y = F.relu(self.norm(self.conv(x, f"{name}_conv1", stride, 1), f"{name}_bn1"))
                y = self.norm(self.conv(y, f"{name}_conv2", 1, 1), f"{name}_bn2")
                if stride == 2:
                    more = (y.shape[1] - x.shape[1]) // 2
                    x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, more, more))
                x = F.relu(x + y)
        return self.dense(x.mean((2, 3)), "linear")

    def vgg(self, x: Tensor, depths: tuple[int, ...], *, normalized: bool) -> Tensor:
        number = 0
        for depth in depths:
            for _ in range(depth):
                x = self.conv(x, f"features_{number}", 1, 1)
                x = F.relu(self.norm(x, f"features_{number + 1}") if normalized else x)
                number += 3 if normalized else 2
            x, number = F.max_pool2d(x, 2), number + 1
        x = F.adaptive_avg_pool2d(x, 7).flatten(1)
        x = F.relu(self.dense(x, "classifier_0"))
        return self.dense(F.relu(self.dense(x, "classifier_3")), "classifier_6")

    def alexnet(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv(x, "features_0", 4, 2)), 3, 2)
        x = F.max_pool2d(F.relu(self.conv(x, "features_3", 1, 2)), 3, 2)
        for number in (6, 8, 10):
            x = F.relu(self.conv(x, f"features_{number}", 1, 1))
        x = F.adaptive_avg_pool2d(F.max_pool2d(x, 3, 2), 6).flatten(1)
        x = F.relu(self.dense(x, "classifier_1"))
        return self.dense(F.relu(self.dense(x, "classifier_4")), "classifier_6")

    def alexnet_published(self, x: Tensor, towers: int) -> Tensor:
        for number, stride, padding, groups in ((1, 4, 0, 1), (3, 1, 2, towers)):
            x = F.relu(self.conv(x, f"C{number}", stride, padding, groups))
            x = F.max_pool2d(F.local_response_norm(x, 5, alpha=1e-4, beta=0.75, k=1.0), 3, 2)
        for number, groups in ((5, 1), (6, towers), (7, towers)):
            x = F.relu(self.conv(x, f"C{number}", 1, 1, groups))
        x = F.max_pool2d(x, 3, 2).permute(0, 2, 3, 1).flatten(1)
        return self.dense(F.relu(self.dense(F.relu(self.dense(x, "F9")), "F10")), "Out")

    def googlenet(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        def relu(x: Tensor, name: str, stride: int = 1, padding: int = 0) -> Tensor:
            return F.relu(self.conv(x, name, stride, padding))

        def lrn(x: Tensor) -> Tensor:
            return F.local_response_norm(x, 5, alpha=1e-4, beta=0.75, k=1.0)

        def pool(x: Tensor) -> Tensor:
            return F.max_pool2d(x, 3, 2, ceil_mode=True)

        def inception(x: Tensor, name: str) -> Tensor:
            i = f"inception_{name}_"
            return torch.cat(
                [
                    relu(x, f"{i}1x1"),
                    relu(relu(x, f"{i}3x3_reduce"), f"{i}3x3", 1, 1),
                    relu(relu(x, f"{i}5x5_reduce"), f"{i}5x5", 1, 2),
                    relu(F.max_pool2d(x, 3, 1, 1), f"{i}pool_proj"),
                ],
                1,
            )

        def aux(x: Tensor, number: int) -> Tensor:
            x = F.avg_pool2d(x, 5, 3) if x.shape[2:] == (14, 14) else F.adaptive_avg_pool2d(x, 4)
            x = relu(x, f"loss{number}_conv").permute(0, 2, 3, 1).flatten(1)
            return self.dense(F.relu(self.dense(x, f"loss{number}_fc")), f"loss{number}_classifier")

        x = lrn(pool(relu(x, "conv1_7x7_s2", 2, 3)))
        x = pool(lrn(relu(relu(x, "conv2_3x3_reduce"), "conv2_3x3", 1, 1)))
        x = first = inception(pool(inception(inception(x, "3a"), "3b")), "4a")
        x = second = inception(inception(inception(x, "4b"), "4c"), "4d")
        x = inception(inception(pool(inception(x, "4e")), "5a"), "5b")
        last = self.dense(x.mean((2, 3)), "loss3_classifier")
        if "loss1_conv.weight" not in self.weights:
            return last, last, last
        return last, aux(first, 1), aux(second, 2)

    def unit(self, x: Tensor, name: str, stride: int = 1, padding: Any = 0) -> Tensor:
        """Torchvision's BasicConv2d."""
        return F.relu(self.norm(self.conv(x, f"{name}_conv", stride, padding), f"{name}_bn"))

    def googlenet_bn(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        def inception(x: Tensor, place: str) -> Tensor:
            i = f"inception{place}_branch"
            pooled = F.max_pool2d(x, 3, 1, 1, ceil_mode=True)
            three = self.unit(self.unit(x, f"{i}2_0"), f"{i}2_1", 1, 1)
            five = self.unit(self.unit(x, f"{i}3_0"), f"{i}3_1", 1, 1)
            return torch.cat([self.unit(x, f"{i}1"), three, five, self.unit(pooled, f"{i}4_1")], 1)

        def aux(x: Tensor, name: str) -> Tensor:
            x = self.unit(F.adaptive_avg_pool2d(x, 4), f"{name}_conv").flatten(1)
            return self.dense(F.relu(self.dense(x, f"{name}_fc1")), f"{name}_fc2")

        x = F.max_pool2d(self.unit(x, "conv1", 2, 3), 3, 2, ceil_mode=True)
        x = F.max_pool2d(self.unit(self.unit(x, "conv2"), "conv3", 1, 1), 3, 2, ceil_mode=True)
        x = F.max_pool2d(inception(inception(x, "3a"), "3b"), 3, 2, ceil_mode=True)
        x = first = inception(x, "4a")
        x = second = inception(inception(inception(x, "4b"), "4c"), "4d")
        x = F.max_pool2d(inception(x, "4e"), 2, 2, ceil_mode=True)
        x = inception(inception(x, "5a"), "5b").mean((2, 3))
        last = self.dense(x, "fc")
        if "aux1_fc1.weight" not in self.weights:
            return last, last, last
        return last, aux(first, "aux1"), aux(second, "aux2")

    def inception_v3(self, x: Tensor) -> Tensor:
        def unit(x: Tensor, *names: str) -> Tensor:
            """Convolutions whose padding keeps the size."""
            for name in names:
                rows, columns = self.weights[f"{name}_conv.weight"].shape[2:]
                x = self.unit(x, name, 1, (rows // 2, columns // 2))
            return x

        def average(x: Tensor, name: str) -> Tensor:
            return unit(F.avg_pool2d(x, 3, 1, 1), f"{name}_branch_pool")

        def chain(name: str, count: int) -> list[str]:
            return [f"{name}_{number}" for number in range(1, count + 1)]

        def pair(x: Tensor, name: str) -> Tensor:
            return torch.cat([unit(x, f"{name}a"), unit(x, f"{name}b")], 1)

        x = unit(self.unit(self.unit(x, "Conv2d_1a_3x3", 2), "Conv2d_2a_3x3"), "Conv2d_2b_3x3")
        x = self.unit(unit(F.max_pool2d(x, 3, 2), "Conv2d_3b_1x1"), "Conv2d_4a_3x3")
        x = F.max_pool2d(x, 3, 2)
        for i in ("Mixed_5b_", "Mixed_5c_", "Mixed_5d_"):
            five, three = unit(x, *chain(f"{i}branch5x5", 2)), unit(x, *chain(f"{i}branch3x3dbl", 3))
            x = torch.cat([unit(x, f"{i}branch1x1"), five, three, average(x, i[:-1])], 1)
        three = self.unit(unit(x, *chain("Mixed_6a_branch3x3dbl", 2)), "Mixed_6a_branch3x3dbl_3", 2)
        x = torch.cat([self.unit(x, "Mixed_6a_branch3x3", 2), three, F.max_pool2d(x, 3, 2)], 1)
        for i in ("Mixed_6b_", "Mixed_6c_", "Mixed_6d_", "Mixed_6e_"):
            seven, double = unit(x, *chain(f"{i}branch7x7", 3)), unit(x, *chain(f"{i}branch7x7dbl", 5))
            x = torch.cat([unit(x, f"{i}branch1x1"), seven, double, average(x, i[:-1])], 1)
        i = "Mixed_7a_branch"
        three = self.unit(unit(x, f"{i}3x3_1"), f"{i}3x3_2", 2)
        seven = self.unit(unit(x, *chain(f"{i}7x7x3", 3)), f"{i}7x7x3_4", 2)
        x = torch.cat([three, seven, F.max_pool2d(x, 3, 2)], 1)
        for i in ("Mixed_7b_", "Mixed_7c_"):
            three = pair(unit(x, f"{i}branch3x3_1"), f"{i}branch3x3_2")
            double = pair(unit(x, *chain(f"{i}branch3x3dbl", 2)), f"{i}branch3x3dbl_3")
            x = torch.cat([unit(x, f"{i}branch1x1"), three, double, average(x, i[:-1])], 1)
        return self.dense(x.mean((2, 3)), "fc")

    def mobilenet_v2(self, x: Tensor) -> Tensor:
        x = F.relu6(self.norm(self.conv(x, "features_0_0", 2, 1), "features_0_1"))
        for number in range(1, 18):
            name, y, step = f"features_{number}_conv", x, 0
            if number > 1:
                y, step = F.relu6(self.norm(self.conv(y, f"{name}_0_0"), f"{name}_0_1")), 1
            stride = 2 if number in (2, 4, 7, 14) else 1
            y = self.conv(y, f"{name}_{step}_0", stride, 1, y.shape[1])
            y = F.relu6(self.norm(y, f"{name}_{step}_1"))
            y = self.norm(self.conv(y, f"{name}_{step + 1}"), f"{name}_{step + 2}")
            x = x + y if x.shape == y.shape else y
        x = F.relu6(self.norm(self.conv(x, "features_18_0"), "features_18_1"))
        return self.dense(x.mean((2, 3)), "classifier_1")

    def lenet5(self, x: Tensor, connections: Any) -> Tensor:
        def squash(x: Tensor) -> Tensor:
            return 1.7159 * torch.tanh(2 * x / 3)

        def subsample(x: Tensor, name: str) -> Tensor:
            sums = 4 * F.avg_pool2d(x, 2)
            scale, shift = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
            return squash(sums * scale[:, None, None] + shift[:, None, None])

        x = subsample(squash(self.conv(x, "C1")), "S2")
        kernels, maps, used = self.weights["C3.weight"], [], 0
        for row, seen in enumerate(connections):
            own = kernels[used : used + len(seen)][None]
            maps.append(F.conv2d(x[:, list(seen)], own, self.weights["C3.bias"][row : row + 1]))
            used += len(seen)
        x = subsample(squash(torch.cat(maps, 1)), "S4")
        x = squash(self.conv(x, "C5")).permute(0, 2, 3, 1).flatten(1)
        x = squash(self.dense(x, "F6"))
        return -((x[:, None] - self.weights["Out.weight"][None]) ** 2).sum(2)


Oracle = Callable[[Network, Tensor], Any]
