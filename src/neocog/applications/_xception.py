"""Xception: separable convolutions with residual connections."""

from __future__ import annotations

from typing import Any

from neocog.applications._request import Request, channel_axis
from neocog.applications._variants import variant
from neocog.applications._weights import KERAS, keras_files
from neocog.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    GlobalAveragePooling2D,
    MaxPooling2D,
    SeparableConv2D,
)

_FILES = keras_files(
    f"{KERAS}xception/",
    "xception",
    "0a58e3b7378bc2990ea3b43d5981f1f6",
    "b0042744bf5b25fce3cb969f33bebb97",
)


def _norm(x: Any, name: str | None = None) -> Any:
    return BatchNormalization(axis=channel_axis() if channel_axis() == 1 else -1, name=name)(x)


def _relu(x: Any, name: str) -> Any:
    return Activation("relu", name=name)(x)


def _separable(x: Any, filters: int, name: str) -> Any:
    x = SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return _norm(x, f"{name}_bn")


def _shrinking(x: Any, widths: tuple[int, int], block: str, *, starts_with_relu: bool = True) -> Any:
    """Two separable convolutions and a pooling, beside a projection of stride 2."""
    residual = Conv2D(widths[1], 1, strides=2, padding="same", use_bias=False)(x)
    residual = _norm(residual)
    if starts_with_relu:
        x = _relu(x, f"{block}_sepconv1_act")
    x = _separable(x, widths[0], f"{block}_sepconv1")
    x = _relu(x, f"{block}_sepconv2_act")
    x = _separable(x, widths[1], f"{block}_sepconv2")
    x = MaxPooling2D(3, strides=2, padding="same", name=f"{block}_pool")(x)
    return Add()([x, residual])


def _xception(request: Request, image: Any) -> Any:
    x = Conv2D(32, 3, strides=2, use_bias=False, name="block1_conv1")(image)
    x = _relu(_norm(x, "block1_conv1_bn"), "block1_conv1_act")
    x = Conv2D(64, 3, use_bias=False, name="block1_conv2")(x)
    x = _relu(_norm(x, "block1_conv2_bn"), "block1_conv2_act")
    x = _shrinking(x, (128, 128), "block2", starts_with_relu=False)
    x = _shrinking(x, (256, 256), "block3")
    x = _shrinking(x, (728, 728), "block4")
    for number in range(5, 13):
        residual = x
        for step in (1, 2, 3):
            name = f"block{number}_sepconv{step}"
            x = _separable(_relu(x, f"{name}_act"), 728, name)
        x = Add()([x, residual])
    x = _shrinking(x, (728, 1024), "block13")
    for step, width in ((1, 1536), (2, 2048)):
        name = f"block14_sepconv{step}"
        x = _relu(_separable(x, width, name), f"{name}_act")
    if request.include_top:
        x = request.classified(GlobalAveragePooling2D(name="avg_pool")(x))
    else:
        x = request.pooled(x, named=False)
    return request.model(image, x, _FILES)


Xception = variant(
    "Xception",
    "xception",
    "Xception. Takes images prepared by `xception.preprocess_input`.",
    "Chollet, Xception: Deep Learning with Depthwise Separable Convolutions, 2017.",
    (299, 71),
    _xception,
    module=__name__,
)
