"""EfficientNet: timm's names onto Keras's layers for its `tf_` weights, onto torchvision's for the others.

timm's `tf_efficientnet_*` were converted from TensorFlow: they pad as Keras does. Its plain `efficientnet_*`
pad as torch does. The names are the same, so the function that is called decides.
"""

from __future__ import annotations

import re

import torch

from neocog.applications._name_maps._map import (
    Family,
    Found,
    NameMap,
    Rename,
    Shapes,
    count,
    outputs,
    underscored,
)

# blocks, channels after the first convolution and after the last one
_FORMS = {
    "B0": (16, 32, 1280), "B1": (23, 32, 1280), "B2": (23, 32, 1408), "B3": (26, 40, 1536),
    "B4": (32, 48, 1792), "B5": (39, 48, 2048), "B6": (45, 56, 2304), "B7": (55, 64, 2560),
}  # fmt: skip
_MEAN = torch.tensor((0.485, 0.456, 0.406))
_VARIANCE = torch.tensor((0.229, 0.224, 0.225)) ** 2
# layer of a block -> without and with expansion, in Keras's names
_KERAS = {
    "conv_dw": ("dwconv", "dwconv"),
    "se.conv_reduce": ("se_reduce", "se_reduce"),
    "se.conv_expand": ("se_expand", "se_expand"),
    "conv_pw": ("project_conv", "expand_conv"),
    "conv_pwl": (None, "project_conv"),
    "bn1": ("bn", "expand_bn"),
    "bn2": ("project_bn", "bn"),
    "bn3": (None, "project_bn"),
}
_KERAS_ENDS = {
    "conv_stem": "stem_conv", "bn1": "stem_bn",
    "conv_head": "top_conv", "bn2": "top_bn",
    "classifier": "predictions",
}  # fmt: skip
# the same in torchvision's: the number inside `block`
_TORCHVISION = {
    "conv_dw": ("0_0", "1_0"),
    "se.conv_reduce": ("1_fc1", "2_fc1"),
    "se.conv_expand": ("1_fc2", "2_fc2"),
    "conv_pw": ("2_0", "0_0"),
    "conv_pwl": (None, "3_0"),
    "bn1": ("0_1", "0_1"),
    "bn2": ("2_1", "1_1"),
    "bn3": (None, "3_1"),
}
_TORCHVISION_ENDS = {
    "conv_stem": "features_0_0", "bn1": "features_0_1",
    "conv_head": "features_8_0", "bn2": "features_8_1",
    "classifier": "classifier_1",
}  # fmt: skip


def _keras(layer: str) -> str | None:
    if match := re.fullmatch(r"blocks\.(\d)\.(\d+)\.([\w.]+)", layer):
        stage, block = int(match[1]), int(match[2])
        own = _KERAS.get(match[3], (None, None))[min(stage, 1)]
        return None if own is None else f"block{stage + 1}{chr(ord('a') + block)}_{own}"
    return _KERAS_ENDS.get(layer)


def _torchvision(layer: str) -> str | None:
    if match := re.fullmatch(r"blocks\.(\d)\.(\d+)\.([\w.]+)", layer):
        stage, block = int(match[1]), int(match[2])
        own = _TORCHVISION.get(match[3], (None, None))[min(stage, 1)]
        return None if own is None else f"features_{stage + 1}_{block}_block_{own}"
    return _TORCHVISION_ENDS.get(layer)


def _onto_keras() -> NameMap:
    return NameMap(
        source="timm",
        rename=_keras,
        head=("predictions",),
        given={
            r"normalization(_\d+)?\.adapt_mean": _MEAN,
            r"normalization(_\d+)?\.adapt_variance": _VARIANCE,
            r"normalization(_\d+)?\.count": torch.zeros(()),
        },
    )


def _zoo(rename: Rename, source: str) -> NameMap:
    return NameMap(source=source, rename=rename, head=("classifier_1",))


def _recognise(shapes: Shapes) -> Found | None:
    if "conv_stem.weight" in shapes and count(shapes, r"blocks_0_0_se_conv_reduce\.weight"):
        return _of_timm(shapes)
    if "features_1_0_block_0_0.weight" in shapes and "features_1_0_block_1_fc1.weight" in shapes:
        small = count(shapes, r"features_\d_\d+_block_0_0\.weight") == 16 and "features_8_0.weight" in shapes
        classes = outputs(shapes, "classifier_1.weight")
        label = "efficientnet_b0" if small else "a larger efficientnet"
        model = label if small else None
        return Found(model=model, label=label, source="torchvision", classes=classes)
    return None


def _of_timm(shapes: Shapes) -> Found | None:
    blocks = count(shapes, r"blocks_\d_\d+_conv_dw\.weight")
    stem, head = shapes["conv_stem.weight"][0], shapes.get("conv_head.weight", (0,))[0]
    for name, form in _FORMS.items():
        if form == (blocks, stem, head):
            return Found(
                model=f"EfficientNet{name}",
                label=f"efficientnet_{name.lower()} or tf_efficientnet_{name.lower()}",
                source="timm",
                classes=outputs(shapes, "classifier.weight"),
                pixels="none",
            )
    return Found(model=None, label="a network of the EfficientNet kind", source="timm")


FAMILY = Family(
    maps={
        **{f"EfficientNet{name}": (_onto_keras(),) for name in _FORMS},
        "efficientnet_b0": (_zoo(underscored, "torchvision"), _zoo(_torchvision, "timm")),
    },
    recognise=_recognise,
)
