"""NASNet-A, mobile and large: cells that a search found."""

from __future__ import annotations

from typing import Any

from neocog.applications._request import Request, checked_shape, same_padding
from neocog.applications._weights import KERAS, WeightFile, WeightFiles
from neocog.core import image_data_format
from neocog.exceptions import ArgumentError, message
from neocog.layers import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Cropping2D,
    GlobalAveragePooling2D,
    MaxPooling2D,
    SeparableConv2D,
    ZeroPadding2D,
)


def _norm(x: Any, name: str) -> Any:
    return BatchNormalization(axis=-1, momentum=0.9997, epsilon=1e-3, name=name)(x)


def _pointwise(x: Any, filters: int, name: str) -> Any:
    conv = Conv2D(filters, 1, padding="same", name=name, use_bias=False, kernel_initializer="he_normal")
    return conv(x)


def _separable(x: Any, filters: int, kernel: int, name: str, *, stride: int = 1) -> Any:
    """Twice: rectifier, separable convolution, normalisation."""
    x = Activation("relu")(x)
    if stride == 2:
        x = ZeroPadding2D(same_padding(x, kernel), name=f"separable_conv_1_pad_{name}")(x)
    x = SeparableConv2D(
        filters,
        kernel,
        strides=stride,
        name=f"separable_conv_1_{name}",
        padding="valid" if stride == 2 else "same",
        use_bias=False,
    )(x)
    x = Activation("relu")(_norm(x, f"separable_conv_1_bn_{name}"))
    second = SeparableConv2D(filters, kernel, name=f"separable_conv_2_{name}", padding="same", use_bias=False)
    return _norm(second(x), f"separable_conv_2_bn_{name}")


