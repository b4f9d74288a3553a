"""MobileNet v3, small and large: bottlenecks with squeeze and excitation and hard swish."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from neocog.applications._mobilenet_v2 import check_same_size
from neocog.applications._request import (
    Request,
    Shape,
    channel_axis,
    check_size,
    checked_shape,
    divisible,
    image_size,
    same_padding,
)
from neocog.applications._weights import KERAS, NO_FILES, WeightFile, WeightFiles
from neocog.core import check_number
from neocog.exceptions import ArgumentError, message
from neocog.graph import SymbolicTensor
from neocog.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Multiply,
    ReLU,
    Rescaling,
    ZeroPadding2D,
)

# MD5 of Keras's files with and without the classifier
_MD5 = {
    "large_224_0.75_float": ("765b44a33ad4005b3ac83185abf1d0eb", "40af19a13ebea4e2ee0c676887f69a2e"),
    "large_224_1.0_float": ("59e551e166be033d707958cf9e29a6a7", "07fb09a5933dd0c8eaafa16978110389"),
    "large_minimalistic_224_1.0_float": (
        "675e7b876c45c57e9e63e6d90a36599c",
        "ec5221f64a2f6d1ef965a614bdae7973",
    ),
    "small_224_0.75_float": ("cb65d4e5be93758266aa0a7f2c6708b7", "ebdb5cc8e0b497cd13a7c275d475c819"),
    "small_224_1.0_float": ("8768d4c2e7dee89b9d02b2d03d65d862", "d3e8ec802a04aa4fc771ee12a9a9b836"),
    "small_minimalistic_224_1.0_float": (
        "99cd97fb2fcdad2bf028eb838de69e37",
        "cde8136e733e811080d9fcd8a252f7e4",
    ),
}


class _Block(NamedTuple):
    expansion: float
    filters: int
    wide_kernel: bool  # 5×5 in the full form, 3×3 in the minimalistic one
    stride: int
    weighs: bool  # squeeze and excitation in the full form
    swish: bool  # hard swish in the full form


_SMALL = (
    _Block(1, 16, False, 2, True, False),
    _Block(72 / 16, 24, False, 2, False, False),
    _Block(88 / 24, 24, False, 1, False, False),
    _Block(4, 40, True, 2, True, True),
    _Block(6, 40, True, 1, True, True),
    _Block(6, 40, True, 1, True, True),
    _Block(3, 48, True, 1, True, True),
    _Block(3, 48, True, 1, True, True),
    _Block(6, 96, True, 2, True, True),
    _Block(6, 96, True, 1, True, True),
    _Block(6, 96, True, 1, True, True),
)
_LARGE = (
    _Block(1, 16, False, 1, False, False),
    _Block(4, 24, False, 2, False, False),
    _Block(3, 24, False, 1, False, False),
    _Block(3, 40, True, 2, True, False),
    _Block(3, 40, True, 1, True, False),
    _Block(3, 40, True, 1, True, False),
    _Block(6, 80, False, 2, False, True),
    _Block(2.5, 80, False, 1, False, True),
    _Block(2.3, 80, False, 1, False, True),
    _Block(2.3, 80, False, 1, False, True),
    _Block(6, 112, False, 1, True, True),
    _Block(6, 112, False, 1, True, True),
    _Block(6, 160, True, 2, True, True),
    _Block(6, 160, True, 1, True, True),
    _Block(6, 160, True, 1, True, True),
)


def _relu(x: Any) -> Any:
    return ReLU()(x)


def _hard_swish(x: Any) -> Any:
    return Activation("hard_swish")(x)


def _conv(x: Any, filters: int, name: str, activation: Callable[[Any], Any] | None, **options: Any) -> Any:
    """A convolution with normalisation; its normalisation's name ends in `_bn`."""
    x = Conv2D(filters, padding="same", use_bias=False, name=name, **options)(x)
    return _norm(x, f"{name}_bn", activation)


def _norm(x: Any, name: str, activation: Callable[[Any], Any] | None) -> Any:
    axis = 1 if channel_axis() == 1 else -1
    x = BatchNormalization(axis=axis, epsilon=1e-3, momentum=0.999, name=name)(x)
    return x if activation is None else activation(x)


