"""What every application is asked for: checks of its arguments, the image at its start, its head."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from neocog import activations
from neocog.applications._known_files import known_classes
from neocog.applications._weights import WeightFiles, as_address, load
from neocog.core import check_int, check_one_of, image_data_format
from neocog.exceptions import ArgumentError, ArgumentTypeError, message
from neocog.graph import SymbolicTensor
from neocog.layers import Dense, GlobalAveragePooling2D, GlobalMaxPooling2D, Input
from neocog.models import Model

Shape = tuple[int | None, ...]
_IMAGENET_CLASSES = 1000  # of the files that Keras publishes


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The arguments that all applications share.

    Attributes:
        where: the function's name, for error texts.
        include_top: end with the classifier.
        weights: None, `"imagenet"`, the path of a weight file, or an address with its SHA-256.
        input_tensor: symbolic tensor to start from; None makes an Input.
        input_shape: shape of one image; None takes the default.
        pooling: what ends a model without classifier: None, `"avg"` or `"max"`.
        classes: outputs of the classifier.
        classifier_activation: of the classifier; None gives logits.
        name: of the model.
    """

    where: str
    include_top: bool
    weights: Any
    input_tensor: Any
    input_shape: Any
    pooling: str | None
    classes: int
    classifier_activation: Any
    name: str | None

    def __post_init__(self) -> None:
        check_int(self.where, "classes", self.classes, minimum=1)
        check_one_of(self.where, "pooling", self.pooling, (None, "avg", "max"))
        _check_weights(self.where, self.weights)
        classes = known_classes(self.where) or _IMAGENET_CLASSES
        if self.pretrained and self.include_top and self.classes != classes:
            raise ArgumentError(
                message(
                    self.where,
                    expected=f'classes={classes} with weights="imagenet" and include_top=True',
                    got=self.classes,
                    do="Pass include_top=False and add a Dense of your own.",
                )
            )
        if self.include_top and self.weights is not None:
            known = (activations.get("softmax"), activations.get(None))
            if activations.get(self.classifier_activation) not in known:
                raise ArgumentError(
                    message(
                        self.where,
                        expected='classifier_activation "softmax" or None with pretrained weights',
                        got=repr(self.classifier_activation),
                    )
                )

    @property
    def pretrained(self) -> bool:
        """Whether published weights are asked for: ImageNet's, or what is known for the architecture."""
        return isinstance(self.weights, str) and self.weights == "imagenet"

    def shape(self, default_size: int, min_size: int, needs_size: bool | None = None) -> Shape:
        """Return the shape of one image, checked.

        Args:
            default_size: height and width where no shape is given.
            min_size: smallest height and width.
            needs_size: whether the size must be known; `include_top` when None.

        Raises:
            ArgumentError: another rank, too small, unknown where it must be known, or not ImageNet's form.
        """
        needs_size = self.include_top if needs_size is None else needs_size
        given = checked_shape(self.where, self.input_shape)
        if given is None:
            return _joined((default_size,) * 2 if needs_size else (None, None), 3)
        channels = _split(given)[1]
        default = _joined((default_size,) * 2, 3)
        if self.pretrained and needs_size and given != default:
            raise ArgumentError(
                message(
                    self.where,
                    expected=f'input_shape={default} with weights="imagenet" and include_top=True',
                    got=given,
                )
            )
        if self.pretrained and channels != 3:
            raise ArgumentError(
                message(self.where, expected='3 channels with weights="imagenet"', got=f"input_shape={given}")
            )
        if channels not in (1, 3):
            warnings.warn(
                f"{self.where}: expected images with 1 or 3 channels, got input_shape={given}.", stacklevel=5
            )
        check_size(self.where, given, min_size)
        if needs_size and None in given:
            raise ArgumentError(
                message(self.where, expected="a known input_shape with include_top=True", got=given)
            )
        return given

    def image(self, shape: Shape) -> SymbolicTensor:
        """Return the symbolic tensor to start from."""
        if self.input_tensor is None:
            return Input(shape)
        if not isinstance(self.input_tensor, SymbolicTensor):
            raise ArgumentTypeError(
                message(
                    self.where,
                    expected="input_tensor made by Input or by a layer called on one",
                    got=type(self.input_tensor).__name__,
                    do="Call the model on arrays and tensors instead.",
                )
            )
        return self.input_tensor

    def classified(self, x: Any, **options: Any) -> Any:
        """Return the classifier on flat features."""
        activation = self.classifier_activation
        return Dense(self.classes, activation=activation, name="predictions", **options)(x)

    def pooled(self, x: Any, *, named: bool = True) -> Any:
        """Return the features, pooled as asked for: the end of a model without classifier."""
        if self.pooling == "avg":
            return GlobalAveragePooling2D(name="avg_pool" if named else None)(x)
        if self.pooling == "max":
            return GlobalMaxPooling2D(name="max_pool" if named else None)(x)
        return x

    def model(self, image: SymbolicTensor, outputs: Any, files: WeightFiles, name: str | None = None) -> Any:
        """Return the model, with the weights that were asked for."""
        sources = [image] if self.input_tensor is None else source_inputs(image)
        inputs = sources[0] if len(sources) == 1 else sources
        made = Model(inputs, outputs, name=self.name or name)
        if self.weights is not None:
            load(self.where, made, self.weights, files, self.include_top)
        return made


