"""SqueezeNet: few channels into each 3×3 convolution, and no dense layer at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neocog.applications._request import Request, channel_axis
from neocog.core import check_number
from neocog.initializers import RandomNormal
from neocog.layers import Activation, Concatenate, GlobalAveragePooling2D
from neocog.zoo._architecture import asked, describe, images
from neocog.zoo._parts import conv, dropped, finish, he_in, max_pool

_A, _B, _C, _D = [(16, 64)] * 2, (32, 128), [(48, 192)] * 2, (64, 256)
Steps = list[tuple[int, int] | None]
# what follows the first convolution: squeezed and expanded channels, or None for a pooling
_STEPS: dict[str, Steps] = {
    "squeezenet1_0": [None, *_A, _B, None, _B, *_C, _D, None, _D],
    "squeezenet1_1": [None, *_A, None, _B, _B, None, *_C, _D, _D],
}
# filters and kernel of the first convolution, smallest size, values
_FORMS = {"squeezenet1_0": (96, 7, 21, 1_248_424), "squeezenet1_1": (64, 3, 17, 1_235_496)}


def _fire(x: Any, squeezed: int, expanded: int, name: str) -> Any:
    """1×1 to a few channels, then 1×1 and 3×3 side by side."""
    rest: dict[str, Any] = {"bias": True, "activation": "relu", "initializer": he_in()}
    x = conv(x, squeezed, 1, f"{name}_squeeze", **rest)
    small = conv(x, expanded, 1, f"{name}_expand1x1", **rest)
    large = conv(x, expanded, 3, f"{name}_expand3x3", padding=1, **rest)
    return Concatenate(axis=channel_axis(), name=f"{name}_concat")([small, large])


def _features(x: Any, function: str) -> Any:
    filters, kernel, _, _ = _FORMS[function]
    x = conv(x, filters, kernel, "features_0", stride=2, bias=True, activation="relu", initializer=he_in())
    for number, step in enumerate(_STEPS[function], 2):
        name = f"features_{number}"
        x = max_pool(x, 3, 2, name, ceil_mode=True) if step is None else _fire(x, *step, name)
    return x


def _head(x: Any, request: Request, dropout: float) -> Any:
    x = dropped(x, dropout, "classifier_0")
    last = RandomNormal(stddev=0.01)
    x = conv(x, request.classes, 1, "classifier_1", bias=True, activation="relu", initializer=last)
    x = GlobalAveragePooling2D(name="avgpool")(x)
    if request.classifier_activation is None:
        return x
    return Activation(request.classifier_activation, name="predictions")(x)


def _function(function: str, least: int) -> Callable[..., Any]:
    def squeezenet(
        include_top: bool = True,
        weights: Any = None,
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str = function,
        *,
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
        check_number(function, "dropout", dropout, minimum=0)
        image = request.image(images(request, 224, least))
        x = _features(image, function)
        return finish(request, image, _head(x, request, dropout) if include_top else request.pooled(x))

    return squeezenet


def _squeezenet(function: str) -> Callable[..., Any]:
    least, parameters = _FORMS[function][2:]
    squeezenet = _function(function, least)
    describe(
        squeezenet,
        function,
        f"SqueezeNet {function[-3]}.{function[-1]} in torchvision's form, with pooling in ceil mode.",
        least=least,
        options="dropout: rate before the last convolution.",
        form="torchvision",
        image=(224, 224, 3),
        pixels="torch",
        parameters=parameters,
        reference="Iandola et al., SqueezeNet: AlexNet-level accuracy with 50x fewer parameters, 2016.",
    )
    return squeezenet


squeezenet1_0, squeezenet1_1 = (_squeezenet(form) for form in _FORMS)
