"""Published architectures as models of a run: by name, with or without pretrained weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neocog import layers, transfer, zoo
from neocog.exceptions import ArgumentError, UnknownNameError, message, nearest
from neocog.models import Model
from neocog.workflows._augmentations import augmentation_layers
from neocog.workflows._data import DataInfo
from neocog.workflows._models import MODELS
from neocog.workflows._task import Task


def is_base(name: str) -> bool:
    """Whether a name is that of a published architecture, and none of the table of small networks."""
    key = name.lower().replace("_", "-")
    return key != "auto" and key not in MODELS and canonical(name) is not None


def canonical(name: str) -> str | None:
    """Return the name by which the zoo knows an architecture, or None."""
    try:
        return str(getattr(zoo.get(name), "__name__", name))
    except UnknownNameError:
        return None


def check_model(name: str, weights: str | None) -> None:
    """Raise unless `name` is a model, and one that takes weights where some are asked for.

    Raises:
        UnknownNameError: no model of that name; the nearest ones are offered.
        ArgumentError: weights for a network that has none.
    """
    key = name.lower().replace("_", "-")
    if key == "auto" or key in MODELS:
        if weights is not None:
            do = "Name the architecture that the file holds: --model mobilenet."
            expected = "a published architecture with --weights"
            raise ArgumentError(message("--model", expected=expected, got=repr(name), do=do))
        return
    if canonical(name) is None:
        known = ["auto", *MODELS, *zoo.list_models()]
        close = nearest(name, known)
        hint = f" Did you mean {' or '.join(repr(item) for item in close)}?" if close else ""
        text = (
            f"model: expected auto, one of {', '.join(MODELS)}, or an architecture of the zoo, got {name!r}."
        )
        raise UnknownNameError(text + hint)


def find_file(name: str, weights: str | None) -> Any:
    """Return what `zoo.backbone` takes as weights: None, `"imagenet"`, a path, an address.

    Args:
        name: of the architecture.
        weights: None, `"auto"` for a known file on this machine, or as in `zoo.backbone`.

    Raises:
        ArgumentError: `"auto"`, and there is no known file; or a file that is not there.
    """
    if weights is None or weights == "imagenet" or "://" in weights:
        return weights
    if weights == "auto":
        found = known_file(name)
        if found is None:
            do = "Name one, or leave --weights out to train from scratch."
            expected = f"a known weight file of {name} on this machine"
            raise ArgumentError(message("--weights auto", expected=expected, got="none", do=do))
        return str(found)
    path = Path(weights).expanduser()
    if not path.is_file():
        got = "a folder" if path.is_dir() else "no such file"
        raise ArgumentError(message("--weights", expected="a weight file", got=f"{weights}, {got}"))
    return str(path)


def known_file(name: str) -> Path | None:
    """Return a known pretrained file of an architecture on this machine, or None."""
    return zoo.find_weights(canonical(name) or name)


def open_base(name: str, weights: str | None, image_size: tuple[int, int] | None) -> zoo.Backbone:
    """Return an architecture without its classifier; see `find_file` and `zoo.backbone`."""
    return zoo.backbone(canonical(name) or name, find_file(name, weights), image_size=image_size)


def as_top(finetune: str) -> str | int | None:
    """Return what `transfer.finetune` takes as `top`.

    Raises:
        ArgumentError: a number that is no number of blocks.
    """
    if finetune in ("none", "auto"):
        return None if finetune == "none" else "auto"
    try:
        number = float(finetune)
    except ValueError:
        return finetune  # the name of a block
    if number < 0 or not number.is_integer():
        expected = "auto, none, a whole number of 0 or more, or the name of a block"
        raise ArgumentError(message("--finetune", expected=expected, got=finetune))
    return int(number)


def check_top(base: zoo.Backbone, finetune: str) -> None:
    """Raise unless a base has the blocks that are to be opened.

    Raises:
        UnknownNameError: no block or layer of that name; the nearest ones are offered.
        ArgumentError: more blocks than there are.
    """
    top = as_top(finetune)
    if isinstance(top, int):
        count = len(transfer.blocks(base))
        if top > count:
            raise ArgumentError(message("--finetune", expected=f"at most {count} blocks", got=top))
    elif top not in (None, "auto"):
        transfer.find_block(base, top)


def whole_model(
    base: zoo.Backbone, shape: tuple[int, int, int], task: Task, augmentation: Any = (), dropout: float = 0.2
) -> Any:
    """Return a model from uint8 images (0 to 255, RGB or gray) to what the task asks for, the base frozen.

    Args:
        base: the architecture.
        shape: of one image.
        task: what the model is to say.
        augmentation: layers that vary training images, from `varying`.
        dropout: share of the features to drop in training.
    """
    front = base.model
    if shape[-1] == 1 or augmentation:
        image = layers.Input(shape, name="image")
        x = layers.Concatenate(name="gray_to_rgb")([image] * 3) if shape[-1] == 1 else image
        for layer in augmentation:
            x = layer(x)
        front = Model(image, base.model(x), name=base.name.lower())
    name = base.name.lower().replace("-", "_")
    return transfer.add_head(front, head=task.head, dropout=dropout, name=name)


def varying(augment: str, info: DataInfo, strength: float | None = None) -> list[Any]:
    """Return the layers of an augmentation, which see values from -1 to 1, for images from 0 to 255."""
    inner = augmentation_layers(augment, info, strength)
    if not inner:
        return []
    return [layers.Rescaling(1 / 127.5, offset=-1.0), *inner, layers.Rescaling(127.5, offset=127.5)]