def checked_shape(where: str, shape: Any) -> Shape | None:
    """Return a shape of one image as a tuple of three sizes, or None."""
    if shape is None:
        return None
    sizes = tuple(shape) if isinstance(shape, Sequence) and not isinstance(shape, str) else ()
    whole = all(size is None or (hasattr(size, "__index__") and size is not True) for size in sizes)
    if len(sizes) != 3 or not whole:
        raise ArgumentError(
            message(
                where,
                expected="input_shape of three sizes, without the batch",
                got=repr(shape),
                do="Such as (224, 224, 3).",
            )
        )
    return tuple(None if size is None else int(size) for size in sizes)


def check_size(where: str, shape: Shape, min_size: int) -> None:
    """Raise ArgumentError where height or width are too small."""
    if any(size is not None and size < min_size for size in _split(shape)[0]):
        raise ArgumentError(
            message(
                where,
                expected=f"images of {min_size}×{min_size} or more",
                got=f"input_shape={shape}",
                do="What is left after its strides would be nothing.",
            )
        )


def _check_weights(where: str, weights: Any) -> None:
    if weights is None or (isinstance(weights, str) and weights == "imagenet"):
        return
    as_address(where, weights)


def _split(shape: Shape) -> tuple[Shape, int | None]:
    """Return (height, width) and the channels of a shape of one image."""
    return (shape[1:], shape[0]) if channel_axis() == 1 else (shape[:-1], shape[-1])


def _joined(sizes: Shape, channels: int) -> Shape:
    return (channels, *sizes) if channel_axis() == 1 else (*sizes, channels)


def image_size(shape: Shape) -> Shape:
    """Return height and width of a shape of one image."""
    return _split(shape)[0]


def channel_axis() -> int:
    """Return the axis of the channels in a batch: 3, or 1 where `image_data_format()` says so."""
    return 1 if image_data_format() == "channels_first" else 3


def source_inputs(tensor: SymbolicTensor) -> list[SymbolicTensor]:
    """Return the Inputs that a symbolic tensor comes from, in order."""
    found: dict[int, SymbolicTensor] = {}
    seen: set[int] = set()
    stack = [tensor]
    while stack:
        current = stack.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if current.node is None:
            found[id(current)] = current
        else:
            stack.extend(reversed(current.node.inputs))
    return list(found.values())


def same_padding(x: SymbolicTensor, kernel: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the padding before a valid convolution of stride 2 that stands for TensorFlow's "same"."""
    sizes = image_size(tuple(x.shape[1:]))
    before = (1, 1) if sizes[0] is None else tuple(1 - (size or 0) % 2 for size in sizes)
    half = kernel // 2
    return ((half - before[0], half), (half - before[1], half))


def divisible(value: float, divisor: int = 8) -> int:
    """Return the multiple of `divisor` next to `value`, at most a tenth below it."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded
