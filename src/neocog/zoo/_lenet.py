"""LeNet-5: as published in 1998, and as it is built today."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neocog.applications._request import image_size
from neocog.initializers import VarianceScaling
from neocog.layers import (
    Activation,
    AveragePooling2D,
    Conv2D,
    Dense,
    Flatten,
    MaxPooling2D,
    PartialConv2D,
    RBFOutput,
    TrainableSubsampling,
)
from neocog.zoo._architecture import asked, default_shape, describe, images
from neocog.zoo._parts import finish

# Table I of the paper: the maps of S2 that each map of C3 sees.
LENET5_CONNECTIONS = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)
_REFERENCE = "LeCun et al., Gradient-Based Learning Applied to Document Recognition, 1998."


def _start() -> VarianceScaling:
    """Return the paper's uniform values; 2.4 / inputs there, their usual root of it here."""
    return VarianceScaling(1.0, "fan_in", "uniform")


def _features(x: Any) -> Any:
    rest: dict[str, Any] = {"activation": "scaled_tanh", "kernel_initializer": _start()}
    x = Conv2D(6, 5, name="C1", **rest)(x)
    x = TrainableSubsampling(2, activation="scaled_tanh", name="S2")(x)
    x = PartialConv2D(LENET5_CONNECTIONS, 5, name="C3", **rest)(x)
    x = TrainableSubsampling(2, activation="scaled_tanh", name="S4")(x)
    return Conv2D(120, 5, name="C5", **rest)(x)


def lenet5(
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: Any = "softmax",
    name: str = "lenet5",
    *,
    codes: Any = None,
    codes_trainable: bool = False,
) -> Any:
    """Documented below, from the arguments that all architectures share."""
    request = asked(
        "lenet5",
        include_top,
        weights,
        input_tensor,
        default_shape(input_shape, input_tensor, (32, 32, 1)),
        pooling,
        classes,
        classifier_activation,
        name,
    )
    image = request.image(images(request, 32, 32))
    x = _features(image)
    if not include_top:
        return finish(request, image, request.pooled(x))
    x = Flatten(name="flatten")(x)
    x = Dense(84, activation="scaled_tanh", kernel_initializer=_start(), name="F6")(x)
    x = RBFOutput(classes, codes=codes, codes_trainable=codes_trainable, name="Out")(x)
    if classifier_activation is not None:
        x = Activation(classifier_activation, name="predictions")(x)
    return finish(request, image, x)


def _function(function: str, unit: str, maxima: bool) -> Callable[..., Any]:
    pool = MaxPooling2D if maxima else AveragePooling2D

    def lenet5_modern(
        include_top: bool = True,
        weights: Any = None,
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 10,
        classifier_activation: Any = "softmax",
        name: str = function,
    ) -> Any:
        request = asked(
            function,
            include_top,
            weights,
            input_tensor,
            default_shape(input_shape, input_tensor, (32, 32, 1)),
            pooling,
            classes,
            classifier_activation,
            name,
        )
        image = request.image(images(request, 32, 28))
        small = max(size or 32 for size in image_size(tuple(image.shape[1:]))) < 32
        x = Conv2D(6, 5, padding="same" if small else "valid", activation=unit, name="C1")(image)
        x = Conv2D(16, 5, activation=unit, name="C3")(pool(2, name="S2")(x))
        x = pool(2, name="S4")(x)
        if not include_top:
            return finish(request, image, request.pooled(x))
        x = Dense(120, activation=unit, name="C5")(Flatten(name="flatten")(x))
        x = Dense(84, activation=unit, name="F6")(x)
        return finish(request, image, Dense(classes, activation=classifier_activation, name="Out")(x))

    return lenet5_modern


def _modern(function: str, unit: str, maxima: bool, sentence: str) -> Callable[..., Any]:
    made = _function(function, unit, maxima)
    describe(
        made,
        function,
        sentence,
        least=28,
        form="notes",
        image=(32, 32, 1),
        pixels="unit",
        parameters=61_706,
        reference=_REFERENCE,
    )
    return made


describe(
    lenet5,
    "lenet5",
    "LeNet-5 as published: weighted subsampling, partial connections, distances to drawn digits.",
    least=32,
    options="codes: of the classes, as in `layers.RBFOutput`: the drawn digits for up to ten classes.\n"
    "codes_trainable: whether the codes are trained as well.",
    form="published",
    image=(32, 32, 1),
    pixels="lenet",
    parameters=60_000,
    reference=_REFERENCE,
)
lenet5_modern = _modern(
    "lenet5_modern", "relu", True, "LeNet-5 as it is built today: rectifiers, maximum pooling, softmax."
)
lenet5_tanh = _modern(
    "lenet5_tanh", "tanh", False, "LeNet-5 in the form of the course notes: tanh, average pooling, softmax."
)
