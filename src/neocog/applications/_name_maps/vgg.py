"""VGG: torchvision's names and timm's, onto the zoo's form and onto Keras's."""

from __future__ import annotations

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

_STAGES = {
    "11": (1, 1, 2, 2, 2),
    "13": (2, 2, 2, 2, 2),
    "16": (2, 2, 3, 3, 3),
    "19": (2, 2, 4, 4, 4),
}
_TIMM_HEAD = {"pre_logits.fc1": "classifier.0", "pre_logits.fc2": "classifier.3", "head.fc": "classifier.6"}
_KERAS_HEAD = {"classifier.0": "fc1", "classifier.3": "fc2", "classifier.6": "predictions"}
_NOTE = (
    'torchvision trained these weights on RGB images prepared by preprocess_input(mode="torch"), while '
    "vgg16.preprocess_input and vgg19.preprocess_input prepare for Keras's. Use "
    'applications.imagenet_utils.preprocess_input(x, mode="torch").'
)


def _timm(layer: str) -> str:
    return underscored(_TIMM_HEAD.get(layer, layer))


def _onto_keras(depth: str) -> Rename:
    """Return the renaming of torchvision's or timm's layers to Keras's `block1_conv1`, `fc1` …"""
    names = dict(_KERAS_HEAD)
    position = 0
    for block, convolutions in enumerate(_STAGES[depth], 1):
        for number in range(1, convolutions + 1):
            names[f"features.{position}"] = f"block{block}_conv{number}"
            position += 2  # the rectifier
        position += 1  # the pooling

    def rename(layer: str) -> str | None:
        return names.get(_TIMM_HEAD.get(layer, layer))

    return rename


def _keras(depth: str) -> tuple[NameMap, ...]:
    return (
        NameMap(
            source="torchvision",
            rename=_onto_keras(depth),
            head=("fc1", "fc2", "predictions"),
            flattened={"fc1": (512, 7, 7)},
            note=_NOTE,
        ),
    )


def _recognise(shapes: Shapes) -> Found | None:
    first, second = shapes.get("features_0.weight"), shapes.get("features_1.weight")
    if first is None or first[1:] != (3, 3, 3):
        return None
    normed = second is not None and len(second) == 1
    convolutions = sum(
        len(shape) == 4 and shape[2:] == (3, 3) and name.startswith("features_")
        for name, shape in shapes.items()
    )
    depth = next((name for name, stages in _STAGES.items() if sum(stages) == convolutions), None)
    if depth is None or count(shapes, r"features_\d+_.*"):
        return None
    name = f"vgg{depth}{'_bn' if normed else ''}"
    timm = "pre_logits_fc1.weight" in shapes
    return Found(
        model=name,
        label=name,
        source="timm" if timm else "torchvision",
        classes=outputs(shapes, "classifier_6.weight", "head_fc.weight"),
    )


_HEAD = (r"classifier_\d",)
_ZOO = (
    NameMap(source="torchvision", rename=underscored, head=_HEAD),
    NameMap(source="timm", rename=_timm, head=_HEAD),
)

FAMILY = Family(
    maps={
        **{f"vgg{depth}{norm}": _ZOO for depth in _STAGES for norm in ("", "_bn")},
        "VGG16": _keras("16"),
        "VGG19": _keras("19"),
    },
    recognise=_recognise,
)