def _squeeze_and_excite(inputs: Any, filters: int, prefix: str) -> Any:
    prefix = f"{prefix}squeeze_excite_"
    x = GlobalAveragePooling2D(keepdims=True, name=f"{prefix}avg_pool")(inputs)
    x = Conv2D(divisible(filters * 0.25), 1, padding="same", name=f"{prefix}conv")(x)
    x = ReLU(name=f"{prefix}relu")(x)
    x = Conv2D(filters, 1, padding="same", name=f"{prefix}conv_1")(x)
    x = ReLU(6.0)(x + 3.0) * (1 / 6)
    return Multiply(name=f"{prefix}mul")([inputs, x])


def _block(inputs: Any, block: _Block, alpha: float, number: int, *, minimalistic: bool) -> Any:
    filters, width = divisible(block.filters * alpha), inputs.shape[channel_axis()]
    activation = _hard_swish if block.swish and not minimalistic else _relu
    kernel = 5 if block.wide_kernel and not minimalistic else 3
    prefix = f"expanded_conv_{number}_" if number else "expanded_conv_"
    wide, x = divisible(width * block.expansion), inputs
    if number:
        x = _conv(x, wide, f"{prefix}expand", activation, kernel_size=1)
    if block.stride == 2:
        x = ZeroPadding2D(same_padding(x, kernel), name=f"{prefix}depthwise_pad")(x)
    x = DepthwiseConv2D(
        kernel,
        strides=block.stride,
        padding="valid" if block.stride == 2 else "same",
        use_bias=False,
        name=f"{prefix}depthwise",
    )(x)
    x = _norm(x, f"{prefix}depthwise_bn", activation)
    if block.weighs and not minimalistic:
        x = _squeeze_and_excite(x, wide, prefix)
    x = _conv(x, filters, f"{prefix}project", None, kernel_size=1)
    return Add(name=f"{prefix}add")([inputs, x]) if block.stride == 1 and width == filters else x


def _shape(request: Request) -> Shape:
    """Return the shape of one image: given, the input tensor's, or of unknown size."""
    check_same_size(request.where, request.input_tensor, request.input_shape)
    shape = checked_shape(request.where, request.input_shape)
    if shape is None and isinstance(request.input_tensor, SymbolicTensor):
        shape = tuple(request.input_tensor.shape[1:])
    if shape is None:
        shape = (3, None, None) if channel_axis() == 1 else (None, None, 3)
    check_size(request.where, shape, 32)
    return shape


def _published(request: Request, alpha: float, minimalistic: bool, shape: Shape) -> WeightFiles:
    kind = request.where.removeprefix("MobileNetV3").lower()
    form = f"{kind}{'_minimalistic' if minimalistic else ''}_224_{float(alpha)}_float"
    if form not in _MD5:
        raise ArgumentError(
            message(
                request.where,
                expected='alpha 0.75 or 1 (minimalistic: 1) with weights="imagenet"',
                got=f"alpha={alpha}, minimalistic={minimalistic}",
            )
        )
    if image_size(shape) != (224, 224):
        warnings.warn(
            f"{request.where}: the images are not 224×224, for which the weights were trained.", stacklevel=4
        )
    start, (with_top, without_top) = f"{KERAS}mobilenet_v3/weights_mobilenet_v3_{form}", _MD5[form]
    return WeightFiles(WeightFile(f"{start}.h5", with_top), WeightFile(f"{start}_no_top_v2.h5", without_top))


def _head(request: Request, x: Any, width: int, activation: Callable[[Any], Any], dropout: float) -> Any:
    x = GlobalAveragePooling2D(keepdims=True)(x)
    x = activation(Conv2D(width, 1, padding="same", name="conv_2")(x))
    if dropout > 0:
        x = Dropout(dropout)(x)
    x = Flatten()(Conv2D(request.classes, 1, padding="same", name="logits")(x))
    return Activation(request.classifier_activation, name="predictions")(x)


