"""The networks that `train` knows by name: a table of one-line descriptions and builders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from neocog import layers
from neocog.exceptions import ArgumentError, UnknownNameError, message, nearest
from neocog.models import Model
from neocog.workflows._task import SINGLE, Task

Shape = tuple[int, int, int]  # height and width in pixels, channels


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """A network by name.

    Attributes:
        name: as the command line takes it.
        text: what it is, in one line.
        body: from scaled images (symbolic) to features (symbolic).
        smallest: least height and width in pixels that it can shrink.
    """

    name: str
    text: str
    body: Callable[[Any], Any]
    smallest: int


def build_model(name: str, shape: Shape, task: Task | int, augmentation: Sequence[Any] = ()) -> Model:
    """Return a network from uint8 images (0 to 255) to probabilities, or to numbers in their units.

    Args:
        name: in `MODELS`.
        shape: of one image.
        task: what the model is to say; a number stands for so many classes.
        augmentation: layers that vary training images.
    """
    images = layers.Input(shape, name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(images)
    for layer in augmentation:
        x = layer(x)
    features = model_info(name).body(x)
    if isinstance(task, int):
        task = Task(kind=SINGLE, names=tuple(map(str, range(task))))
    return Model(images, task.head(features), name=name.replace("-", "_"))


def resolve_model(name: str, shape: Shape) -> str:
    """Return the name of the network that `"auto"` stands for with images of this shape.

    Raises:
        UnknownNameError: no network has the name.
        ArgumentError: the images are too small for it.
    """
    if name == "auto":
        return "small-cnn" if max(shape[:2]) <= 64 else "small-resnet"
    info = model_info(name)
    if min(shape[:2]) < info.smallest:
        expected = f"images of at least {info.smallest}×{info.smallest} pixels"
        do = "Choose another --model or a larger --image-size."
        raise ArgumentError(
            message(f"model {info.name}", expected=expected, got=f"{shape[0]}×{shape[1]}", do=do)
        )
    return info.name


def _mlp(x: Any) -> Any:
    x = layers.Flatten()(x)
    for number, units in enumerate((256, 128), 1):
        x = _hidden(units, f"hidden_{number}")(x)
        x = layers.Dropout(0.3)(x)
    return x


def _lenet(x: Any) -> Any:
    for number, filters in enumerate((32, 64), 1):
        x = layers.Conv2D(filters, 5, padding="same", activation="relu", name=f"conv_{number}")(x)
        x = _halved(x)
    while max(x.shape[1:3]) > 16:  # so that the dense layer stays small
        x = layers.MaxPooling2D(2, padding="same")(x)
    return layers.Dropout(0.4)(_hidden(128, "hidden")(layers.Flatten()(x)))


def _small_cnn(x: Any) -> Any:
    """The last maps are flattened, so that places count, unless they are large."""
    for block, filters in enumerate((32, 64, 128), 1):
        x = layers.ReLU()(_convolved(x, filters, f"block{block}_conv1"))
        x = layers.ReLU()(_convolved(x, filters, f"block{block}_conv2"))
        x = layers.Dropout(0.2)(_halved(x))
    if max(x.shape[1:3]) > 8:
        return layers.Dropout(0.4)(layers.GlobalAveragePooling2D()(x))
    return layers.Dropout(0.4)(_hidden(128, "hidden")(layers.Flatten()(x)))


def _cnn(x: Any) -> Any:
    for number, (filters, strides) in enumerate(((32, 2), (64, 1), (128, 1), (256, 1)), 1):
        x = _halved(layers.ReLU()(_convolved(x, filters, f"conv_{number}", strides)))
    x = layers.ReLU()(_convolved(x, 256, "conv_5"))
    return layers.Dropout(0.4)(layers.GlobalAveragePooling2D()(x))


def _small_resnet(x: Any) -> Any:
    """Halved twice before the first block: two thirds of the cost would lie in the largest maps."""
    x = _halved(layers.ReLU()(_convolved(x, 32, "stem", 2)))
    for block, (filters, strides) in enumerate(((32, 1), (64, 2), (128, 2), (256, 2)), 1):
        branch = layers.ReLU()(_convolved(x, filters, f"block{block}_conv1", strides))
        branch = _convolved(branch, filters, f"block{block}_conv2")
        if strides > 1:
            x = layers.AveragePooling2D(strides, padding="same")(x)
        if x.shape[-1] != filters:
            x = _convolved(x, filters, f"block{block}_shortcut", size=1)
        x = layers.ReLU()(layers.add([x, branch]))
    return layers.Dropout(0.4)(layers.GlobalAveragePooling2D()(x))


# Layers with weights have names of their own: automatic ones count on through the process, so that a model
# made later would not find its weights.
def _hidden(units: int, name: str) -> Any:
    return layers.Dense(units, activation="relu", kernel_initializer="he_normal", name=name)


def _convolved(x: Any, filters: int, name: str, strides: int = 1, size: int = 3) -> Any:
    """Convolution and batch normalisation, which brings the bias; its memory is short, as epochs are."""
    x = layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)
    return layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)


def _halved(x: Any) -> Any:
    return layers.MaxPooling2D(2)(x) if min(x.shape[1:3]) >= 4 else x


_INFOS = (
    ModelInfo(name="mlp", text="two dense layers (256, 128): a base line", body=_mlp, smallest=1),
    ModelInfo(name="lenet", text="two 5×5 convolutions, one dense layer", body=_lenet, smallest=4),
    ModelInfo(name="small-cnn", text="six 3×3 convolutions (32 to 128): images up to 64 pixels",
              body=_small_cnn, smallest=4),
    ModelInfo(name="cnn", text="five 3×3 convolutions (32 to 256): photographs, quick",
              body=_cnn, smallest=16),
    ModelInfo(name="small-resnet", text="nine 3×3 convolutions in residual blocks: photographs",
              body=_small_resnet, smallest=16),
)  # fmt: skip
MODELS: dict[str, ModelInfo] = {info.name: info for info in _INFOS}


def model_info(name: str) -> ModelInfo:
    """Return the network of that name.

    Raises:
        UnknownNameError: offering the nearest names.
    """
    key = name.lower().replace("_", "-")
    if key not in MODELS:
        close = nearest(key, [*MODELS, "auto"])
        hint = f" Did you mean {' or '.join(repr(item) for item in close)}?" if close else ""
        raise UnknownNameError(f"model: expected auto or one of {', '.join(MODELS)}, got {name!r}.{hint}")
    return MODELS[key]
