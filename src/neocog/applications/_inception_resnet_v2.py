"""Inception-ResNet v2: inception modules whose results are scaled and added to their input."""

from __future__ import annotations

from typing import Any

from neocog.applications._request import Request, channel_axis
from neocog.applications._variants import variant
from neocog.applications._weights import KERAS, keras_files
from neocog.layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    GlobalAveragePooling2D,
    MaxPooling2D,
)
from neocog.layers._custom_scale import CustomScaleLayer

_FILES = keras_files(
    f"{KERAS}inception_resnet_v2/",
    "inception_resnet_v2",
    "e693bd0210a403b3192acc6073ad2e96",
    "d19885ff4a710c122648d3b5c3b684e4",
)
_Kernel = int | tuple[int, int]
# filters and kernel of each convolution of each branch
_BRANCHES: dict[str, tuple[tuple[tuple[int, _Kernel], ...], ...]] = {
    "block35": (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3))),
    "block17": (((192, 1),), ((128, 1), (160, (1, 7)), (192, (7, 1)))),
    "block8": (((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1)))),
}


def _conv(x: Any, filters: int, kernel: _Kernel, strides: int = 1, padding: str = "same") -> Any:
    x = Conv2D(filters, kernel, strides=strides, padding=padding, use_bias=False)(x)
    return Activation("relu")(BatchNormalization(axis=channel_axis(), scale=False)(x))


def _chain(x: Any, *convolutions: tuple[int, _Kernel]) -> Any:
    for filters, kernel in convolutions:
        x = _conv(x, filters, kernel)
    return x


def _halved(x: Any, filters: int) -> Any:
    return _conv(x, filters, 3, 2, "valid")


def _join(branches: list[Any], name: str) -> Any:
    return Concatenate(axis=channel_axis(), name=name)(branches)


def _block(x: Any, kind: str, number: int, scale: float, *, relu: bool = True) -> Any:
    name = f"{kind}_{number}"
    mixed = _join([_chain(x, *branch) for branch in _BRANCHES[kind]], f"{name}_mixed")
    up = Conv2D(x.shape[channel_axis()], 1, padding="same", name=f"{name}_conv")(mixed)
    x = CustomScaleLayer(scale)([x, up])
    return Activation("relu", name=f"{name}_ac")(x) if relu else x


def _features(image: Any) -> Any:
    x = _conv(_halved(image, 32), 32, 3, padding="valid")
    x = MaxPooling2D(3, strides=2)(_conv(x, 64, 3))
    x = _conv(x, 80, 1, padding="valid")
    x = MaxPooling2D(3, strides=2)(_conv(x, 192, 3, padding="valid"))
    branches = [_conv(x, 96, 1), _chain(x, (48, 1), (64, 5)), _chain(x, (64, 1), (96, 3), (96, 3))]
    branches.append(_conv(AveragePooling2D(3, strides=1, padding="same")(x), 64, 1))
    x = _join(branches, "mixed_5b")
    for number in range(1, 11):
        x = _block(x, "block35", number, 0.17)
    branches = [_halved(x, 384), _halved(_chain(x, (256, 1), (256, 3)), 384), MaxPooling2D(3, strides=2)(x)]
    x = _join(branches, "mixed_6a")
    for number in range(1, 21):
        x = _block(x, "block17", number, 0.1)
    branches = [_halved(_conv(x, 256, 1), 384), _halved(_conv(x, 256, 1), 288)]
    branches.append(_halved(_chain(x, (256, 1), (288, 3)), 320))
    branches.append(MaxPooling2D(3, strides=2)(x))
    x = _join(branches, "mixed_7a")
    for number in range(1, 10):
        x = _block(x, "block8", number, 0.2)
    x = _block(x, "block8", 10, 1.0, relu=False)
    x = Conv2D(1536, 1, padding="same", use_bias=False, name="conv_7b")(x)
    x = BatchNormalization(axis=channel_axis(), scale=False, name="conv_7b_bn")(x)
    return Activation("relu", name="conv_7b_ac")(x)


def _inception_resnet(request: Request, image: Any) -> Any:
    x = _features(image)
    if request.include_top:
        x = request.classified(GlobalAveragePooling2D(name="avg_pool")(x))
    else:
        x = request.pooled(x, named=False)
    return request.model(image, x, _FILES)


InceptionResNetV2 = variant(
    "InceptionResNetV2",
    "inception_resnet_v2",
    "Inception-ResNet v2. Takes images prepared by `inception_resnet_v2.preprocess_input`.",
    "Szegedy et al., Inception-v4, Inception-ResNet and the Impact of Residual Connections, 2017.",
    (299, 75),
    _inception_resnet,
    module=__name__,
)