def _mobilenet(
    request: Request,
    blocks: tuple[_Block, ...],
    width: int,
    alpha: float,
    minimalistic: bool,
    dropout_rate: float,
    include_preprocessing: bool,
) -> Any:
    check_number(request.where, "alpha", alpha, minimum=1e-3)
    check_number(request.where, "dropout_rate", dropout_rate, minimum=0, maximum=1)
    shape = _shape(request)
    files = _published(request, alpha, minimalistic, shape) if request.pretrained else NO_FILES
    image = x = request.image(shape)
    activation = _relu if minimalistic else _hard_swish
    if include_preprocessing:
        x = Rescaling(1 / 127.5, offset=-1.0)(x)
    x = _conv(x, 16, "conv", activation, kernel_size=3, strides=2)
    for number, block in enumerate(blocks):
        x = _block(x, block, alpha, number, minimalistic=minimalistic)
    x = _conv(x, divisible(x.shape[channel_axis()] * 6), "conv_1", activation, kernel_size=1)
    if request.include_top:
        width = divisible(width * alpha) if alpha > 1 else width
        x = _head(request, x, width, activation, dropout_rate)
    else:
        x = request.pooled(x)
    return request.model(image, x, files)


def MobileNetV3Small(
    input_shape: Any = None,
    alpha: float = 1.0,
    minimalistic: bool = False,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    classes: int = 1000,
    pooling: str | None = None,
    dropout_rate: float = 0.2,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
    name: str = "MobileNetV3Small",
) -> Any:
    """MobileNet v3, small. Takes images with values from 0 to 255: the scaling is inside.

    Args:
        input_shape: shape of one image; of any size with 3 channels by default, at least 32×32.
        alpha: width: numbers of filters are multiplied by it.
        minimalistic: True leaves out 5×5 kernels, hard swish, and squeeze and excitation.
        include_top: end with the classifier; False ends with the features.
        weights: `"imagenet"` fetches those that Keras publishes, checked by their hash (alpha 0.75 or 1);
            None draws them at random; the path of a weight file; or an address with its SHA-256.
        input_tensor: symbolic tensor to start from; None makes an Input.
        classes: outputs of the classifier.
        pooling: what ends a model without classifier: None, `"avg"` or `"max"`.
        dropout_rate: share of the features to drop before the classifier.
        classifier_activation: of the classifier; None gives logits.
        include_preprocessing: False leaves the scaling to [-1, 1] out.
        name: name of the model.

    Returns:
        A functional model with Keras's layer names and order of weights.

    Reference:
        Howard et al., Searching for MobileNetV3, 2019.
    """
    request = Request(
        where="MobileNetV3Small",
        include_top=include_top,
        weights=weights,
        input_tensor=input_tensor,
        input_shape=input_shape,
        pooling=pooling,
        classes=classes,
        classifier_activation=classifier_activation,
        name=name,
    )
    form = (alpha, minimalistic, dropout_rate, include_preprocessing)
    return _mobilenet(request, _SMALL, 1024, *form)


def MobileNetV3Large(
    input_shape: Any = None,
    alpha: float = 1.0,
    minimalistic: bool = False,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    classes: int = 1000,
    pooling: str | None = None,
    dropout_rate: float = 0.2,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
    name: str = "MobileNetV3Large",
) -> Any:
    """MobileNet v3, large. Takes images with values from 0 to 255: the scaling is inside.

    Args:
        input_shape: shape of one image; of any size with 3 channels by default, at least 32×32.
        alpha: width: numbers of filters are multiplied by it.
        minimalistic: True leaves out 5×5 kernels, hard swish, and squeeze and excitation.
        include_top: end with the classifier; False ends with the features.
        weights: `"imagenet"` fetches those that Keras publishes, checked by their hash (alpha 0.75 or 1);
            None draws them at random; the path of a weight file; or an address with its SHA-256.
        input_tensor: symbolic tensor to start from; None makes an Input.
        classes: outputs of the classifier.
        pooling: what ends a model without classifier: None, `"avg"` or `"max"`.
        dropout_rate: share of the features to drop before the classifier.
        classifier_activation: of the classifier; None gives logits.
        include_preprocessing: False leaves the scaling to [-1, 1] out.
        name: name of the model.

    Returns:
        A functional model with Keras's layer names and order of weights.

    Reference:
        Howard et al., Searching for MobileNetV3, 2019.
    """
    request = Request(
        where="MobileNetV3Large",
        include_top=include_top,
        weights=weights,
        input_tensor=input_tensor,
        input_shape=input_shape,
        pooling=pooling,
        classes=classes,
        classifier_activation=classifier_activation,
        name=name,
    )
    form = (alpha, minimalistic, dropout_rate, include_preprocessing)
    return _mobilenet(request, _LARGE, 1280, *form)
