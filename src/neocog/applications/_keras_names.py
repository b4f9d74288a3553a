"""Which of Keras's applications a weight file of Keras belongs to, by the names of its layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neocog.files import Format, format_of, read_keras_archive
from neocog.files._h5_guard import damage_reported, member_names, subgroup
from neocog.files._h5_store import opened
from neocog.files._h5_text import read_texts

# A layer that the architecture has and none of those below it: the deeper ones of a family come first. The
# names of Inception v3 are numbers alone, and EfficientNet's widths have the same names.
_SIGNS = (
    ("MobileNet", "conv_dw_13"),
    ("MobileNetV2", "bn_Conv1"),
    ("MobileNetV3Large", "expanded_conv_14_project"),
    ("MobileNetV3Small", "expanded_conv_10_project"),
    ("VGG19", "block5_conv4"),
    ("VGG16", "block5_conv3"),
    ("Xception", "block14_sepconv2"),
    ("DenseNet201", "conv4_block48_0_bn"),
    ("DenseNet169", "conv4_block32_0_bn"),
    ("DenseNet121", "conv4_block24_0_bn"),
    ("ResNet152V2", "conv4_block36_preact_bn"),
    ("ResNet101V2", "conv4_block23_preact_bn"),
    ("ResNet50V2", "conv4_block6_preact_bn"),
    ("ResNet152", "conv4_block36_3_bn"),
    ("ResNet101", "conv4_block23_3_bn"),
    ("ResNet50", "conv4_block6_3_bn"),
    ("InceptionResNetV2", "conv_7b"),
    ("NASNetLarge", "normal_conv_1_18"),
    ("NASNetMobile", "normal_conv_1_12"),
)


def keras_application(path: Path) -> str | None:
    """Return the application that a `.keras`, `.weights.h5` or older `.h5` file is of, where names tell."""
    names = {name.replace("/", "_") for name in _layer_names(path)}
    return next((model for model, layer in _SIGNS if layer in names), None)


def _layer_names(path: Path) -> list[str]:
    where = str(path)
    source = read_keras_archive(path).weights if format_of(path) is Format.KERAS else path
    with damage_reported(where), opened(where, source) as file:
        for group in (file, subgroup(where, file, "model_weights")):
            names = None if group is None else read_texts(where, group, "layer_names")
            if names is not None:
                return names
        layers = subgroup(where, file, "layers")
        found = [] if layers is None else member_names(where, layers)
        return [_filed_name(where, layers, name) for name in found]


def _filed_name(where: str, layers: Any, name: str) -> str:
    """Return the name that the user gave a layer; its place in the file goes by its class."""
    variables = subgroup(where, layers, f"{name}/vars")
    filed = None if variables is None else variables.attrs.get("name")
    return filed if isinstance(filed, str) else name
