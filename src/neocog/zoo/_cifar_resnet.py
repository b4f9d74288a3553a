"""The residual networks of 20 to 110 layers for CIFAR's 32×32 images, whose shortcuts have no weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neocog import ops
from neocog.applications._request import channel_axis
from neocog.core import check_int
from neocog.initializers import HeNormal
from neocog.layers import GlobalAveragePooling2D, MaxPooling2D
from neocog.zoo._architecture import asked, describe, images
from neocog.zoo._parts import added, conv, dense, finish, norm

# trainable values for ten classes
_PARAMETERS = {20: 269_722, 32: 464_154, 44: 658_586, 56: 853_018, 110: 1_727_962}


def _shortcut(x: Any, filters: int, stride: int, name: str) -> Any:
    """Option A: every second pixel, and channels of zeros before and after those that are there."""
    if stride > 1:
        x = MaxPooling2D(1, strides=stride, name=f"{name}_shortcut")(x)
    axis = channel_axis()
    more = filters - x.shape[axis]
    if more == 0:
        return x
    return ops.pad(x, [(more // 2, more - more // 2) if each == axis else (0, 0) for each in range(4)])


def _block(x: Any, filters: int, stride: int, name: str) -> Any:
    """Two 3×3 convolutions, each normalised, added to their input."""
    shortcut = _shortcut(x, filters, stride, name)
    x = conv(x, filters, 3, f"{name}_conv1", stride=stride, padding=1, initializer=HeNormal())
    x = norm(x, f"{name}_bn1", relu=f"{name}_relu1")
    x = conv(x, filters, 3, f"{name}_conv2", padding=1, initializer=HeNormal())
    return added(norm(x, f"{name}_bn2"), shortcut, name)


def _features(x: Any, layers: int, width: int) -> Any:
    x = conv(x, width, 3, "conv1", padding=1, initializer=HeNormal())
    x = norm(x, "bn1", relu="relu")
    for stage in range(3):
        for block in range((layers - 2) // 6):
            stride = 2 if stage and block == 0 else 1
            x = _block(x, width << stage, stride, f"layer{stage + 1}_{block}")
    return x


def _function(function: str, layers: int) -> Callable[..., Any]:
    def resnet(
        include_top: bool = True,
        weights: Any = None,
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 10,
        classifier_activation: Any = "softmax",
        name: str = function,
        *,
        width: int = 16,
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
        check_int(function, "width", width, minimum=1)
        image = request.image(images(request, 32, 1))
        x = _features(image, layers, width)
        if include_top:
            x = GlobalAveragePooling2D(name="avgpool")(x)
            x = dense(x, classes, "linear", classifier_activation, HeNormal())
        else:
            x = request.pooled(x)
        return finish(request, image, x)

    return resnet


def _resnet(layers: int) -> Callable[..., Any]:
    function = f"resnet{layers}"
    resnet = _function(function, layers)
    describe(
        resnet,
        function,
        f"The residual network of {layers} layers for 32×32 images, its shortcuts without weights.",
        least=1,
        options="width: channels of the first third; the next have twice and four times as many.",
        form="CIFAR",
        image=(32, 32, 3),
        pixels="torch",
        parameters=_PARAMETERS[layers],
        reference="He et al., Deep Residual Learning for Image Recognition, 2016, section 4.2.",
    )
    return resnet


resnet20, resnet32, resnet44, resnet56, resnet110 = (_resnet(layers) for layers in _PARAMETERS)
