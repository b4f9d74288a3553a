"""MobileNet v2 in torchvision's form: bottlenecks turned inside out."""

from __future__ import annotations

from typing import Any

from neocog.applications._request import channel_axis, divisible
from neocog.core import check_number
from neocog.initializers import RandomNormal
from neocog.layers import Add, GlobalAveragePooling2D
from neocog.zoo._architecture import asked, describe, images
from neocog.zoo._parts import conv, dense, depthwise, dropped, finish, norm

# widening, filters, blocks, stride of the first
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def _norm6(x: Any, name: str, relu: str) -> Any:
    return norm(x, name, relu=relu, limit=6.0)


def _block(inputs: Any, widening: int, filters: int, stride: int, name: str) -> Any:
    """1×1 to more channels, 3×3 in each of them, 1×1 to few; added to the input where the sizes agree."""
    x, channels, step = inputs, inputs.shape[channel_axis()], 0
    if widening != 1:
        x = conv(x, widening * channels, 1, f"{name}_conv_0_0")
        x, step = _norm6(x, f"{name}_conv_0_1", f"{name}_conv_0_2"), 1
    x = depthwise(x, 3, f"{name}_conv_{step}_0", stride=stride, padding=1)
    x = _norm6(x, f"{name}_conv_{step}_1", f"{name}_conv_{step}_2")
    x = norm(conv(x, filters, 1, f"{name}_conv_{step + 1}"), f"{name}_conv_{step + 2}")
    return Add(name=f"{name}_add")([inputs, x]) if stride == 1 and channels == filters else x


def _features(image: Any, alpha: float) -> Any:
    x = conv(image, divisible(32 * alpha), 3, "features_0_0", stride=2, padding=1)
    x = _norm6(x, "features_0_1", "features_0_2")
    number = 1
    for widening, filters, blocks, stride in _STAGES:
        for block in range(blocks):
            step = stride if block == 0 else 1
            x = _block(x, widening, divisible(filters * alpha), step, f"features_{number}")
            number += 1
    x = conv(x, divisible(1280 * max(alpha, 1.0)), 1, f"features_{number}_0")
    return _norm6(x, f"features_{number}_1", f"features_{number}_2")


def mobilenet_v2(
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "mobilenet_v2",
    *,
    alpha: float = 1.0,
    dropout: float = 0.2,
) -> Any:
    """Documented below, from the arguments that all architectures share."""
    request = asked(
        "mobilenet_v2",
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
    )
    check_number("mobilenet_v2", "alpha", alpha, minimum=1e-3)
    check_number("mobilenet_v2", "dropout", dropout, minimum=0)
    image = request.image(images(request, 224, 1))
    x = _features(image, alpha)
    if include_top:
        x = dropped(GlobalAveragePooling2D(name="avgpool")(x), dropout, "classifier_0")
        x = dense(x, classes, "classifier_1", classifier_activation, RandomNormal(stddev=0.01))
    else:
        x = request.pooled(x)
    return finish(request, image, x)


describe(
    mobilenet_v2,
    "mobilenet_v2",
    "MobileNet v2 in torchvision's form.",
    least=1,
    options="alpha: width: numbers of channels are multiplied by it.\ndropout: rate before the classifier.",
    form="torchvision",
    image=(224, 224, 3),
    pixels="torch",
    parameters=3_504_872,
    reference="Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, 2018.",
)
