"""The networks in Keras's words, once for all: `keras` is Keras itself on any backend, or neocog.

Outputs are float32 also under a mixed policy, as Keras's guide has it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def mlp(keras: Any) -> Any:
    """784-512-10."""
    layers = keras.layers
    return keras.Sequential([keras.Input((784,)), layers.Dense(512, activation="relu"), _classes(keras)])


def lenet(keras: Any) -> Any:
    """LeNet-5 in its modern form."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="tanh"),
            layers.Dense(84, activation="tanh"),
            _classes(keras),
        ]
    )


def fashion(keras: Any) -> Any:
    """The Fashion-MNIST network of the course notes."""
    layers = keras.layers

    def convolution(filters: int, size: int = 3) -> Any:
        return layers.Conv2D(filters, size, padding="same", activation="relu")

    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            convolution(64, 7),
            layers.MaxPooling2D(2),
            convolution(128),
            convolution(128),
            layers.MaxPooling2D(2),
            convolution(256),
            convolution(256),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.5),
            _classes(keras),
        ]
    )


def cats(keras: Any, augmented: bool = False) -> Any:
    """The network for cats and dogs of the notes and of Chollet's book, at 180×180."""
    layers = keras.layers
    stages = [layers.Conv2D(32, 3, activation="relu")]
    for filters in (64, 128, 256, 256):
        stages += [layers.MaxPooling2D(2), layers.Conv2D(filters, 3, activation="relu")]
    return keras.Sequential(
        [
            keras.Input((180, 180, 3)),
            *(augmentation(keras) if augmented else []),
            layers.Rescaling(1 / 255),
            *stages,
            layers.Flatten(),
            layers.Dropout(0.5),
            _cat_or_dog(keras),
        ]
    )


def augmentation(keras: Any) -> list[Any]:
    """Flip, rotation and zoom, as in the book."""
    layers = keras.layers
    return [layers.RandomFlip("horizontal"), layers.RandomRotation(0.1), layers.RandomZoom(0.2)]


def cats_augmented(keras: Any) -> Any:
    """The same behind flip, rotation and zoom."""
    return cats(keras, augmented=True)


def resnet18(keras: Any) -> Any:
    """ResNet-18 in its form for 32×32 pixels: a 3×3 stem, no pooling before the blocks."""
    layers = keras.layers

    def convolution(x: Any, filters: int, size: int, stride: int) -> Any:
        x = layers.Conv2D(filters, size, stride, padding="same", use_bias=False)(x)
        return layers.BatchNormalization()(x)

    inputs = keras.Input((32, 32, 3))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.ReLU()(convolution(x, 64, 3, 1))
    for stage, filters in enumerate((64, 128, 256, 512)):
        for block in range(2):
            stride = 2 if stage and not block else 1
            y = layers.ReLU()(convolution(x, filters, 3, stride))
            y = convolution(y, filters, 3, 1)
            if stride > 1:
                x = convolution(x, filters, 1, stride)
            x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, _classes(keras)(x))


def mobilenet(keras: Any) -> Any:
    """Fine-tuning: blocks 12 and 13 of MobileNet train, below them nothing, batch normalization nowhere."""
    layers = keras.layers
    base = keras.applications.MobileNet(input_shape=(160, 160, 3), include_top=False, weights=None)
    trains = False
    for layer in base.layers:
        trains = trains or layer.name.startswith("conv_dw_12")
        layer.trainable = trains and not isinstance(layer, layers.BatchNormalization)
    inputs = keras.Input((160, 160, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    x = base(x, training=False)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.2)(x)
    return keras.Model(inputs, _cat_or_dog(keras)(x))


def vgg16(keras: Any) -> Any:
    """VGG-16 without its top: 150×150×3 to 4×4×512."""
    return keras.applications.VGG16(input_shape=(150, 150, 3), include_top=False, weights=None)


def quick_mnist(keras: Any) -> Any:
    """16-32-64 with batch normalization: for the suite `time-to-accuracy`."""
    return _quick(keras, ((16,), (32,), (64,)))


def quick_fashion(keras: Any) -> Any:
    """32-32, 64-64, 128 with batch normalization: for the suite `time-to-accuracy`."""
    return _quick(keras, ((32, 32), (64, 64), (128,)))


def _quick(keras: Any, stages: tuple[tuple[int, ...], ...]) -> Any:
    layers = keras.layers
    found: list[Any] = [keras.Input((28, 28, 1))]
    for number, stage in enumerate(stages):
        if number:
            found.append(layers.MaxPooling2D(2))
        for filters in stage:
            found.append(layers.Conv2D(filters, 3, padding="same", use_bias=False))
            found.append(layers.BatchNormalization(momentum=0.9))
            found.append(layers.ReLU())
    return keras.Sequential([*found, layers.Flatten(), layers.Dropout(0.3), _classes(keras)])


def tiny(keras: Any) -> Any:
    """Next to nothing: what is left of a step is what `fit` adds."""
    return keras.Sequential([keras.Input((16,)), _classes(keras)])


def _classes(keras: Any) -> Any:
    return keras.layers.Dense(10, activation="softmax", dtype="float32")


def _cat_or_dog(keras: Any) -> Any:
    return keras.layers.Dense(1, activation="sigmoid", dtype="float32")


NETWORKS: dict[str, Callable[[Any], Any]] = {
    "mlp": mlp,
    "lenet": lenet,
    "fashion": fashion,
    "cats": cats,
    "cats-augmented": cats_augmented,
    "resnet18": resnet18,
    "mobilenet": mobilenet,
    "vgg16": vgg16,
    "quick-mnist": quick_mnist,
    "quick-fashion": quick_fashion,
    "tiny": tiny,
}
