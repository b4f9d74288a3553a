"""Residual networks: torchvision's names, which timm keeps, and those of the CIFAR networks."""

from __future__ import annotations

import re

from neocog.applications._name_maps._map import Family, Found, NameMap, Shapes, count, outputs, underscored

_TORCHVISION = NameMap(source="torchvision", rename=underscored, head=("fc",))
_CIFAR = NameMap(source="the CIFAR reference", rename=underscored, head=("linear",))

# blocks of each stage, bottlenecks -> depth
_DEPTHS: dict[tuple[tuple[int, ...], bool], int] = {
    ((2, 2, 2, 2), False): 18,
    ((3, 4, 6, 3), False): 34,
    ((3, 4, 6, 3), True): 50,
    ((3, 4, 23, 3), True): 101,
    ((3, 8, 36, 3), True): 152,
}
_CIFAR_DEPTHS = (20, 32, 44, 56, 110)


def _recognise(shapes: Shapes) -> Found | None:
    first = shapes.get("conv1.weight")
    blocks = tuple(count(shapes, rf"layer{stage}_\d+_conv1\.weight") for stage in range(1, 5))
    if first is None or len(first) != 4 or not all(blocks[:3]):
        return None
    if not blocks[3]:
        return _cifar(shapes, first[0], blocks)
    inner = shapes.get("layer1_0_conv2.weight", (0, 0, 0, 0))
    bottleneck = "layer1_0_conv3.weight" in shapes
    depth = _DEPTHS.get((blocks, bottleneck))
    shortcuts = count(shapes, r"layer\d_0_downsample_0\.weight") >= 3
    if depth is None or inner[:2] != (first[0], first[0]) or not (shortcuts or depth < 50):
        label = f"a residual network with {blocks} blocks, {'1×1-3×3-1×1' if bottleneck else '3×3-3×3'}"
        return Found(model=None, label=label, source="torchvision's names")
    name = f"{'resnet' if shortcuts else 'plain'}{depth}"
    options = {"width": first[0], "stem": "small" if first[2:] == (3, 3) else "imagenet"}
    return Found(
        model=name, label=name, source="torchvision", options=options, classes=outputs(shapes, "fc.weight")
    )


def _cifar(shapes: Shapes, width: int, blocks: tuple[int, ...]) -> Found:
    depth = 6 * blocks[0] + 2
    projected = any(re.search(r"downsample|shortcut", name) for name in shapes)
    if depth not in _CIFAR_DEPTHS or len(set(blocks[:3])) != 1 or projected:
        more = " and projections" if projected else ""
        return Found(
            model=None,
            label=f"a CIFAR network with {blocks[:3]} residual blocks{more}",
            source="torch's names",
        )
    return Found(
        model=f"resnet{depth}",
        label=f"resnet{depth} for CIFAR",
        source=_CIFAR.source,
        options={"width": width},
        classes=outputs(shapes, "linear.weight"),
    )


FAMILY = Family(
    maps={
        **{f"resnet{depth}": (_TORCHVISION,) for depth in _DEPTHS.values()},
        **{f"plain{depth}": (_TORCHVISION,) for depth in (18, 34)},
        **{f"resnet{depth}": (_CIFAR,) for depth in _CIFAR_DEPTHS},
    },
    recognise=_recognise,
)