def _adjusted(before: Any, x: Any, filters: int, name: str) -> Any:
    """Return what came before the last cell, in the size and width of this one."""
    if before is None:
        return x
    if before.shape[-2] != x.shape[-2]:
        before = Activation("relu", name=f"adjust_relu_1_{name}")(before)
        one = AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_1_{name}")(before)
        one = _pointwise(one, filters // 2, f"adjust_conv_1_{name}")
        two = Cropping2D(((1, 0), (1, 0)))(ZeroPadding2D(((0, 1), (0, 1)))(before))
        two = AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_2_{name}")(two)
        two = _pointwise(two, filters // 2, f"adjust_conv_2_{name}")
        return _norm(Concatenate(axis=-1)([one, two]), f"adjust_bn_{name}")
    if before.shape[-1] != filters:
        before = _pointwise(Activation("relu")(before), filters, f"adjust_conv_projection_{name}")
        return _norm(before, f"adjust_bn_{name}")
    return before


def _start(x: Any, before: Any, filters: int, kind: str, name: str) -> tuple[Any, Any]:
    """Return both inputs of a cell in its width."""
    p = _adjusted(before, x, filters, name)
    h = _pointwise(Activation("relu")(x), filters, f"{kind}_conv_1_{name}")
    return _norm(h, f"{kind}_bn_1_{name}"), p


def _normal(x: Any, before: Any, filters: int, name: str) -> tuple[Any, Any]:
    h, p = _start(x, before, filters, "normal", name)

    def pool(source: Any, side: str) -> Any:
        return AveragePooling2D(3, strides=1, padding="same", name=f"normal_{side}_{name}")(source)

    def joined(number: int, first: Any, second: Any) -> Any:
        return Add(name=f"normal_add_{number}_{name}")([first, second])

    one = _separable(h, filters, 5, f"normal_left1_{name}")
    one = joined(1, one, _separable(p, filters, 3, f"normal_right1_{name}"))
    two = _separable(p, filters, 5, f"normal_left2_{name}")
    two = joined(2, two, _separable(p, filters, 3, f"normal_right2_{name}"))
    three = joined(3, pool(h, "left3"), p)
    four = joined(4, pool(p, "left4"), pool(p, "right4"))
    five = joined(5, _separable(h, filters, 3, f"normal_left5_{name}"), h)
    return Concatenate(axis=-1, name=f"normal_concat_{name}")([p, one, two, three, four, five]), x


def _reduction(x: Any, before: Any, filters: int, name: str) -> tuple[Any, Any]:
    h, p = _start(x, before, filters, "reduction", name)
    padded = ZeroPadding2D(same_padding(h, 3), name=f"reduction_pad_1_{name}")(h)

    def separable(source: Any, kernel: int, side: str) -> Any:
        return _separable(source, filters, kernel, f"reduction_{side}_{name}", stride=2)

    one = separable(h, 5, "left1")
    one = Add(name=f"reduction_add_1_{name}")([one, separable(p, 7, "right1")])
    two = MaxPooling2D(3, strides=2, name=f"reduction_left2_{name}")(padded)
    two = Add(name=f"reduction_add_2_{name}")([two, separable(p, 7, "right2")])
    three = AveragePooling2D(3, strides=2, name=f"reduction_left3_{name}")(padded)
    three = Add(name=f"reduction_add3_{name}")([three, separable(p, 5, "right3")])
    four = AveragePooling2D(3, strides=1, padding="same", name=f"reduction_left4_{name}")(one)
    four = Add()([two, four])
    five = _separable(one, filters, 3, f"reduction_left4_{name}")
    pooled = MaxPooling2D(3, strides=2, name=f"reduction_right5_{name}")(padded)
    five = Add(name=f"reduction_add4_{name}")([five, pooled])
    return Concatenate(axis=-1, name=f"reduction_concat_{name}")([two, three, four, five]), x


def _features(image: Any, filters: int, blocks: int, stem: int, *, skips: bool) -> Any:
    x = Conv2D(stem, 3, strides=2, use_bias=False, name="stem_conv1", kernel_initializer="he_normal")(image)
    x, before = _norm(x, "stem_bn1"), None
    x, before = _reduction(x, before, filters // 4, "stem_1")
    x, before = _reduction(x, before, filters // 2, "stem_2")
    for stage in range(3):
        width = filters * 2**stage
        if stage:
            x, last = _reduction(x, before, width, f"reduce_{stage * blocks}")
            before = before if skips else last
        for block in range(blocks):
            number = stage * blocks + block + (1 if stage else 0)
            x, before = _normal(x, before, width, str(number))
    return Activation("relu")(x)


def _nasnet(request: Request, size: int, filters: int, blocks: int, stem: int, files: WeightFiles) -> Any:
    given = checked_shape(request.where, request.input_shape)
    if request.pretrained and given is not None and None in given:
        raise ArgumentError(
            message(request.where, expected='a known input_shape with weights="imagenet"', got=given)
        )
    if image_data_format() != "channels_last":
        raise ArgumentError(
            message(request.where, expected='image_data_format() "channels_last"', got=image_data_format())
        )
    image = request.image(request.shape(size, 32))
    x = _features(image, filters, blocks, stem, skips=request.where == "NASNetLarge")
    x = (
        request.classified(GlobalAveragePooling2D()(x))
        if request.include_top
        else request.pooled(x, named=False)
    )
    return request.model(image, x, files)


def _files(kind: str, md5_with: str, md5_without: str) -> WeightFiles:
    start = f"{KERAS}nasnet/NASNet-{kind}"
    return WeightFiles(WeightFile(f"{start}.h5", md5_with), WeightFile(f"{start}-no-top.h5", md5_without))


_MOBILE = _files("mobile", "020fb642bf7360b370c678b08e0adf61", "1ed92395b5b598bdda52abe5c0dbfd63")
_LARGE = _files("large", "11577c9a518f0070763c2b964a382f17", "d81d89dc07e6e56530c4e77faddd61b5")


def NASNetMobile(
    input_shape: Any = None,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "nasnet_mobile",
) -> Any:
    """NASNet-A, mobile. Takes images prepared by `nasnet.preprocess_input`.

    Args:
        input_shape: shape of one image; 224×224 with 3 channels by default, at least 32×32.
        include_top: end with the classifier; False ends with the features.
        weights: `"imagenet"` fetches those that Keras publishes, checked by their hash; None draws them at
            random; the path of a weight file; or an address with its SHA-256.
        input_tensor: symbolic tensor to start from; None makes an Input.
        pooling: what ends a model without classifier: None, `"avg"` or `"max"`.
        classes: outputs of the classifier.
        classifier_activation: of the classifier; None gives logits.
        name: name of the model.

    Returns:
        A functional model with Keras's layer names and order of weights.

    Reference:
        Zoph et al., Learning Transferable Architectures for Scalable Image Recognition, 2018.
    """
    request = Request(
        where="NASNetMobile",
        include_top=include_top,
        weights=weights,
        input_tensor=input_tensor,
        input_shape=input_shape,
        pooling=pooling,
        classes=classes,
        classifier_activation=classifier_activation,
        name=name,
    )
    return _nasnet(request, 224, 44, 4, 32, _MOBILE)


def NASNetLarge(
    input_shape: Any = None,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "nasnet_large",
) -> Any:
    """NASNet-A, large. Takes images prepared by `nasnet.preprocess_input`.

    Args:
        input_shape: shape of one image; 331×331 with 3 channels by default, at least 32×32.
        include_top: end with the classifier; False ends with the features.
        weights: `"imagenet"` fetches those that Keras publishes, checked by their hash; None draws them at
            random; the path of a weight file; or an address with its SHA-256.
        input_tensor: symbolic tensor to start from; None makes an Input.
        pooling: what ends a model without classifier: None, `"avg"` or `"max"`.
        classes: outputs of the classifier.
        classifier_activation: of the classifier; None gives logits.
        name: name of the model.

    Returns:
        A functional model with Keras's layer names and order of weights.

    Reference:
        Zoph et al., Learning Transferable Architectures for Scalable Image Recognition, 2018.
    """
    request = Request(
        where="NASNetLarge",
        include_top=include_top,
        weights=weights,
        input_tensor=input_tensor,
        input_shape=input_shape,
        pooling=pooling,
        classes=classes,
        classifier_activation=classifier_activation,
        name=name,
    )
    return _nasnet(request, 331, 168, 6, 96, _LARGE)
