"""Inception v3: branches of small and of one-sided kernels."""

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

_FILES = keras_files(
    f"{KERAS}inception_v3/",
    "inception_v3",
    "9a0d58056eeedaa3f26cb7ebd46da564",
    "bcbd6486424b2319ff4ef7d526e38f63",
)


def _conv(x: Any, filters: int, rows: int, columns: int, strides: int = 1, padding: str = "same") -> Any:
    x = Conv2D(filters, (rows, columns), strides=strides, padding=padding, use_bias=False)(x)
    x = BatchNormalization(axis=channel_axis(), scale=False)(x)
    return Activation("relu")(x)


def _chain(x: Any, *convolutions: tuple[int, int, int]) -> Any:
    for filters, rows, columns in convolutions:
        x = _conv(x, filters, rows, columns)
    return x


def _join(branches: list[Any], name: str | None = None) -> Any:
    return Concatenate(axis=channel_axis(), name=name)(branches)


def _average(x: Any, filters: int) -> Any:
    return _conv(AveragePooling2D(3, strides=1, padding="same")(x), filters, 1, 1)


def _module_35(x: Any, pooled: int, name: str) -> Any:
    branches = [
        _conv(x, 64, 1, 1),
        _chain(x, (48, 1, 1), (64, 5, 5)),
        _chain(x, (64, 1, 1), (96, 3, 3), (96, 3, 3)),
        _average(x, pooled),
    ]
    return _join(branches, name)


def _module_17(x: Any, width: int, name: str) -> Any:
    branches = [
        _conv(x, 192, 1, 1),
        _chain(x, (width, 1, 1), (width, 1, 7), (192, 7, 1)),
        _chain(x, (width, 1, 1), (width, 7, 1), (width, 1, 7), (width, 7, 1), (192, 1, 7)),
        _average(x, 192),
    ]
    return _join(branches, name)


def _module_8(x: Any, number: int) -> Any:
    first = _conv(x, 320, 1, 1)
    second = _conv(x, 384, 1, 1)
    second = _join([_conv(second, 384, 1, 3), _conv(second, 384, 3, 1)], f"mixed9_{number}")
    third = _chain(x, (448, 1, 1), (384, 3, 3))
    third = _join([_conv(third, 384, 1, 3), _conv(third, 384, 3, 1)])
    return _join([first, second, third, _average(x, 192)], f"mixed{9 + number}")


def _features(image: Any) -> Any:
    x = _conv(image, 32, 3, 3, 2, "valid")
    x = _conv(x, 32, 3, 3, padding="valid")
    x = MaxPooling2D(3, strides=2)(_conv(x, 64, 3, 3))
    x = _conv(x, 80, 1, 1, padding="valid")
    x = MaxPooling2D(3, strides=2)(_conv(x, 192, 3, 3, padding="valid"))
    for number, pooled in enumerate((32, 64, 64)):
        x = _module_35(x, pooled, f"mixed{number}")
    branches = [
        _conv(x, 384, 3, 3, 2, "valid"),
        _conv(_chain(x, (64, 1, 1), (96, 3, 3)), 96, 3, 3, 2, "valid"),
        MaxPooling2D(3, strides=2)(x),
    ]
    x = _join(branches, "mixed3")
    for number, width in enumerate((128, 160, 160, 192), 4):
        x = _module_17(x, width, f"mixed{number}")
    branches = [
        _conv(_conv(x, 192, 1, 1), 320, 3, 3, 2, "valid"),
        _conv(_chain(x, (192, 1, 1), (192, 1, 7), (192, 7, 1)), 192, 3, 3, 2, "valid"),
        MaxPooling2D(3, strides=2)(x),
    ]
    x = _join(branches, "mixed8")
    return _module_8(_module_8(x, 0), 1)


def _inception(request: Request, image: Any) -> Any:
    x = _features(image)
    if request.include_top:
        x = request.classified(GlobalAveragePooling2D(name="avg_pool")(x))
    else:
        x = request.pooled(x, named=False)
    return request.model(image, x, _FILES)


InceptionV3 = variant(
    "InceptionV3",
    "inception_v3",
    "Inception v3. Takes images prepared by `inception_v3.preprocess_input`.",
    "Szegedy et al., Rethinking the Inception Architecture for Computer Vision, 2016.",
    (299, 75),
    _inception,
    module=__name__,
)
