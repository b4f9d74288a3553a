"""MobileNet: depthwise and pointwise convolutions, as wide as asked for."""

from __future__ import annotations

import warnings
from typing import Any

from neocog.applications._request import Request, channel_axis, checked_shape, image_size
from neocog.applications._weights import KERAS, NO_FILES, WeightFile, WeightFiles
from neocog.core import check_int, check_number
from neocog.exceptions import ArgumentError, message
from neocog.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    ReLU,
    Reshape,
    ZeroPadding2D,
)

_SIZES = (128, 160, 192, 224)
_WIDTHS = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}
# filters and stride of each block
_BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 5,
    (1024, 2),
    (1024, 1),
)


def MobileNet(
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Any:
    """MobileNet. Takes images prepared by `mobilenet.preprocess_input`.

    Args:
        input_shape: shape of one image; 224×224 with 3 channels by default, at least 32×32.
        alpha: width: all numbers of filters are multiplied by it.
        depth_multiplier: outputs of each depthwise kernel's channel.
        dropout: share of the features to drop before the classifier.
        include_top: end with the classifier; False ends with the features.
        weights: None draws them at random; `"imagenet"` takes them from this machine (alpha 0.25, 0.5, 0.75
            or 1; Keras publishes this family without checksums, so nothing is fetched); the path of a weight
            file; or an address with its SHA-256.
        input_tensor: symbolic tensor to start from; None makes an Input.
        pooling: what ends a model without classifier: None, `"avg"` or `"max"`.
        classes: outputs of the classifier.
        classifier_activation: of the classifier; None gives logits.
        name: name of the model; `"mobilenet_<alpha>_<height>"` when None.

    Returns:
        A functional model with Keras's layer names and order of weights.

    Reference:
        Howard et al., MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications,
        2017.
    """
    check_number("MobileNet", "alpha", alpha, minimum=1e-3)
    check_int("MobileNet", "depth_multiplier", depth_multiplier, minimum=1)
    request = Request(
        where="MobileNet",
        include_top=include_top,
        weights=weights,
        input_tensor=input_tensor,
        input_shape=input_shape,
        pooling=pooling,
        classes=classes,
        classifier_activation=classifier_activation,
        name=name,
    )
    shape = request.shape(default_size("MobileNet", input_shape, _SIZES), 32)
    rows = image_size(shape)[0]
    files = NO_FILES
    if request.pretrained:
        rows, files = _published(alpha, depth_multiplier, image_size(shape))
    image = request.image(shape)
    x = Conv2D(int(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="conv1")(image)
    x = ReLU(6.0, name="conv1_relu")(_norm(x, "conv1_bn"))
    for number, (filters, stride) in enumerate(_BLOCKS, 1):
        x = _block(x, int(filters * alpha), depth_multiplier, stride, number)
    if include_top:
        x = GlobalAveragePooling2D(keepdims=True)(x)
        x = Dropout(dropout, name="dropout")(x)
        x = Conv2D(classes, 1, padding="same", name="conv_preds")(x)
        x = Reshape((classes,), name="reshape_2")(x)
        x = Activation(classifier_activation, name="predictions")(x)
    else:
        x = request.pooled(x, named=False)
    return request.model(image, x, files, f"mobilenet_{alpha:0.2f}_{rows}")


def default_size(where: str, input_shape: Any, sizes: tuple[int, ...]) -> int:
    """Return the size that published weights are for: the given one where there are some, else 224."""
    shape = checked_shape(where, input_shape)
    if shape is None:
        return 224
    rows, columns = image_size(shape)
    return rows if rows is not None and rows == columns and rows in sizes else 224


def published_rows(where: str, sizes: tuple[int, ...], given: tuple[int | None, ...]) -> int:
    """Return the size whose weights are taken for images of this size; say so where it is another one."""
    if given[0] == given[1] and given[0] in sizes:
        return int(given[0] or 0)
    warnings.warn(
        f"{where}: the size of the images is not known, not square, or none of {sizes}; the weights for "
        "224×224 are taken.",
        stacklevel=3,
    )
    return 224


def _published(alpha: float, depth: int, given: tuple[int | None, ...]) -> tuple[int, WeightFiles]:
    if depth != 1 or alpha not in _WIDTHS:
        raise ArgumentError(
            message(
                "MobileNet",
                expected=f'depth_multiplier=1 and alpha among {sorted(_WIDTHS)} with weights="imagenet"',
                got=f"depth_multiplier={depth}, alpha={alpha}",
            )
        )
    rows = published_rows("MobileNet", _SIZES, given)
    stem = f"{KERAS}mobilenet/mobilenet_{_WIDTHS[alpha]}_{rows}_tf"
    return rows, WeightFiles(
        WeightFile(f"{stem}.h5", None), WeightFile(f"{stem}_no_top.h5", None), {"alpha": alpha}
    )


def _norm(x: Any, name: str) -> Any:
    return BatchNormalization(axis=1 if channel_axis() == 1 else -1, name=name)(x)


def _block(x: Any, filters: int, depth: int, stride: int, number: int) -> Any:
    if stride == 2:
        x = ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
    x = DepthwiseConv2D(
        3,
        padding="valid" if stride == 2 else "same",
        depth_multiplier=depth,
        strides=stride,
        use_bias=False,
        name=f"conv_dw_{number}",
    )(x)
    x = ReLU(6.0, name=f"conv_dw_{number}_relu")(_norm(x, f"conv_dw_{number}_bn"))
    x = Conv2D(filters, 1, padding="same", use_bias=False, name=f"conv_pw_{number}")(x)
    return ReLU(6.0, name=f"conv_pw_{number}_relu")(_norm(x, f"conv_pw_{number}_bn"))
