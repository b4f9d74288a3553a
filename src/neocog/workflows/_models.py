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
class Form:
    """How large a network of the table is.

    Attributes:
        width: factor on the filters and units of every layer.
        depth: number of blocks; None is the network's own.
        dropout: share dropped before the head, half of it between blocks; None is the network's own.
    """

    width: float = 1.0
    depth: int | None = None
    dropout: float | None = None

    def sizes(self, *own: int, most: int) -> list[int]:
        """Return the filters or units of each block: the network's own ones, cut or grown to the depth."""
        sizes = [*own]
        while len(sizes) < (self.depth or len(own)):
            sizes.append(min(2 * sizes[-1], most))
        return [max(round(self.width * size), 1) for size in sizes[: self.depth or len(own)]]

    def size(self, own: int) -> int:
        """Return the units of one layer."""
        return max(round(self.width * own), 1)

    def drop(self, x: Any, own: float, part: float = 1.0) -> Any:
        """Return `x` through a dropout layer of the network's own share, or `part` of the one asked for."""
        return layers.Dropout(own if self.dropout is None else part * self.dropout)(x)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """A network by name.

    Attributes:
        name: as the command line takes it.
        text: what it is, in one line.
        body: from scaled images (symbolic) and a form to features (symbolic).
        smallest: least height and width in pixels that it can shrink.
        depth: number of blocks it has unless asked for others.
        dropout: share dropped before the head unless asked for another.
    """

    name: str
    text: str
    body: Callable[[Any, Form], Any]
    smallest: int
    depth: int
    dropout: float = 0.4


_OWN = Form()


def build_model(
    name: str, shape: Shape, task: Task | int, augmentation: Sequence[Any] = (), form: Form = _OWN
) -> Model:
    """Return a network from uint8 images (0 to 255) to probabilities, or to numbers in their units.

    Args:
        name: in `MODELS`.
        shape: of one image.
        task: what the model is to say; a number stands for so many classes.
        augmentation: layers that vary training images.
        form: width, depth and dropout; default the network's own.
    """
    images = layers.Input(shape, name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(images)
    for layer in augmentation:
        x = layer(x)
    features = model_info(name).body(x, form)
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


def _mlp(x: Any, form: Form) -> Any:
    x = layers.Flatten()(x)
    for number, units in enumerate(form.sizes(256, 128, most=256), 1):
        x = _hidden(units, f"hidden_{number}")(x)
        x = form.drop(x, 0.3)
    return x


def _lenet(x: Any, form: Form) -> Any:
    for number, filters in enumerate(form.sizes(32, 64, most=128), 1):
        x = layers.Conv2D(filters, 5, padding="same", activation="relu", name=f"conv_{number}")(x)
        x = _halved(x)
    while max(x.shape[1:3]) > 16:  # so that the dense layer stays small
        x = layers.MaxPooling2D(2, padding="same")(x)
    return form.drop(_hidden(form.size(128), "hidden")(layers.Flatten()(x)), 0.4)


def _small_cnn(x: Any, form: Form) -> Any:
    """The last maps are flattened, so that places count, unless they are large."""
    for block, filters in enumerate(form.sizes(32, 64, 128, most=256), 1):
        x = layers.ReLU()(_convolved(x, filters, f"block{block}_conv1"))
        x = layers.ReLU()(_convolved(x, filters, f"block{block}_conv2"))
        x = form.drop(_halved(x), 0.2, 0.5)
    if max(x.shape[1:3]) > 8:
        return form.drop(layers.GlobalAveragePooling2D()(x), 0.4)
    return form.drop(_hidden(form.size(128), "hidden")(layers.Flatten()(x)), 0.4)


def _cnn(x: Any, form: Form) -> Any:
    *sizes, last = form.sizes(32, 64, 128, 256, 256, most=256)
    for number, filters in enumerate(sizes, 1):
        strides = 2 if number == 1 else 1
        x = _halved(layers.ReLU()(_convolved(x, filters, f"conv_{number}", strides)))
    x = layers.ReLU()(_convolved(x, last, f"conv_{len(sizes) + 1}"))
    return form.drop(layers.GlobalAveragePooling2D()(x), 0.4)


def _small_resnet(x: Any, form: Form) -> Any:
    """Halved twice before the first block: two thirds of the cost would lie in the largest maps."""
    x = _halved(layers.ReLU()(_convolved(x, form.size(32), "stem", 2)))
    for block, filters in enumerate(form.sizes(32, 64, 128, 256, most=512), 1):
        strides = 1 if block == 1 else 2
        branch = layers.ReLU()(_convolved(x, filters, f"block{block}_conv1", strides))
        branch = _convolved(branch, filters, f"block{block}_conv2")
        if strides > 1:
            x = layers.AveragePooling2D(strides, padding="same")(x)
        if x.shape[-1] != filters:
            x = _convolved(x, filters, f"block{block}_shortcut", size=1)
        x = layers.ReLU()(layers.add([x, branch]))
    return form.drop(layers.GlobalAveragePooling2D()(x), 0.4)


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
    ModelInfo(name="mlp", text="two dense layers (256, 128): a base line",
              body=_mlp, smallest=1, depth=2, dropout=0.3),
    ModelInfo(name="lenet", text="two 5×5 convolutions, one dense layer", body=_lenet, smallest=4, depth=2),
    ModelInfo(name="small-cnn", text="six 3×3 convolutions (32 to 128): images up to 64 pixels",
              body=_small_cnn, smallest=4, depth=3),
    ModelInfo(name="cnn", text="five 3×3 convolutions (32 to 256): photographs, quick",
              body=_cnn, smallest=16, depth=5),
    ModelInfo(name="small-resnet", text="nine 3×3 convolutions in residual blocks: photographs",
              body=_small_resnet, smallest=16, depth=4),
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
