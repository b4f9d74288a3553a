"""Inception v3 and torchvision's GoogLeNet: names of torchvision, which timm keeps.

Both were trained on values from -1 to 1: torchvision's `transform_input` makes these of its usual ones.
"""

from __future__ import annotations

from neocog.applications._name_maps._map import Family, Found, NameMap, Shapes, outputs, underscored

_INCEPTION = NameMap(source="torchvision", rename=underscored, head=("fc",), unused=(r"AuxLogits\..*",))
_GOOGLENET = NameMap(source="torchvision", rename=underscored, head=("fc",), unused=(r"aux[12]\..*",))


def _inception(shapes: Shapes) -> Found | None:
    if not {"Conv2d_1a_3x3_conv.weight", "Mixed_5b_branch1x1_conv.weight"} <= shapes.keys():
        return None
    classes = outputs(shapes, "fc.weight")
    return Found(
        model="inception_v3", label="inception_v3", source="torchvision", classes=classes, pixels="tf"
    )


def _googlenet(shapes: Shapes) -> Found | None:
    if "inception3a_branch1_conv.weight" not in shapes:
        return None
    return Found(
        model="googlenet_bn",
        label="googlenet with batch normalisation",
        source="torchvision",
        classes=outputs(shapes, "fc.weight"),
        pixels="tf",
    )


FAMILIES = (
    Family(maps={"inception_v3": (_INCEPTION,)}, recognise=_inception),
    Family(maps={"googlenet_bn": (_GOOGLENET,)}, recognise=_googlenet),
)
