"""Convolution, normalisation, pooling and heads as torch's networks have them, made of Keras's layers.

Torch pads both sides alike, Keras's "same" puts an odd pixel at the end. Where the sizes are known and both
agree, "same" is used (no copy); otherwise a layer of zeros stands before the convolution or pooling.
"""

from __future__ import annotations

from typing import Any

from neocog.applications._request import Request, channel_axis, image_size, source_inputs
from neocog.core import check_number
from neocog.exceptions import ArgumentError, message
from neocog.functional import same_padding
from neocog.initializers import VarianceScaling
from neocog.layers import (
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    MaxPooling2D,
    Permute,
    ReLU,
    ZeroPadding2D,
)
from neocog.models import Model
from neocog.zoo._weights import load

Sides = tuple[tuple[int, int], tuple[int, int]]


def he_out() -> VarianceScaling:
    """Return the initializer of torchvision's residual networks and VGGs: He's for the outputs."""
    return VarianceScaling(2.0, "fan_out", "untruncated_normal")


def he_in() -> VarianceScaling:
    """Return the initializer of torchvision's SqueezeNets: He's uniform one for the inputs."""
    return VarianceScaling(2.0, "fan_in", "uniform")


def torch_default() -> VarianceScaling:
    """Return what torch draws unless told otherwise: uniform up to 1 / √inputs."""
    return VarianceScaling(1 / 3, "fan_in", "uniform")


def conv(
    x: Any,
    filters: int,
    kernel: int | tuple[int, int],
    name: str,
    *,
    stride: int = 1,
    padding: int | tuple[int, int] = 0,
    bias: bool = False,
    groups: int = 1,
    activation: str | None = None,
    initializer: Any = None,
) -> Any:
    """Return torch's convolution: `padding` zeros on both sides of height and width."""
    kernels = (kernel, kernel) if isinstance(kernel, int) else kernel
    pads = (padding, padding) if isinstance(padding, int) else padding
    sides = ((pads[0], pads[0]), (pads[1], pads[1]))
    x, mode = _padded(x, kernels, stride, sides, name)
    return Conv2D(
        filters,
        kernels,
        strides=stride,
        padding=mode,
        groups=groups,
        use_bias=bias,
        activation=activation,
        kernel_initializer=he_out() if initializer is None else initializer,
        name=name,
    )(x)


def depthwise(x: Any, kernel: int, name: str, *, stride: int = 1, padding: int = 0) -> Any:
    """Return torch's convolution of each channel on its own, without bias."""
    x, mode = _padded(x, (kernel, kernel), stride, ((padding, padding),) * 2, name)
    return DepthwiseConv2D(
        kernel,
        strides=stride,
        padding=mode,
        use_bias=False,
        depthwise_initializer=he_out(),
        name=name,
    )(x)


def max_pool(
    x: Any, kernel: int, stride: int, name: str, *, padding: int = 0, ceil_mode: bool = False
) -> Any:
    """Return torch's maximum pooling of rectified features, whose padding (minus infinity) zeros stand for.

    Args:
        x: features that are 0 or more.
        kernel: size of the windows.
        stride: steps between them.
        name: of the layer.
        padding: on both sides, at most half a window.
        ceil_mode: keep a last window that only begins inside; without padding, or with steps of 1.
    """
    more = stride - 1 if ceil_mode else 0
    sides = ((padding, padding + more),) * 2
    x, mode = _padded(x, (kernel, kernel), stride, sides, name)
    return MaxPooling2D(kernel, strides=stride, padding=mode, name=name)(x)


def _padded(x: Any, kernels: tuple[int, int], stride: int, sides: Any, name: str) -> tuple[Any, str]:
    """Return the features, with zeros around them if need be, and the mode of the layer that takes them."""
    sizes = image_size(tuple(x.shape[1:]))
    needed = [_needed(n, k, stride, *pair) for n, k, pair in zip(sizes, kernels, sides, strict=True)]
    if all(pair == (0, 0) for pair in needed):
        return x, "valid"
    if all(
        n is not None and same_padding(n, k, stride) == pair
        for n, k, pair in zip(sizes, kernels, needed, strict=True)
    ):
        return x, "same"
    return ZeroPadding2D(sides, name=f"{name}_pad")(x), "valid"


def _needed(size: int | None, kernel: int, stride: int, before: int, after: int) -> tuple[int, int]:
    """Return the zeros that some window sees: those at the end may lie beyond the last one."""
    if size is None:
        return before, after
    beyond = (size + before + after - kernel) % stride if size + before + after >= kernel else 0
    return before, max(after - beyond, 0)


def norm(
    x: Any, name: str, *, relu: str | None = None, epsilon: float = 1e-5, limit: float | None = None
) -> Any:
    """Return torch's batch normalisation, with a rectifier of the name `relu` (at most `limit`) after it."""
    x = BatchNormalization(axis=channel_axis(), momentum=0.9, epsilon=epsilon, name=name)(x)
    return x if relu is None else ReLU(limit, name=relu)(x)


def added(x: Any, shortcut: Any, name: str) -> Any:
    """Return the end of a residual block: the sum, rectified."""
    return ReLU(name=f"{name}_out")(Add(name=f"{name}_add")([x, shortcut]))


def flat(x: Any, start: str = "") -> Any:
    """Return features as vectors in torch's order, channels first: the order of the weights that follow."""
    if channel_axis() != 1:
        x = Permute((3, 1, 2), name=f"{start}channels_first")(x)
    return Flatten(name=f"{start}flatten")(x)


def dense(x: Any, units: int, name: str, activation: Any = None, initializer: Any = None) -> Any:
    """Return a dense layer with torch's first values."""
    initializer = torch_default() if initializer is None else initializer
    return Dense(units, activation=activation, kernel_initializer=initializer, name=name)(x)


def dropped(x: Any, rate: float, name: str) -> Any:
    """Return the features behind dropout; themselves for a rate of 0."""
    return Dropout(rate, name=name)(x) if rate else x


def finish(request: Request, image: Any, outputs: Any) -> Any:
    """Return the model, with the weights that were asked for."""
    sources = [image] if request.input_tensor is None else source_inputs(image)
    made = Model(sources[0] if len(sources) == 1 else sources, outputs, name=request.name)
    if request.weights is not None:
        load(request.where, made, request.weights, include_top=request.include_top)
    return made


def check_heads(request: Request, aux: bool, dropout: float) -> None:
    """Raise for a rate that is none, and for classifiers on the way without the one at the end."""
    check_number(request.where, "dropout", dropout, minimum=0)
    if aux and not request.include_top:
        expected = "include_top=True with aux=True"
        raise ArgumentError(message(request.where, expected=expected, got="include_top=False"))
