"""GoogLeNet as published: nine inception modules, and two classifiers on the way that help in training."""

from __future__ import annotations

from typing import Any

from neocog.applications._request import Request, channel_axis
from neocog.layers import (
    AdaptiveAveragePooling2D,
    AveragePooling2D,
    Concatenate,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    LocalResponseNormalization,
)
from neocog.zoo._architecture import asked, describe, images
from neocog.zoo._parts import check_heads, conv, dropped, finish, max_pool

AUX_LOSS_WEIGHT = 0.3

# 1×1 | before 3×3, 3×3 | before 5×5, 5×5 | after the pooling
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def _conv(x: Any, filters: int, kernel: int, name: str, stride: int = 1) -> Any:
    rest: dict[str, Any] = {"bias": True, "activation": "relu", "initializer": "glorot_uniform"}
    return conv(x, filters, kernel, name, stride=stride, padding=kernel // 2, **rest)


def _inception(x: Any, name: str) -> Any:
    """1×1, 3×3, 5×5 and pooling side by side, each narrowed by 1×1."""
    ones, reduce3, threes, reduce5, fives, pooled = MODULES[name]
    start = f"inception_{name}"
    branches = [
        _conv(x, ones, 1, f"{start}_1x1"),
        _conv(_conv(x, reduce3, 1, f"{start}_3x3_reduce"), threes, 3, f"{start}_3x3"),
        _conv(_conv(x, reduce5, 1, f"{start}_5x5_reduce"), fives, 5, f"{start}_5x5"),
        _conv(max_pool(x, 3, 1, f"{start}_pool", padding=1), pooled, 1, f"{start}_pool_proj"),
    ]
    return Concatenate(axis=channel_axis(), name=f"{start}_output")(branches)


def _norm(x: Any, name: str) -> Any:
    return LocalResponseNormalization(2, bias=1.0, alpha=2e-5, beta=0.75, name=name)(x)


def _features(x: Any) -> tuple[Any, Any, Any]:
    """Return the last features, and those that the two classifiers on the way see."""
    x = _conv(x, 64, 7, "conv1_7x7_s2", stride=2)
    x = _norm(max_pool(x, 3, 2, "pool1_3x3_s2", ceil_mode=True), "pool1_norm1")
    x = _conv(_conv(x, 64, 1, "conv2_3x3_reduce"), 192, 3, "conv2_3x3")
    x = max_pool(_norm(x, "conv2_norm2"), 3, 2, "pool2_3x3_s2", ceil_mode=True)
    x = _inception(_inception(x, "3a"), "3b")
    first = _inception(max_pool(x, 3, 2, "pool3_3x3_s2", ceil_mode=True), "4a")
    second = _inception(_inception(_inception(first, "4b"), "4c"), "4d")
    x = max_pool(_inception(second, "4e"), 3, 2, "pool4_3x3_s2", ceil_mode=True)
    return _inception(_inception(x, "5a"), "5b"), first, second


def _aux_head(x: Any, number: int, request: Request) -> Any:
    """Average pooling to 4×4, 1×1 convolution, two dense layers."""
    start = f"loss{number}"
    if tuple(x.shape[1:3]) == (14, 14) and channel_axis() != 1:
        x = AveragePooling2D(5, strides=3, name=f"{start}_ave_pool")(x)
    else:
        x = AdaptiveAveragePooling2D(4, name=f"{start}_ave_pool")(x)
    x = Flatten(name=f"{start}_flatten")(_conv(x, 128, 1, f"{start}_conv"))
    x = Dense(1024, activation="relu", name=f"{start}_fc")(x)
    x = dropped(x, 0.7, f"{start}_drop_fc")
    return Dense(request.classes, activation=request.classifier_activation, name=f"{start}_classifier")(x)


def googlenet(
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "googlenet",
    *,
    aux: bool = False,
    dropout: float = 0.4,
) -> Any:
    """Documented below, from the arguments that all architectures share."""
    request = asked(
        "googlenet",
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
    )
    check_heads(request, aux, dropout)
    image = request.image(images(request, 224, 32))
    x, first, second = _features(image)
    if not include_top:
        return finish(request, image, request.pooled(x))
    x = dropped(GlobalAveragePooling2D(name="pool5_7x7_s1")(x), dropout, "pool5_drop_7x7_s1")
    outputs = Dense(classes, activation=classifier_activation, name="loss3_classifier")(x)
    if aux:
        outputs = [outputs, _aux_head(first, 1, request), _aux_head(second, 2, request)]
    return finish(request, image, outputs)


def without_aux(model: Any) -> Any:
    """Return a GoogLeNet without the classifiers that serve in training alone; the weights are shared.

    Args:
        model: made by `googlenet(aux=True)`.

    Example:
        >>> small = googlenet(aux=True, input_shape=(64, 64, 3), classes=2)
        >>> len(small.outputs), len(without_aux(small).outputs)
        (3, 1)
    """
    return type(model)(model.inputs, model.outputs[0], name=model.name)


describe(
    googlenet,
    "googlenet",
    "GoogLeNet as published: local response normalisation, nine inception modules, no batch normalisation.",
    least=32,
    options='aux: outputs [classifier, "loss1_classifier", "loss2_classifier"], for training: compile with\n'
    "    `loss_weights=[1, 0.3, 0.3]`; `without_aux` drops the last two.\n"
    "dropout: rate before the classifier; 0.7 in the others.",
    form="published",
    image=(224, 224, 3),
    pixels="caffe",
    parameters=6_998_552,
    reference="Szegedy et al., Going Deeper with Convolutions, 2015.",
)
