"""Residual networks of 50, 101 and 152 layers, in their first and second form."""

from __future__ import annotations

from typing import Any

from neocog.applications._request import Request, channel_axis
from neocog.applications._variants import Application, variant
from neocog.applications._weights import KERAS, keras_files
from neocog.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    GlobalAveragePooling2D,
    MaxPooling2D,
    ZeroPadding2D,
)

# name -> blocks of each stage, MD5 of Keras's files with and without the classifier
_V1 = {
    "ResNet50": ((3, 4, 6, 3), "2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
    "ResNet101": ((3, 4, 23, 3), "f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
    "ResNet152": ((3, 8, 36, 3), "100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
}
_V2 = {
    "ResNet50V2": ((3, 4, 6, 3), "3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917"),
    "ResNet101V2": ((3, 4, 23, 3), "6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5"),
    "ResNet152V2": ((3, 8, 36, 3), "a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33"),
}
_FILTERS = (64, 128, 256, 512)


def _norm(x: Any, name: str, *, relu: str | None = None) -> Any:
    x = BatchNormalization(axis=channel_axis(), epsilon=1.001e-5, name=name)(x)
    return x if relu is None else Activation("relu", name=relu)(x)


def _block_v1(x: Any, filters: int, stride: int, name: str, *, widens: bool) -> Any:
    """1×1, 3×3, 1×1, each normalised, added to the input or to a projection of it."""
    shortcut = x
    if widens:
        shortcut = Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(x)
        shortcut = _norm(shortcut, f"{name}_0_bn")
    x = Conv2D(filters, 1, strides=stride, name=f"{name}_1_conv")(x)
    x = _norm(x, f"{name}_1_bn", relu=f"{name}_1_relu")
    x = Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(x)
    x = _norm(x, f"{name}_2_bn", relu=f"{name}_2_relu")
    x = _norm(Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x), f"{name}_3_bn")
    x = Add(name=f"{name}_add")([shortcut, x])
    return Activation("relu", name=f"{name}_out")(x)


def _block_v2(x: Any, filters: int, stride: int, name: str, *, widens: bool) -> Any:
    """The same with normalisation and rectifier before each convolution."""
    before = _norm(x, f"{name}_preact_bn", relu=f"{name}_preact_relu")
    if widens:
        shortcut = Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(before)
    else:
        shortcut = MaxPooling2D(1, strides=stride)(x) if stride > 1 else x
    x = Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv")(before)
    x = _norm(x, f"{name}_1_bn", relu=f"{name}_1_relu")
    x = ZeroPadding2D(1, name=f"{name}_2_pad")(x)
    x = Conv2D(filters, 3, strides=stride, use_bias=False, name=f"{name}_2_conv")(x)
    x = _norm(x, f"{name}_2_bn", relu=f"{name}_2_relu")
    x = Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    return Add(name=f"{name}_out")([shortcut, x])


def _stages_v1(x: Any, depths: tuple[int, ...]) -> Any:
    for stage, (filters, depth) in enumerate(zip(_FILTERS, depths, strict=True), 2):
        for block in range(1, depth + 1):
            first = block == 1
            stride = 2 if first and stage > 2 else 1
            x = _block_v1(x, filters, stride, f"conv{stage}_block{block}", widens=first)
    return x


def _stages_v2(x: Any, depths: tuple[int, ...]) -> Any:
    for stage, (filters, depth) in enumerate(zip(_FILTERS, depths, strict=True), 2):
        for block in range(1, depth + 1):
            stride = 2 if block == depth and stage < 5 else 1
            x = _block_v2(x, filters, stride, f"conv{stage}_block{block}", widens=block == 1)
    return x


def _resnet(request: Request, image: Any, version: int) -> Any:
    depths, md5_with, md5_without = (_V1 if version == 1 else _V2)[request.where]
    x = ZeroPadding2D(3, name="conv1_pad")(image)
    x = Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    if version == 1:
        x = _norm(x, "conv1_bn", relu="conv1_relu")
    x = ZeroPadding2D(1, name="pool1_pad")(x)
    x = MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    x = _stages_v1(x, depths) if version == 1 else _stages_v2(x, depths)
    if version == 2:
        x = _norm(x, "post_bn", relu="post_relu")
    if request.include_top:
        x = request.classified(GlobalAveragePooling2D(name="avg_pool")(x))
    else:
        x = request.pooled(x)
    files = keras_files(f"{KERAS}resnet/", request.where.lower(), md5_with, md5_without)
    return request.model(image, x, files)


def _v1(function: str) -> Application:
    layers = function.removeprefix("ResNet")
    return variant(
        function,
        function.lower(),
        f"The residual network of {layers} layers. Takes images prepared by `resnet.preprocess_input`.",
        "He et al., Deep Residual Learning for Image Recognition, 2016.",
        (224, 32),
        lambda request, image: _resnet(request, image, 1),
        module=__name__,
    )


def _v2(function: str) -> Application:
    layers = function.removeprefix("ResNet").removesuffix("V2")
    return variant(
        function,
        function.lower(),
        f"The residual network of {layers} layers with normalisation first. Takes images prepared by "
        "`resnet_v2.preprocess_input`.",
        "He et al., Identity Mappings in Deep Residual Networks, 2016.",
        (224, 32),
        lambda request, image: _resnet(request, image, 2),
        module=__name__,
    )


ResNet50, ResNet101, ResNet152 = (_v1(name) for name in _V1)
ResNet50V2, ResNet101V2, ResNet152V2 = (_v2(name) for name in _V2)
