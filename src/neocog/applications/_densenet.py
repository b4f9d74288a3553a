"""Densely connected networks: each block reads what all blocks before it made."""

from __future__ import annotations

from typing import Any

from neocog.applications._request import Request, channel_axis
from neocog.applications._variants import Application, variant
from neocog.applications._weights import KERAS, keras_files
from neocog.layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    GlobalAveragePooling2D,
    MaxPooling2D,
    ZeroPadding2D,
)

# name -> blocks of each stage, MD5 of Keras's files with and without the classifier
_VARIANTS = {
    "DenseNet121": ((6, 12, 24, 16), "9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"),
    "DenseNet169": ((6, 12, 32, 32), "d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"),
    "DenseNet201": ((6, 12, 48, 32), "1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"),
}
_GROWTH = 32


def _norm(x: Any, name: str, relu: str) -> Any:
    x = BatchNormalization(axis=channel_axis(), epsilon=1.001e-5, name=name)(x)
    return Activation("relu", name=relu)(x)


def _block(x: Any, name: str) -> Any:
    new = _norm(x, f"{name}_0_bn", f"{name}_0_relu")
    new = Conv2D(4 * _GROWTH, 1, use_bias=False, name=f"{name}_1_conv")(new)
    new = _norm(new, f"{name}_1_bn", f"{name}_1_relu")
    new = Conv2D(_GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(new)
    return Concatenate(axis=channel_axis(), name=f"{name}_concat")([x, new])


def _transition(x: Any, name: str) -> Any:
    x = _norm(x, f"{name}_bn", f"{name}_relu")
    x = Conv2D(x.shape[channel_axis()] // 2, 1, use_bias=False, name=f"{name}_conv")(x)
    return AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


def _densenet(request: Request, image: Any) -> Any:
    depths, md5_with, md5_without = _VARIANTS[request.where]
    x = ZeroPadding2D(3)(image)
    x = Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv")(x)
    x = _norm(x, "conv1_bn", "conv1_relu")
    x = MaxPooling2D(3, strides=2, name="pool1")(ZeroPadding2D(1)(x))
    for stage, depth in enumerate(depths, 2):
        for block in range(1, depth + 1):
            x = _block(x, f"conv{stage}_block{block}")
        x = _transition(x, f"pool{stage}") if stage < 5 else _norm(x, "bn", "relu")
    if request.include_top:
        x = request.classified(GlobalAveragePooling2D(name="avg_pool")(x))
    else:
        x = request.pooled(x)
    files = keras_files(f"{KERAS}densenet/", request.where.lower(), md5_with, md5_without)
    return request.model(image, x, files)


def _variant(function: str) -> Application:
    layers = function.removeprefix("DenseNet")
    return variant(
        function,
        function.lower(),
        f"The dense network of {layers} layers. Takes images prepared by `densenet.preprocess_input`.",
        "Huang et al., Densely Connected Convolutional Networks, 2017.",
        (224, 32),
        _densenet,
        module=__name__,
    )


DenseNet121, DenseNet169, DenseNet201 = (_variant(name) for name in _VARIANTS)
