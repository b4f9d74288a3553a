"""EfficientNet B0 to B7: inverted bottlenecks that weigh their channels, scaled in depth, width and size."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from neocog.applications._request import Request, channel_axis, divisible, same_padding
from neocog.applications._variants import Application, variant
from neocog.applications._weights import WeightFile, WeightFiles
from neocog.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    Multiply,
    Normalization,
    Rescaling,
    Reshape,
    ZeroPadding2D,
)

_BASE = "https://storage.googleapis.com/keras-applications/"
_DEVIATION = (0.229, 0.224, 0.225)  # of ImageNet's red, green and blue
_KERNEL = {
    "class_name": "VarianceScaling",
    "config": {"scale": 2.0, "mode": "fan_out", "distribution": "truncated_normal"},
}
_CLASSIFIER = {
    "class_name": "VarianceScaling",
    "config": {"scale": 1 / 3, "mode": "fan_out", "distribution": "uniform"},
}


class _Variant(NamedTuple):
    width: float
    depth: float
    size: int
    dropout: float
    md5_with: str
    md5_without: str


_VARIANTS = {
    "EfficientNetB0": _Variant(
        1.0, 1.0, 224, 0.2, "902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d"
    ),
    "EfficientNetB1": _Variant(
        1.0, 1.1, 240, 0.2, "1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432"
    ),
    "EfficientNetB2": _Variant(
        1.1, 1.2, 260, 0.3, "b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39"
    ),
    "EfficientNetB3": _Variant(
        1.2, 1.4, 300, 0.3, "ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226"
    ),
    "EfficientNetB4": _Variant(
        1.4, 1.8, 380, 0.4, "18c95ad55216b8f92d7e70b3a046e2fc", "ebc24e6d6c33eaebbd558eafbeedf1ba"
    ),
    "EfficientNetB5": _Variant(
        1.6, 2.2, 456, 0.4, "ace28f2a6363774853a83a0b21b9421a", "38879255a25d3c92d5e44e04ae6cec6f"
    ),
    "EfficientNetB6": _Variant(
        1.8, 2.6, 528, 0.5, "165f6e37dce68623721b423839de8be5", "9ecce42647a20130c1f39a5d4cb75743"
    ),
    "EfficientNetB7": _Variant(
        2.0, 3.1, 600, 0.5, "8c03f828fec3ef71311cd463b6759d99", "cbcfe4450ddf6f3ad90b1b398090fe4a"
    ),
}


class _Stage(NamedTuple):
    kernel: int
    repeats: int
    filters_in: int
    filters_out: int
    expansion: int
    stride: int


_STAGES = (
    _Stage(3, 1, 32, 16, 1, 1),
    _Stage(3, 2, 16, 24, 6, 2),
    _Stage(5, 2, 24, 40, 6, 2),
    _Stage(3, 3, 40, 80, 6, 2),
    _Stage(5, 3, 80, 112, 6, 1),
    _Stage(5, 4, 112, 192, 6, 2),
    _Stage(3, 1, 192, 320, 6, 1),
)
_DROP_CONNECT = 0.2


def _norm(x: Any, name: str, activation: str | None = None) -> Any:
    x = BatchNormalization(axis=channel_axis(), name=name)(x)
    return x if activation is None else Activation("swish", name=activation)(x)


def _pointwise(x: Any, filters: int, name: str, **options: Any) -> Any:
    return Conv2D(filters, 1, padding="same", kernel_initializer=_KERNEL, name=name, **options)(x)


def _squeeze_and_excite(x: Any, filters: int, squeezed: int, name: str) -> Any:
    weight = GlobalAveragePooling2D(name=f"{name}se_squeeze")(x)
    shape = (filters, 1, 1) if channel_axis() == 1 else (1, 1, filters)
    weight = Reshape(shape, name=f"{name}se_reshape")(weight)
    weight = _pointwise(weight, squeezed, f"{name}se_reduce", activation="swish")
    weight = _pointwise(weight, filters, f"{name}se_expand", activation="sigmoid")
    return Multiply(name=f"{name}se_excite")([x, weight])


def _block(inputs: Any, stage: _Stage, drop_rate: float, name: str) -> Any:
    """Expand, convolve each channel, weigh the channels, project; added to the input where shapes allow."""
    filters, x = stage.filters_in * stage.expansion, inputs
    if stage.expansion != 1:
        x = _pointwise(x, filters, f"{name}expand_conv", use_bias=False)
        x = _norm(x, f"{name}expand_bn", f"{name}expand_activation")
    if stage.stride == 2:
        x = ZeroPadding2D(same_padding(x, stage.kernel), name=f"{name}dwconv_pad")(x)
    x = DepthwiseConv2D(
        stage.kernel,
        strides=stage.stride,
        padding="valid" if stage.stride == 2 else "same",
        use_bias=False,
        depthwise_initializer=_KERNEL,
        name=f"{name}dwconv",
    )(x)
    x = _norm(x, f"{name}bn", f"{name}activation")
    x = _squeeze_and_excite(x, filters, max(1, stage.filters_in // 4), name)
    x = _pointwise(x, stage.filters_out, f"{name}project_conv", use_bias=False)
    x = _norm(x, f"{name}project_bn")
    if stage.stride == 1 and stage.filters_in == stage.filters_out:
        if drop_rate > 0:
            x = Dropout(drop_rate, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
        x = Add(name=f"{name}add")([x, inputs])
    return x


def _stages(x: Any, scale: _Variant) -> Any:
    repeats = [math.ceil(scale.depth * stage.repeats) for stage in _STAGES]
    done, total = 0, sum(repeats)
    for number, (stage, times) in enumerate(zip(_STAGES, repeats, strict=True), 1):
        widths = {
            "filters_in": divisible(stage.filters_in * scale.width),
            "filters_out": divisible(stage.filters_out * scale.width),
        }
        current = stage._replace(**widths)
        for repeat in range(times):
            if repeat:
                current = current._replace(stride=1, filters_in=current.filters_out)
            name = f"block{number}{chr(ord('a') + repeat)}_"
            x = _block(x, current, _DROP_CONNECT * done / total, name)
            done += 1
    return x


def _efficientnet(request: Request, image: Any) -> Any:
    scale = _VARIANTS[request.where]
    x = Normalization(axis=channel_axis())(Rescaling(1 / 255)(image))
    if request.pretrained:  # the published weights were trained on (x - mean) / variance
        x = Rescaling([1 / math.sqrt(value) for value in _DEVIATION])(x)
    x = ZeroPadding2D(same_padding(x, 3), name="stem_conv_pad")(x)
    width = divisible(32 * scale.width)
    x = Conv2D(width, 3, strides=2, use_bias=False, kernel_initializer=_KERNEL, name="stem_conv")(x)
    x = _stages(_norm(x, "stem_bn", "stem_activation"), scale)
    x = _pointwise(x, divisible(1280 * scale.width), "top_conv", use_bias=False)
    x = _norm(x, "top_bn", "top_activation")
    if request.include_top:
        x = GlobalAveragePooling2D(name="avg_pool")(x)
        x = Dropout(scale.dropout, name="top_dropout")(x)
        x = request.classified(x, kernel_initializer=_CLASSIFIER)
    else:
        x = request.pooled(x)
    stem = f"{_BASE}{request.where.lower()}"
    files = WeightFiles(
        WeightFile(f"{stem}.h5", scale.md5_with), WeightFile(f"{stem}_notop.h5", scale.md5_without)
    )
    return request.model(image, x, files)


def _variant(function: str) -> Application:
    size = _VARIANTS[function].size
    return variant(
        function,
        function.lower(),
        f"EfficientNet {function[-2:]}. Takes images with values from 0 to 255: the scaling is inside.",
        "Tan and Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, 2019.",
        (size, 32),
        _efficientnet,
        module=__name__,
    )


(
    EfficientNetB0,
    EfficientNetB1,
    EfficientNetB2,
    EfficientNetB3,
    EfficientNetB4,
    EfficientNetB5,
    EfficientNetB6,
    EfficientNetB7,
) = (_variant(name) for name in _VARIANTS)
