"""AlexNet, SqueezeNet and GoogLeNet: networks whose files have one form each."""

from __future__ import annotations

import re

from neocog.applications._name_maps._map import Family, Found, NameMap, Shapes, outputs, underscored

_ALEXNET = NameMap(source="torchvision", rename=underscored, head=(r"classifier_\d",))
_SQUEEZENET = NameMap(source="torchvision", rename=underscored, head=(r"classifier_1",))


def _caffe_name(layer: str) -> str:
    """Return `inception_3a/5x5_reduce`, as Caffe has it, in our spelling."""
    return re.sub(r"\W", "_", layer)


_GOOGLENET = NameMap(
    source="Caffe's names", rename=_caffe_name, head=(r"loss3_classifier",), unused=(r"loss[12]\W.*",)
)


def _alexnet(shapes: Shapes) -> Found | None:
    first, last = shapes.get("features_0.weight"), shapes.get("features_10.weight")
    if first is None or last is None or first[1:] != (3, 11, 11) or last[2:] != (3, 3):
        return None
    return Found(
        model="alexnet", label="alexnet", source="torchvision", classes=outputs(shapes, "classifier_6.weight")
    )


def _squeezenet(shapes: Shapes) -> Found | None:
    first = shapes.get("features_0.weight")
    if first is None or "features_3_squeeze.weight" not in shapes:
        return None
    name = "squeezenet1_0" if first[2:] == (7, 7) else "squeezenet1_1"
    return Found(model=name, label=name, source="torchvision", classes=outputs(shapes, "classifier_1.weight"))


def _googlenet(shapes: Shapes) -> Found | None:
    spelled = {re.sub(r"\W", "_", name): shape for name, shape in shapes.items()}
    if "conv1_7x7_s2_weight" in spelled and "inception_3a_1x1_weight" in spelled:
        return Found(
            model="googlenet",
            label="GoogLeNet as published",
            source=_GOOGLENET.source,
            classes=outputs(spelled, "loss3_classifier_weight"),
            pixels="caffe",
        )
    return None


FAMILIES = (
    Family(maps={"alexnet": (_ALEXNET,)}, recognise=_alexnet),
    Family(maps={"squeezenet1_0": (_SQUEEZENET,), "squeezenet1_1": (_SQUEEZENET,)}, recognise=_squeezenet),
    Family(maps={"googlenet": (_GOOGLENET,)}, recognise=_googlenet),
)
