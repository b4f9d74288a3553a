"""The small convolutional networks of the course notes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neocog.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from neocog.zoo._architecture import asked, default_shape, describe, images
from neocog.zoo._parts import finish

_REFERENCE = "Géron, Hands-On Machine Learning; Chollet, Deep Learning with Python."


def _mnist(x: Any) -> Any:
    """Three convolutions, two poolings: 28×28 to 3×3."""
    x = MaxPooling2D(2, name="pool1")(Conv2D(32, 3, activation="relu", name="conv1")(x))
    x = MaxPooling2D(2, name="pool2")(Conv2D(64, 3, activation="relu", name="conv2")(x))
    return Conv2D(64, 3, activation="relu", name="conv3")(x)


def _fashion(x: Any) -> Any:
    """A wide first convolution, then two pairs of twice as many filters: 28×28 to 3×3."""
    rest: dict[str, Any] = {"padding": "same", "activation": "relu"}
    x = MaxPooling2D(2, name="pool1")(Conv2D(64, 7, name="conv1", **rest)(x))
    x = Conv2D(128, 3, name="conv2", **rest)(x)
    x = MaxPooling2D(2, name="pool2")(Conv2D(128, 3, name="conv3", **rest)(x))
    x = Conv2D(256, 3, name="conv4", **rest)(x)
    return MaxPooling2D(2, name="pool3")(Conv2D(256, 3, name="conv5", **rest)(x))


def _cats_and_dogs(x: Any) -> Any:
    """Four convolutions, each with pooling: 150×150 to 7×7."""
    for number, filters in enumerate((32, 64, 128, 128), 1):
        x = Conv2D(filters, 3, activation="relu", name=f"conv{number}")(x)
        x = MaxPooling2D(2, name=f"pool{number}")(x)
    return x


def _dense(x: Any, units: tuple[int, ...], dropout: float) -> Any:
    for number, each in enumerate(units, 1):
        x = Dense(each, activation="relu", name=f"dense{number}")(x)
        if dropout:
            x = Dropout(dropout, name=f"dropout{number}")(x)
    return x


def _small(
    function: str,
    sentence: str,
    features: Callable[[Any], Any],
    units: tuple[int, ...],
    shape: tuple[int, int, int],
    least: int,
    outputs: int,
    parameters: int,
    rate: float = 0.0,
) -> Callable[..., Any]:
    def network(
        include_top: bool = True,
        weights: Any = None,
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = outputs,
        classifier_activation: Any = None,
        name: str = function,
        *,
        dropout: float = rate,
    ) -> Any:
        if classifier_activation is None:
            classifier_activation = "sigmoid" if classes == 1 else "softmax"
        request = asked(
            function,
            include_top,
            weights,
            input_tensor,
            default_shape(input_shape, input_tensor, shape),
            pooling,
            classes,
            classifier_activation,
            name,
        )
        image = request.image(images(request, shape[0], least))
        x = features(image)
        if not include_top:
            return finish(request, image, request.pooled(x))
        x = _dense(Flatten(name="flatten")(x), units, dropout)
        return finish(request, image, Dense(classes, activation=classifier_activation, name="predictions")(x))

    describe(
        network,
        function,
        sentence,
        least=least,
        options="dropout: rate after each hidden dense layer.",
        form="notes",
        image=shape,
        pixels="unit",
        parameters=parameters,
        reference=_REFERENCE,
    )
    return network


mnist_cnn = _small(
    "mnist_cnn", "The first convolutional network for MNIST.", _mnist, (64,), (28, 28, 1), 18, 10, 93_322
)
fashion_cnn = _small(
    "fashion_cnn",
    "The network for Fashion-MNIST: five convolutions, dropout.",
    _fashion,
    (64, 64),
    (28, 28, 1),
    8,
    10,
    1_262_218,
    0.5,
)
cats_and_dogs_cnn = _small(
    "cats_and_dogs_cnn",
    "The network for cats and dogs: four convolutions, one sigmoid.",
    _cats_and_dogs,
    (512,),
    (150, 150, 3),
    46,
    1,
    3_453_121,
)
