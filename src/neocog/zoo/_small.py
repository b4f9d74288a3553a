"""The small convolutional networks of the course notes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from neocog.core import check_number
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


@dataclass(frozen=True, kw_only=True)
class _Form:
    """One network.

    Attributes:
        function: its name.
        sentence: first line of its docstring.
        features: the convolutions.
        units: of the hidden dense layers.
        image: default shape.
        least: smallest height and width.
        classes: default number of outputs.
        parameters: values with the default arguments.
        dropout: default rate.
    """

    function: str
    sentence: str
    features: Callable[[Any], Any]
    units: tuple[int, ...]
    image: tuple[int, int, int]
    least: int
    classes: int
    parameters: int
    dropout: float = 0.0


def _function(form: _Form) -> Callable[..., Any]:
    def network(
        include_top: bool = True,
        weights: Any = None,
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = form.classes,
        classifier_activation: Any = "auto" if form.classes == 1 else "softmax",
        name: str = form.function,
        *,
        dropout: float = form.dropout,
    ) -> Any:
        if classifier_activation == "auto":
            classifier_activation = "sigmoid" if classes == 1 else "softmax"
        request = asked(
            form.function,
            include_top,
            weights,
            input_tensor,
            default_shape(input_shape, input_tensor, form.image),
            pooling,
            classes,
            classifier_activation,
            name,
        )
        check_number(form.function, "dropout", dropout, minimum=0)
        image = request.image(images(request, form.image[0], form.least))
        x = form.features(image)
        if not include_top:
            return finish(request, image, request.pooled(x))
        x = _dense(Flatten(name="flatten")(x), form.units, dropout)
        return finish(request, image, Dense(classes, activation=classifier_activation, name="predictions")(x))

    return network


def _small(form: _Form) -> Callable[..., Any]:
    network = _function(form)
    describe(
        network,
        form.function,
        form.sentence,
        least=form.least,
        options="dropout: rate after each hidden dense layer.",
        form="notes",
        image=form.image,
        pixels="unit",
        parameters=form.parameters,
        reference=_REFERENCE,
    )
    return network


mnist_cnn = _small(
    _Form(
        function="mnist_cnn",
        sentence="The first convolutional network for MNIST.",
        features=_mnist,
        units=(64,),
        image=(28, 28, 1),
        least=18,
        classes=10,
        parameters=93_322,
    )
)
fashion_cnn = _small(
    _Form(
        function="fashion_cnn",
        sentence="The network for Fashion-MNIST: five convolutions, dropout.",
        features=_fashion,
        units=(64, 64),
        image=(28, 28, 1),
        least=8,
        classes=10,
        parameters=1_262_218,
        dropout=0.5,
    )
)
cats_and_dogs_cnn = _small(
    _Form(
        function="cats_and_dogs_cnn",
        sentence="The network for cats and dogs: four convolutions; a sigmoid, or several classes.",
        features=_cats_and_dogs,
        units=(512,),
        image=(150, 150, 3),
        least=46,
        classes=1,
        parameters=3_453_121,
    )
)
