"""Residual networks of 18 to 152 layers in torchvision's form, and the plain ones to compare them with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from neocog.applications._request import channel_axis
from neocog.core import check_int, check_one_of
from neocog.layers import GlobalAveragePooling2D, ReLU
from neocog.zoo._architecture import asked, describe, images
from neocog.zoo._parts import added, conv, dense, finish, max_pool, norm


@dataclass(frozen=True, slots=True)
class _Form:
    """One network.

    Attributes:
        depths: blocks of each stage.
        bottleneck: blocks of 1×1, 3×3 and 1×1; otherwise of two 3×3.
        shortcuts: add each block's input to its output.
        parameters: trainable values for 1000 classes.
    """

    depths: tuple[int, int, int, int]
    bottleneck: bool
    shortcuts: bool
    parameters: int


_FORMS = {
    "resnet18": _Form((2, 2, 2, 2), False, True, 11_689_512),
    "resnet34": _Form((3, 4, 6, 3), False, True, 21_797_672),
    "resnet50": _Form((3, 4, 6, 3), True, True, 25_557_032),
    "resnet101": _Form((3, 4, 23, 3), True, True, 44_549_160),
    "resnet152": _Form((3, 8, 36, 3), True, True, 60_192_808),
    "plain18": _Form((2, 2, 2, 2), False, False, 11_515_688),
    "plain34": _Form((3, 4, 6, 3), False, False, 21_623_848),
}
_OPTIONS = """width: channels of the first stage; each next has twice as many.
stem: "imagenet": 7×7 convolution and pooling, which leave a quarter of height and width; "small":
    a 3×3 convolution that keeps them, for images of about 32×32."""


def _stem(x: Any, width: int, stem: str) -> Any:
    if stem == "small":
        return norm(conv(x, width, 3, "conv1", padding=1), "bn1", relu="relu")
    x = norm(conv(x, width, 7, "conv1", stride=2, padding=3), "bn1", relu="relu")
    return max_pool(x, 3, 2, "maxpool", padding=1)


def _basic(x: Any, filters: int, stride: int, name: str) -> Any:
    x = norm(
        conv(x, filters, 3, f"{name}_conv1", stride=stride, padding=1), f"{name}_bn1", relu=f"{name}_relu1"
    )
    return norm(conv(x, filters, 3, f"{name}_conv2", padding=1), f"{name}_bn2")


def _bottleneck(x: Any, filters: int, stride: int, name: str) -> Any:
    x = norm(conv(x, filters, 1, f"{name}_conv1"), f"{name}_bn1", relu=f"{name}_relu1")
    x = conv(x, filters, 3, f"{name}_conv2", stride=stride, padding=1)
    x = norm(x, f"{name}_bn2", relu=f"{name}_relu2")
    return norm(conv(x, 4 * filters, 1, f"{name}_conv3"), f"{name}_bn3")


def _block(x: Any, filters: int, stride: int, name: str, form: _Form) -> Any:
    inner = (_bottleneck if form.bottleneck else _basic)(x, filters, stride, name)
    if not form.shortcuts:
        return ReLU(name=f"{name}_out")(inner)
    channels = inner.shape[channel_axis()]
    if stride > 1 or x.shape[channel_axis()] != channels:
        x = norm(conv(x, channels, 1, f"{name}_downsample_0", stride=stride), f"{name}_downsample_1")
    return added(inner, x, name)


def _features(x: Any, form: _Form, width: int, stem: str) -> Any:
    x = _stem(x, width, stem)
    for stage, depth in enumerate(form.depths):
        for block in range(depth):
            stride = 2 if stage and block == 0 else 1
            x = _block(x, width << stage, stride, f"layer{stage + 1}_{block}", form)
    return x


def _function(function: str, form: _Form) -> Callable[..., Any]:
    def resnet(
        include_top: bool = True,
        weights: Any = None,
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str = function,
        *,
        width: int = 64,
        stem: str = "imagenet",
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
        check_one_of(function, "stem", stem, ("imagenet", "small"))
        image = request.image(images(request, 224 if stem == "imagenet" else 32, 1))
        x = _features(image, form, width, stem)
        if include_top:
            x = dense(GlobalAveragePooling2D(name="avgpool")(x), classes, "fc", classifier_activation)
        else:
            x = request.pooled(x)
        return finish(request, image, x)

    return resnet


def _resnet(function: str) -> Callable[..., Any]:
    form = _FORMS[function]
    resnet = _function(function, form)
    layers = function.lstrip("abcdefghijklmnopqrstuvwxyz")
    sentence = f"The residual network of {layers} layers in torchvision's form."
    if not form.shortcuts:
        sentence = f"The plain network of {layers} layers: `resnet{layers}` without its shortcuts."
    describe(
        resnet,
        function,
        sentence,
        least=1,
        options=_OPTIONS,
        form="torchvision",
        image=(224, 224, 3),
        pixels="torch",
        parameters=form.parameters,
        reference="He et al., Deep Residual Learning for Image Recognition, 2016.",
    )
    return resnet


resnet18, resnet34, resnet50, resnet101, resnet152, plain18, plain34 = (_resnet(name) for name in _FORMS)
