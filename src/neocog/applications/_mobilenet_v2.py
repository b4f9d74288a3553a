"""MobileNet v2: bottlenecks turned inside out, narrow at their ends."""

from __future__ import annotations

from typing import Any

from neocog.applications._mobilenet import default_size, published_rows
from neocog.applications._request import Request, channel_axis, divisible, image_size, same_padding
from neocog.applications._weights import KERAS, NO_FILES, WeightFile, WeightFiles
from neocog.core import check_number
from neocog.exceptions import ArgumentError, message
from neocog.graph import SymbolicTensor
from neocog.layers import (
    Add,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    ReLU,
    ZeroPadding2D,
)

_SIZES = (96, 128, 160, 192, 224)
_WIDTHS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
# filters, stride of the first, number of blocks
_STAGES = ((16, 1, 1), (24, 2, 2), (32, 2, 3), (64, 2, 4), (96, 1, 3), (160, 2, 3), (320, 1, 1))


def MobileNetV2(
    input_shape: Any = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Any:
    """MobileNet v2. Takes images prepared by `mobilenet_v2.preprocess_input`.

    Args:
        input_shape: shape of one image; 224×224 with 3 channels by default, at least 32×32.
        alpha: width: numbers of filters are multiplied by it.
        include_top: end with the classifier; False ends with the features.
        weights: None draws them at random; `"imagenet"` takes them from this machine (alpha 0.35, 0.5, 0.75,
            1, 1.3 or 1.4; Keras publishes this family without checksums, so nothing is fetched); the path of
            a weight file; or an address with its SHA-256.
        input_tensor: symbolic tensor to start from; None makes an Input.
        pooling: what ends a model without classifier: None, `"avg"` or `"max"`.
        classes: outputs of the classifier.
        classifier_activation: of the classifier; None gives logits.
        name: name of the model; `"mobilenetv2_<alpha>_<height>"` when None.

    Returns:
        A functional model with Keras's layer names and order of weights.

    Reference:
        Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, 2018.
    """
    check_number("MobileNetV2", "alpha", alpha, minimum=1e-3)
    request = Request(
        where="MobileNetV2",
        include_top=include_top,
        weights=weights,
        input_tensor=input_tensor,
        input_shape=input_shape,
        pooling=pooling,
        classes=classes,
        classifier_activation=classifier_activation,
        name=name,
    )
    check_same_size("MobileNetV2", input_tensor, input_shape)
    known = input_shape
    if known is None and isinstance(input_tensor, SymbolicTensor) and len(input_tensor.shape) == 4:
        known = input_tensor.shape[1:]
    shape = request.shape(default_size("MobileNetV2", known, _SIZES), 32)
    rows = image_size(shape)[0]
    files = NO_FILES
    if request.pretrained:
        rows, files = _published(alpha, image_size(shape))
    image = request.image(shape)
    x = _features(image, alpha)
    if include_top:
        x = request.classified(GlobalAveragePooling2D()(x))
    else:
        x = request.pooled(x, named=False)
    return request.model(image, x, files, f"mobilenetv2_{alpha:0.2f}_{rows}")


def check_same_size(where: str, input_tensor: Any, input_shape: Any) -> None:
    """Raise ArgumentError where both are given and differ in width."""
    if input_shape is None or not isinstance(input_tensor, SymbolicTensor):
        return
    sizes = image_size(tuple(input_tensor.shape[1:])), image_size(tuple(input_shape))
    if sizes[0][1] != sizes[1][1]:
        raise ArgumentError(
            message(
                where,
                expected="input_tensor and input_shape of the same size, or one of them",
                got=f"{tuple(input_tensor.shape)} and {input_shape}",
            )
        )


def _published(alpha: float, given: tuple[int | None, ...]) -> tuple[int, WeightFiles]:
    if alpha not in _WIDTHS:
        raise ArgumentError(
            message("MobileNetV2", expected=f'alpha among {_WIDTHS} with weights="imagenet"', got=alpha)
        )
    rows = published_rows("MobileNetV2", _SIZES, given)
    stem = f"{KERAS}mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{rows}"
    return rows, WeightFiles(WeightFile(f"{stem}.h5", None), WeightFile(f"{stem}_no_top.h5", None))


def _norm(x: Any, name: str, relu: str | None = None) -> Any:
    axis = 1 if channel_axis() == 1 else -1
    x = BatchNormalization(axis=axis, epsilon=1e-3, momentum=0.999, name=name)(x)
    return x if relu is None else ReLU(6.0, name=relu)(x)


def _features(image: Any, alpha: float) -> Any:
    width = divisible(32 * alpha)
    x = Conv2D(width, 3, strides=2, padding="same", use_bias=False, name="Conv1")(image)
    x = _norm(x, "bn_Conv1", "Conv1_relu")
    number = 0
    for filters, stride, blocks in _STAGES:
        for block in range(blocks):
            x = _block(x, divisible(int(filters * alpha)), stride if block == 0 else 1, number)
            number += 1
    x = Conv2D(divisible(1280 * max(alpha, 1.0)), 1, use_bias=False, name="Conv_1")(x)
    return _norm(x, "Conv_1_bn", "out_relu")


def _block(inputs: Any, filters: int, stride: int, number: int) -> Any:
    x, width = inputs, inputs.shape[channel_axis()]
    prefix = f"block_{number}_" if number else "expanded_conv_"
    if number:
        x = Conv2D(6 * width, 1, padding="same", use_bias=False, name=f"{prefix}expand")(x)
        x = _norm(x, f"{prefix}expand_BN", f"{prefix}expand_relu")
    if stride == 2:
        x = ZeroPadding2D(same_padding(x, 3), name=f"{prefix}pad")(x)
    padding = "valid" if stride == 2 else "same"
    x = DepthwiseConv2D(3, strides=stride, use_bias=False, padding=padding, name=f"{prefix}depthwise")(x)
    x = _norm(x, f"{prefix}depthwise_BN", f"{prefix}depthwise_relu")
    x = Conv2D(filters, 1, padding="same", use_bias=False, name=f"{prefix}project")(x)
    x = _norm(x, f"{prefix}project_BN")
    return Add(name=f"{prefix}add")([inputs, x]) if width == filters and stride == 1 else x
