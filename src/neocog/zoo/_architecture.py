"""The table of all architectures, and what their functions share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from neocog.applications._known_files import known_classes
from neocog.applications._request import Request, Shape
from neocog.applications._weights import no_known_file
from neocog.core import image_data_format
from neocog.exceptions import UnknownNameError, message, nearest

_ARGUMENTS = """
    Args:
        include_top: end with the classifier; False ends with the features.
        weights: None (the default) draws them at random; the path of a weight file, or `"imagenet"` for
            what is at hand; `classes` are then those of the file.
        input_tensor: symbolic tensor to start from; None makes an Input.
        input_shape: shape of one image; {size} by default, at least {least}×{least}.
        pooling: what ends a model without classifier: None, `"avg"` or `"max"`.
        classes: outputs of the classifier.
        classifier_activation: of the classifier; None gives logits.
        name: name of the model.{options}

    Returns:
        A functional model; its layers have the names of {form}.

    Reference:
        {reference}
"""
_FORMS = {
    "torchvision": "torchvision's state dict, with _ for each dot",
    "published": "the paper's table",
    "CIFAR": "the reference state dict, with _ for each dot",
    "notes": "the course notes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """One row of the table.

    Attributes:
        name: what `build` knows it by: the name of its function.
        make: the function.
        form: whose form it has: `"torchvision"`, `"published"`, `"CIFAR"`, `"notes"` or `"Keras"`.
        image: default shape of one image, channels last; None for text.
        pixels: how values from 0 to 255 are prepared: a mode of `preprocess_input`.
        parameters: trainable values with the default arguments; Keras's forms: with the statistics, as Keras
            counts.
        reference: the paper.
    """

    name: str
    make: Callable[..., Any]
    form: str
    image: tuple[int, int, int] | None
    pixels: str
    parameters: int
    reference: str


ARCHITECTURES: dict[str, Architecture] = {}


def enter(
    make: Callable[..., Any],
    name: str,
    *,
    form: str,
    image: tuple[int, int, int] | None,
    pixels: str,
    parameters: int,
    reference: str,
) -> None:
    """Put an architecture into the table."""
    ARCHITECTURES[name] = Architecture(
        name=name,
        make=make,
        form=form,
        image=image,
        pixels=pixels,
        parameters=parameters,
        reference=reference,
    )


def describe(
    make: Callable[..., Any],
    name: str,
    sentence: str,
    *,
    least: int,
    options: str = "",
    form: str,
    image: tuple[int, int, int],
    pixels: str,
    parameters: int,
    reference: str,
) -> None:
    """Name and document a function with the common arguments, and put it into the table.

    Args:
        make: the function.
        name: its name.
        sentence: first line of its docstring.
        least: smallest height and width.
        options: lines about arguments of its own.
        form: whose form it has.
        image: default shape of one image.
        pixels: how pixels are prepared.
        parameters: trainable values with the default arguments.
        reference: the paper.
    """
    make.__name__ = make.__qualname__ = name
    size = "×".join(str(number) for number in image)
    lines = "".join(f"\n        {line}" for line in options.splitlines())
    text = _ARGUMENTS.format(size=size, least=least, options=lines, form=_FORMS[form], reference=reference)
    make.__doc__ = f"{sentence}\n{text}"
    enter(make, name, form=form, image=image, pixels=pixels, parameters=parameters, reference=reference)


def asked(
    where: str,
    include_top: bool,
    weights: Any,
    input_tensor: Any,
    input_shape: Any,
    pooling: str | None,
    classes: int,
    classifier_activation: Any,
    name: str | None,
) -> Request:
    """Return the common arguments, checked."""
    if isinstance(weights, str) and weights == "imagenet" and known_classes(where) is None:
        raise no_known_file(where)  # Keras publishes none in these forms
    return Request(
        where=where,
        include_top=include_top,
        weights=weights,
        input_tensor=input_tensor,
        input_shape=input_shape,
        pooling=pooling,
        classes=classes,
        classifier_activation=classifier_activation,
        name=name or where,
    )


def images(request: Request, size: int, least: int) -> Shape:
    """Return the shape of one image for a network that takes images of any size, known or not.

    Args:
        request: the arguments.
        size: default height and width with the classifier; without it, they stay open.
        least: smallest height and width.
    """
    return request.shape(size, least, request.include_top and request.input_shape is None)


def default_shape(request_shape: Any, input_tensor: Any, image: tuple[int, int, int]) -> Any:
    """Return the shape that was asked for, or `image` (channels last) where none was."""
    if request_shape is not None or input_tensor is not None:
        return request_shape
    return (image[2], *image[:2]) if image_data_format() == "channels_first" else image


def list_models(form: str | None = None) -> list[str]:
    """Return the names that `build` knows.

    Args:
        form: only those of this form: `"torchvision"`, `"published"`, `"CIFAR"`, `"notes"` or `"Keras"`.

    Raises:
        UnknownNameError: no architecture has this form.

    Example:
        >>> list_models("CIFAR")
        ['resnet110', 'resnet20', 'resnet32', 'resnet44', 'resnet56']
    """
    forms = sorted({row.form for row in ARCHITECTURES.values()})
    if form is not None and form not in forms:
        raise UnknownNameError(message("list_models", expected=f"a form among {', '.join(forms)}", got=form))
    return sorted(name for name, row in ARCHITECTURES.items() if form in (None, row.form))


def get(name: str) -> Callable[..., Any]:
    """Return the function of an architecture.

    The exact name is meant first (`"resnet50"` is torchvision's form, `"ResNet50"` Keras's); then one that
    differs in case, hyphens and the like alone.

    Raises:
        UnknownNameError: no architecture has this name, or several might be meant.

    Example:
        >>> get("ResNet-18").__name__
        'resnet18'
    """
    return find(name).make


def find(name: str) -> Architecture:
    """Return the row of an architecture.

    Raises:
        UnknownNameError: no architecture has this name, or several might be meant.
    """
    if isinstance(name, str) and name in ARCHITECTURES:
        return ARCHITECTURES[name]
    plain = _plain(str(name))
    alike = [known for known in ARCHITECTURES if _plain(known) == plain]
    if len(alike) == 1:
        return ARCHITECTURES[alike[0]]
    close = alike or nearest(str(name), ARCHITECTURES)
    hint = (
        f"Did you mean {' or '.join(repr(c) for c in close)}?" if close else "`list_models()` has them all."
    )
    raise UnknownNameError(message("zoo", expected="the name of an architecture", got=repr(name), do=hint))


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def build(name: str, **arguments: Any) -> Any:
    """Return a model of the architecture called `name`; without `weights`, they are drawn at random.

    Args:
        name: of the architecture; see `get`.
        **arguments: those of its function.

    Example:
        >>> build("resnet20", classes=4).output_shape
        (None, 4)
    """
    row = find(name)
    if row.image is not None:
        arguments.setdefault("weights", None)
    return row.make(**arguments)
