"""MobileNetV2: torchvision's names and timm's, onto the zoo's form (Keras's pads other pixels)."""

from __future__ import annotations

import re

from neocog.applications._name_maps._map import Family, Found, NameMap, Shapes, count, outputs, underscored

_WIDTHS = (1.0, 0.1, 0.25, 0.35, 0.5, 0.75, 1.1, 1.2, 1.3, 1.4)
_REPEATS = (1, 2, 3, 4, 3, 3, 1)
_FIRST = {"conv_dw": "conv_0_0", "bn1": "conv_0_1", "conv_pw": "conv_1", "bn2": "conv_2"}
_OTHERS = {
    "conv_pw": "conv_0_0", "bn1": "conv_0_1",
    "conv_dw": "conv_1_0", "bn2": "conv_1_1",
    "conv_pwl": "conv_2", "bn3": "conv_3",
}  # fmt: skip
_ENDS = {
    "conv_stem": "features_0_0", "bn1": "features_0_1",
    "conv_head": "features_18_0", "bn2": "features_18_1",
    "classifier": "classifier_1",
}  # fmt: skip


def _timm(layer: str) -> str | None:
    if match := re.fullmatch(r"blocks\.(\d)\.(\d)\.(\w+)", layer):
        stage, block, part = int(match[1]), int(match[2]), match[3]
        own = (_OTHERS if stage else _FIRST).get(part)
        return None if own is None else f"features_{1 + sum(_REPEATS[:stage]) + block}_{own}"
    return _ENDS.get(layer)


_MAPS = (
    NameMap(source="torchvision", rename=underscored, head=("classifier_1",)),
    NameMap(source="timm", rename=_timm, head=("classifier_1",)),
)


def _recognise(shapes: Shapes) -> Found | None:
    if "features_18_0.weight" in shapes and "features_1_conv_0_0.weight" in shapes:
        source, first, head = "torchvision", shapes.get("features_0_0.weight"), "classifier_1.weight"
        last = shapes["features_18_0.weight"]
    elif "conv_stem.weight" in shapes and not count(shapes, r".*_se_.*"):
        source, first, head = "timm", shapes.get("conv_stem.weight"), "classifier.weight"
        last = shapes.get("conv_head.weight", (0,))
        if tuple(count(shapes, rf"blocks_{stage}_\d_conv_dw\.weight") for stage in range(7)) != _REPEATS:
            return None
    else:
        return None
    ends = (0 if first is None else first[0], last[0])
    widths = [a for a in _WIDTHS if ends == (_channels(32 * a), _channels(1280 * max(a, 1.0)))]
    projection = shapes.get("features_17_conv_2.weight", shapes.get("blocks_6_0_conv_pwl.weight", (0,)))
    alpha = next((a for a in widths if _channels(320 * a) == projection[0]), None)
    if alpha is None:
        return Found(model=None, label="mobilenet_v2 of an unusual width", source=source)
    return Found(
        model="mobilenet_v2",
        label="mobilenet_v2" if alpha == 1.0 else f"mobilenet_v2 of width {alpha:g}",
        source=source,
        options={} if alpha == 1.0 else {"alpha": alpha},
        classes=outputs(shapes, head),
    )


def _channels(wanted: float) -> int:
    """Return the multiple of 8 next to `wanted`, at most a tenth below it, as the paper's code rounds."""
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


FAMILY = Family(maps={"mobilenet_v2": _MAPS}, recognise=_recognise)
