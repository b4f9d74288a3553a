"""GoogLeNet in torchvision's form: batch normalisation, and 3×3 where the paper has 5×5."""

from __future__ import annotations

from typing import Any

from neocog.applications._request import Request, channel_axis
from neocog.initializers import TruncatedNormal
from neocog.layers import AdaptiveAveragePooling2D, Concatenate, GlobalAveragePooling2D
from neocog.zoo._architecture import asked, describe, images
from neocog.zoo._googlenet import MODULES
from neocog.zoo._parts import check_heads, conv, dense, dropped, finish, flat, max_pool, norm


def _conv(x: Any, filters: int, kernel: int, name: str, stride: int = 1) -> Any:
    """Return a convolution without bias, normalised and rectified."""
    start = TruncatedNormal(stddev=0.01)
    x = conv(x, filters, kernel, f"{name}_conv", stride=stride, padding=kernel // 2, initializer=start)
    return norm(x, f"{name}_bn", relu=f"{name}_relu", epsilon=1e-3)


def _inception(x: Any, place: str) -> Any:
    ones, reduce3, threes, reduce5, fives, pooled = MODULES[place]
    name = f"inception{place}"
    branches = [
        _conv(x, ones, 1, f"{name}_branch1"),
        _conv(_conv(x, reduce3, 1, f"{name}_branch2_0"), threes, 3, f"{name}_branch2_1"),
        _conv(_conv(x, reduce5, 1, f"{name}_branch3_0"), fives, 3, f"{name}_branch3_1"),
        _conv(max_pool(x, 3, 1, f"{name}_branch4_0", padding=1), pooled, 1, f"{name}_branch4_1"),
    ]
    return Concatenate(axis=channel_axis(), name=f"{name}_output")(branches)


def _features(x: Any) -> tuple[Any, Any, Any]:
    """Return the last features, and those that the two classifiers on the way see."""
    x = max_pool(_conv(x, 64, 7, "conv1", 2), 3, 2, "maxpool1", ceil_mode=True)
    x = max_pool(_conv(_conv(x, 64, 1, "conv2"), 192, 3, "conv3"), 3, 2, "maxpool2", ceil_mode=True)
    x = max_pool(_inception(_inception(x, "3a"), "3b"), 3, 2, "maxpool3", ceil_mode=True)
    first = _inception(x, "4a")
    second = _inception(_inception(_inception(first, "4b"), "4c"), "4d")
    x = max_pool(_inception(second, "4e"), 2, 2, "maxpool4", ceil_mode=True)
    return _inception(_inception(x, "5a"), "5b"), first, second


def _aux_head(x: Any, name: str, request: Request) -> Any:
    x = AdaptiveAveragePooling2D(4, name=f"{name}_avgpool")(x)
    x = flat(_conv(x, 128, 1, f"{name}_conv"), f"{name}_")
    x = dropped(dense(x, 1024, f"{name}_fc1", "relu"), 0.7, f"{name}_dropout")
    return dense(x, request.classes, f"{name}_fc2", request.classifier_activation)


def googlenet_bn(
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "googlenet_bn",
    *,
    aux: bool = False,
    dropout: float = 0.2,
) -> Any:
    """Documented below, from the arguments that all architectures share."""
    request = asked(
        "googlenet_bn",
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
    image = request.image(images(request, 224, 15))
    x, first, second = _features(image)
    if not include_top:
        return finish(request, image, request.pooled(x))
    x = dropped(GlobalAveragePooling2D(name="avgpool")(x), dropout, "dropout")
    outputs = dense(x, classes, "fc", classifier_activation)
    if aux:
        outputs = [outputs, _aux_head(first, "aux1", request), _aux_head(second, "aux2", request)]
    return finish(request, image, outputs)


describe(
    googlenet_bn,
    "googlenet_bn",
    "GoogLeNet in torchvision's form (its `googlenet`), with batch normalisation.",
    least=15,
    options="aux: outputs [classifier, first and second on the way], for training, as in `googlenet`.\n"
    "dropout: rate before the classifier; 0.7 in the others.",
    form="torchvision",
    image=(224, 224, 3),
    pixels="tf",
    parameters=6_624_904,
    reference="Szegedy et al., Going Deeper with Convolutions, 2015.",
)
