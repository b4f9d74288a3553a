"""VGG in torchvision's form: 11 to 19 layers, with and without batch normalisation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neocog.core import check_int, check_number
from neocog.initializers import RandomNormal
from neocog.layers import AdaptiveAveragePooling2D
from neocog.zoo._architecture import asked, describe, images
from neocog.zoo._parts import conv, dense, dropped, finish, flat, max_pool, norm

_FILTERS = (64, 128, 256, 512, 512)
# layers -> convolutions before each pooling; values without and with batch normalisation
_DEPTHS = {
    11: ((1, 1, 2, 2, 2), 132_863_336, 132_868_840),
    13: ((2, 2, 2, 2, 2), 133_047_848, 133_053_736),
    16: ((2, 2, 3, 3, 3), 138_357_544, 138_365_992),
    19: ((2, 2, 4, 4, 4), 143_667_240, 143_678_248),
}


def _features(x: Any, layers: int, normalized: bool) -> Any:
    """The convolutions, with torchvision's numbers, which count rectifiers and normalisations as well."""
    number = 0
    for filters, depth in zip(_FILTERS, _DEPTHS[layers][0], strict=True):
        for _ in range(depth):
            name = f"features_{number}"
            activation = None if normalized else "relu"
            x = conv(x, filters, 3, name, padding=1, bias=True, activation=activation)
            if normalized:
                x = norm(x, f"features_{number + 1}", relu=f"features_{number + 2}")
            number += 3 if normalized else 2
        x = max_pool(x, 2, 2, f"features_{number}")
        number += 1
    return x


def _head(x: Any, classes: int, activation: Any, hidden: int, dropout: float) -> Any:
    x = flat(AdaptiveAveragePooling2D(7, name="avgpool")(x))
    x = dense(x, hidden, "classifier_0", "relu", RandomNormal(stddev=0.01))
    x = dropped(x, dropout, "classifier_2")
    x = dense(x, hidden, "classifier_3", "relu", RandomNormal(stddev=0.01))
    x = dropped(x, dropout, "classifier_5")
    return dense(x, classes, "classifier_6", activation, RandomNormal(stddev=0.01))


def _function(function: str, layers: int, normalized: bool) -> Callable[..., Any]:
    def vgg(
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
        image = request.image(images(request, 224, 32))
        x = _features(image, layers, normalized)
        if include_top:
            x = _head(x, classes, classifier_activation, hidden, dropout)
        else:
            x = request.pooled(x)
        return finish(request, image, x)

    return vgg


def _vgg(layers: int, normalized: bool) -> Callable[..., Any]:
    function = f"vgg{layers}" + ("_bn" if normalized else "")
    vgg = _function(function, layers, normalized)
    describe(
        vgg,
        function,
        f"VGG of {layers} layers in torchvision's form"
        + (", with batch normalisation after each convolution." if normalized else "."),
        least=32,
        options="hidden: units of the first and the second dense layer.\ndropout: rate after each of them.",
        form="torchvision",
        image=(224, 224, 3),
        pixels="torch",
        parameters=_DEPTHS[layers][2] if normalized else _DEPTHS[layers][1],
        reference="Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image "
        "Recognition, 2015.",
    )
    return vgg


vgg11, vgg13, vgg16, vgg19 = (_vgg(layers, False) for layers in _DEPTHS)
vgg11_bn, vgg13_bn, vgg16_bn, vgg19_bn = (_vgg(layers, True) for layers in _DEPTHS)
