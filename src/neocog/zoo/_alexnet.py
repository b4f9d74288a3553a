"""AlexNet: as the course notes' table has it, as published in two towers, and in torchvision's form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neocog.core import check_int, check_number
from neocog.initializers import RandomNormal
from neocog.layers import (
    AdaptiveAveragePooling2D,
    Conv2D,
    Dense,
    Flatten,
    LocalResponseNormalization,
    MaxPooling2D,
)
from neocog.zoo._architecture import asked, describe, images
from neocog.zoo._parts import conv, dense, dropped, finish, flat, max_pool, torch_default


def _first(x: Any, filters: int, kernel: int, number: int, **options: Any) -> Any:
    """One of the first two convolutions, normalised among its channels, and pooled."""
    start = RandomNormal(stddev=0.01)
    bias = "ones" if number == 3 else "zeros"
    x = Conv2D(
        filters,
        kernel,
        activation="relu",
        kernel_initializer=start,
        bias_initializer=bias,
        name=f"C{number}",
        **options,
    )(x)
    x = LocalResponseNormalization(2, bias=1.0, alpha=2e-5, beta=0.75, name=f"N{number}")(x)
    return MaxPooling2D(3, strides=2, name=f"S{number + 1}")(x)


def _published_features(x: Any, towers: int) -> Any:
    """The convolutions of the table: only the third sees both towers where there are two."""
    x = _first(x, 96, 11, 1, strides=4)
    x = _first(x, 256, 5, 3, padding="same", groups=towers)
    for number, filters, groups in ((5, 384, 1), (6, 384, towers), (7, 256, towers)):
        x = Conv2D(
            filters,
            3,
            padding="same",
            groups=groups,
            activation="relu",
            kernel_initializer=RandomNormal(stddev=0.01),
            bias_initializer="zeros" if number == 5 else "ones",
            name=f"C{number}",
        )(x)
    return MaxPooling2D(3, strides=2, name="S8")(x)


def _published_head(x: Any, classes: int, activation: Any, hidden: int, dropout: float) -> Any:
    x = Flatten(name="flatten")(x)
    for number in (9, 10):
        start = RandomNormal(stddev=0.005)
        x = Dense(
            hidden, activation="relu", kernel_initializer=start, bias_initializer="ones", name=f"F{number}"
        )(x)
        x = dropped(x, dropout, f"D{number}")
    return Dense(classes, activation=activation, kernel_initializer=RandomNormal(stddev=0.01), name="Out")(x)


def _function(function: str, towers: int) -> Callable[..., Any]:
    def alexnet(
        include_top: bool = True,
        weights: Any = None,
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str = function,
        *,
        hidden: int = 4096,
        dropout: float = 0.5,
    ) -> Any:
        request = asked(
            function,
            include_top,
            weights,
            input_tensor,
            input_shape,
            pooling,
            classes,
            classifier_activation,
            name,
        )
        check_int(function, "hidden", hidden, minimum=1)
        check_number(function, "dropout", dropout, minimum=0)
        image = request.image(request.shape(227, 67))
        x = _published_features(image, towers)
        if include_top:
            x = _published_head(x, classes, classifier_activation, hidden, dropout)
        else:
            x = request.pooled(x)
        return finish(request, image, x)

    return alexnet


def _published(function: str, towers: int, parameters: int) -> Callable[..., Any]:
    alexnet = _function(function, towers)
    layers = "in one tower" if towers == 1 else "in two towers that meet in the third convolution"
    describe(
        alexnet,
        function,
        f"AlexNet as published, {layers}, with local response normalisation.",
        least=67,
        options="hidden: units of both dense layers before the last.\ndropout: rate after each of them.",
        form="published",
        image=(227, 227, 3),
        pixels="caffe",
        parameters=parameters,
        reference="Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Neural "
        "Networks, 2012.",
    )
    return alexnet


def alexnet(
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "alexnet",
    *,
    hidden: int = 4096,
    dropout: float = 0.5,
) -> Any:
    """Documented below, from the arguments that all architectures share."""
    request = asked(
        "alexnet",
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
    )
    check_int("alexnet", "hidden", hidden, minimum=1)
    check_number("alexnet", "dropout", dropout, minimum=0)
    image = request.image(images(request, 224, 63))
    x = _features(image)
    if include_top:
        x = dropped(flat(AdaptiveAveragePooling2D(6, name="avgpool")(x)), dropout, "classifier_0")
        x = dropped(dense(x, hidden, "classifier_1", "relu"), dropout, "classifier_3")
        x = dense(x, hidden, "classifier_4", "relu")
        x = dense(x, classes, "classifier_6", classifier_activation)
    else:
        x = request.pooled(x)
    return finish(request, image, x)


def _features(x: Any) -> Any:
    """Convolutions of torchvision's form, which has no normalisation and fewer channels."""
    rest: dict[str, Any] = {"bias": True, "activation": "relu", "initializer": torch_default()}
    x = max_pool(conv(x, 64, 11, "features_0", stride=4, padding=2, **rest), 3, 2, "features_2")
    x = max_pool(conv(x, 192, 5, "features_3", padding=2, **rest), 3, 2, "features_5")
    x = conv(x, 384, 3, "features_6", padding=1, **rest)
    x = conv(x, 256, 3, "features_8", padding=1, **rest)
    return max_pool(conv(x, 256, 3, "features_10", padding=1, **rest), 3, 2, "features_12")


describe(
    alexnet,
    "alexnet",
    "AlexNet in torchvision's form: the later variant without normalisation.",
    least=63,
    options="hidden: units of both dense layers before the last.\ndropout: rate before each of them.",
    form="torchvision",
    image=(224, 224, 3),
    pixels="torch",
    parameters=61_100_840,
    reference="Krizhevsky, One weird trick for parallelizing convolutional neural networks, 2014.",
)
alexnet_one_tower = _published("alexnet_one_tower", 1, 62_378_344)
alexnet_two_towers = _published("alexnet_two_towers", 2, 60_965_224)
