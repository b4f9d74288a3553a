"""Networks without their classifier that take images as they come from files: where transfer starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from neocog.applications._known_files import KnownFile, known_by_hash, known_for
from neocog.applications._name_maps import Found, recognise
from neocog.applications._predictions import class_names, decode_predictions
from neocog.applications._preparation import MODES, Preparation
from neocog.applications._state_weights import load_state_file
from neocog.applications._weights import load_keras_file, loaded_from, weight_path
from neocog.core import check_int, check_one_of, image_data_format
from neocog.data import check_known_file, file_sha256
from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.files import StateFile, holds_state_dict, read_state_dict
from neocog.layers import Input
from neocog.zoo._architecture import ARCHITECTURES, Architecture, find

_CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """A network without its classifier, with what belongs to it.

    Attributes:
        name: the architecture, as `zoo.build` knows it.
        model: takes RGB images with values from 0 to 255 (its preparation is its first layers) and gives the
            last feature maps.
        image_size: height and width that it is made for.
        weights_sha256: checksum of the weight file; None for weights drawn at random.
        options: the architecture's arguments, such as `{"alpha": 0.75}`.
        classes: outputs of the file's classifier; None where it has none.
        preparation: what is done to the images first.
    """

    name: str
    model: Any = field(repr=False)
    image_size: tuple[int, int]
    weights_sha256: str | None
    options: Mapping[str, Any]
    classes: int | None
    preparation: Preparation
    _plan: _Plan = field(repr=False)

    @cached_property
    def top(self) -> Any:
        """The network with its classifier, built and loaded when it is first asked for; None without one.

        It takes the same images and gives probabilities. Its weights are its own: training `model` leaves it
        as it is.
        """
        return None if self.classes is None else self._plan.model(include_top=True, classes=self.classes)

    @cached_property
    def class_names(self) -> tuple[str, ...] | None:
        """Names of the classifier's classes, where they are known and at hand; else None."""
        dataset = self._plan.dataset
        if dataset == "cifar10" and self.classes == 10:
            return _CIFAR10
        return class_names() if dataset == "imagenet" and self.classes == 1000 else None

    def decode_predictions(self, predictions: Any, top: int = 5) -> list[list[tuple[str, str, Any]]]:
        """Return ImageNet's names of the best classes, as `applications.imagenet_utils` does."""
        return decode_predictions(predictions, top)


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """How to make the network, with and without classifier."""

    row: Architecture
    size: tuple[int, int]
    preparation: Preparation
    options: Mapping[str, Any]
    state: StateFile | None = None
    keras_file: Path | None = None
    published: bool = False
    dataset: str | None = None

    def model(self, *, include_top: bool, **head: Any) -> Any:
        """Return the network with its weights."""
        channels = (self.row.image or (3,))[-1]
        first = image_data_format() == "channels_first"
        shape = (channels, *self.size) if first else (*self.size, channels)
        image = self.preparation(Input(shape))
        made = self.row.make(
            include_top=include_top,
            weights="imagenet" if self.published else None,
            input_tensor=image,
            input_shape=shape,
            name=self.row.name,
            **head,
            **self.options,
        )
        if self.state is not None:
            load_state_file(self.row.name, made, self.state, include_top)
        elif self.keras_file is not None:
            load_keras_file(self.row.name, made, self.keras_file, include_top)
        return made


def backbone(
    name: str,
    weights: Any = None,
    *,
    image_size: int | tuple[int, int] | None = None,
    preprocessing: str | None = None,
    **variant: Any,
) -> Backbone:
    """Return an architecture without its classifier, with its preparation of images inside.

    Args:
        name: as `zoo.build` knows it: `"mobilenet"`, `"resnet18"`, `"vgg16"` …
        weights: None draws them at random; `"imagenet"` takes a known file on this machine, or the one that
            Keras publishes; the path of a weight file; or an address with its SHA-256.
        image_size: height and width of the images; None takes what the weights were trained at.
        preprocessing: how pixels are prepared: `"tf"`, `"torch"`, `"caffe"`, `"unit"` or `"none"`; None takes
            what belongs to the weights.
        **variant: arguments of the architecture; those that the file's tensors tell (width, depth) need
            not be given.

    Raises:
        UnknownNameError: no architecture has this name.
        ShapeError: the weights are of another architecture; the message says what they look like.
        FileFormatError: the file is damaged, or of a kind that is not opened.

    Example:
        >>> base = backbone("mobilenet", alpha=0.25, image_size=64)
        >>> base.model.output_shape, base.image_size, base.top
        ((None, 2, 2, 256), (64, 64), None)
    """
    check_one_of("backbone", "preprocessing", preprocessing, (None, *MODES))
    row = find(name)
    given = None if image_size is None else _sizes(image_size)
    if isinstance(weights, str) and weights == "imagenet":
        known = known_for(row.name, variant)
        if known is None:
            return _of_published(row, given, preprocessing, variant)
        weights = known[1]
    if weights is None:
        return _finished(_plan(row, given, preprocessing, variant), None, None)
    path = weight_path("backbone", weights)
    check_known_file(path)
    if holds_state_dict(path):
        return _of_state(row, read_state_dict(path), given, preprocessing, variant)
    return _of_keras_file(row, path, given, preprocessing, variant)


def _of_state(
    row: Architecture,
    state: StateFile,
    size: tuple[int, int] | None,
    preprocessing: str | None,
    variant: dict[str, Any],
) -> Backbone:
    """Return the backbone of a state dict, in the form and the variant that its tensors tell."""
    found = recognise({name: tuple(value.shape) for name, value in state.tensors.items()})
    if found is not None and found.model not in (None, row.name) and _same_family(str(found.model), row.name):
        row = find(str(found.model))
    options = {**(found.options if found is not None and found.model == row.name else {}), **variant}
    known = known_by_hash(state.sha256)
    plan = _plan(row, size, preprocessing, options, state=state, known=known, found=found)
    classes = found.classes if found is not None else None
    return _finished(plan, classes, state.sha256)


def _of_keras_file(
    row: Architecture,
    path: Path,
    size: tuple[int, int] | None,
    preprocessing: str | None,
    variant: dict[str, Any],
) -> Backbone:
    """Return the backbone of a file in Keras's formats: of the form that is meant, else of Keras's own."""
    others = [each for name, each in ARCHITECTURES.items() if _same_family(name, row.name)]
    refused: list[ShapeError] = []
    for each in (row, *(other for other in others if other.form == "Keras" and other is not row)):
        try:
            return _of_keras_form(each, path, size, preprocessing, variant)
        except ShapeError as error:
            refused.append(error)
    raise refused[0]


def _of_keras_form(
    row: Architecture,
    path: Path,
    size: tuple[int, int] | None,
    preprocessing: str | None,
    variant: dict[str, Any],
) -> Backbone:
    """Return the backbone of a file in Keras's formats, which may have the classifier or not."""
    plan = _plan(row, size, preprocessing, variant, keras_file=path)
    headless = replace(plan, keras_file=None).model(include_top=False)
    classes = load_keras_file(row.name, headless, path, include_top=False)
    return _finished(plan, classes, file_sha256(path), model=headless)


def _of_published(
    row: Architecture, size: tuple[int, int] | None, preprocessing: str | None, variant: dict[str, Any]
) -> Backbone:
    """Return the backbone with the weights that Keras publishes; the classifier is for one size alone."""
    plan = _plan(row, size, preprocessing, variant, published=True)
    model = plan.model(include_top=False)
    path = loaded_from(model)
    digest = None if path is None else file_sha256(path)
    whole = row.image is not None and plan.size == row.image[:2]
    return _finished(plan, 1000 if whole else None, digest, model=model)


def _plan(
    row: Architecture,
    size: tuple[int, int] | None,
    preprocessing: str | None,
    options: Mapping[str, Any],
    *,
    known: KnownFile | None = None,
    found: Found | None = None,
    **source: Any,
) -> _Plan:
    if row.image is None:
        raise ArgumentError(
            message("backbone", expected="an architecture for images", got=f"{row.name!r}, one for text")
        )
    preparation = MODES[row.pixels]
    if preprocessing is not None:
        preparation = MODES[preprocessing]
    elif known is not None:
        preparation = known.preparation
    elif found is not None:
        preparation = MODES[found.pixels]
    default = known.image_size if known is not None else (row.image[0], row.image[1])
    dataset = known.dataset if known is not None else "imagenet"
    return _Plan(
        row=row,
        size=size or default,
        preparation=preparation,
        options=dict(options),
        dataset=dataset,
        **source,
    )


def _finished(plan: _Plan, classes: int | None, sha256: str | None, model: Any = None) -> Backbone:
    return Backbone(
        name=plan.row.name,
        model=plan.model(include_top=False) if model is None else model,
        image_size=plan.size,
        weights_sha256=sha256,
        options=plan.options,
        classes=classes,
        preparation=plan.preparation,
        _plan=plan,
    )


def _sizes(image_size: Any) -> tuple[int, int]:
    """Return height and width, checked."""
    pair = (image_size, image_size) if not isinstance(image_size, (tuple, list)) else tuple(image_size)
    if len(pair) != 2:
        raise ArgumentError(
            message("backbone", expected="image_size of height and width", got=repr(image_size))
        )
    height, width = (check_int("backbone", "image_size", each, minimum=1) for each in pair)
    return height, width


def _same_family(one: str, other: str) -> bool:
    """Whether two names are forms of one architecture, as Keras's `"ResNet50"` and the zoo's `"resnet50"`."""
    return one.lower().replace("_", "") == other.lower().replace("_", "")
