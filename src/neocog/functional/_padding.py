"""TensorFlow's padding arithmetic: what goes on each side of an axis, and how long the result is.

The plan is made from sizes alone; `functional._conv` and `functional._pool` carry it out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch

Plan = TypeVar("Plan")


@dataclass(frozen=True, slots=True)
class Window:
    """The windows that slide over the spatial axes, in torch's order: series are images of height 1.

    Attributes:
        kernel: sizes of the window.
        strides: steps between windows.
        dilation: distance between the taps of one window.
        padding: `"valid"`, `"same"` or `"causal"`.
        lopsided: whether only the last of several axes has strides.
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: str = "valid"
    lopsided: bool = False


def make_window(
    kernel: tuple[int, ...], strides: tuple[int, ...], dilation: tuple[int, ...], padding: str
) -> Window:
    """Return the window for public arguments of 1 to 3 axes."""
    if len(kernel) == 1:
        return Window((1, *kernel), (1, *strides), (1, *dilation), padding)
    return Window(kernel, strides, dilation, padding, lopsided=strides[-1] > 1 and strides[-2] == 1)


def extent(kernel: int, dilation: int = 1) -> int:
    """Return how many positions a dilated window spans."""
    return (kernel - 1) * dilation + 1


def output_length(size: int | None, kernel: int, stride: int, dilation: int, padding: str) -> int | None:
    """Return the number of windows along an axis of `size`; 0 or less when none fits.

    Example:
        >>> [output_length(7, 3, 2, 1, padding) for padding in ("valid", "same")]
        [3, 4]
    """
    if size is None:
        return None
    if padding != "valid":
        return (size - 1) // stride + 1
    return (size - extent(kernel, dilation)) // stride + 1


def places(sizes: Sequence[int], window: Window, padding: ConvPadding | PoolPadding) -> tuple[int, ...]:
    """Return how many windows fit along axes of these sizes, padded on both sides; 0 where none does."""
    axes = zip(sizes, padding.kernel, window.kernel, window.strides, window.dilation, strict=True)
    return tuple(max((n + 2 * pad - extent(k, d)) // s + 1, 0) for n, pad, k, s, d in axes)


def same_padding(size: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """Return what `"same"` adds before and after an axis; the odd one goes after.

    Example:
        >>> same_padding(5, 3, 1), same_padding(6, 3, 2)
        ((1, 1), (0, 1))
    """
    windows = -(-size // stride)
    total = max(0, (windows - 1) * stride + extent(kernel, dilation) - size)
    return total // 2, total - total // 2


@dataclass(frozen=True, slots=True)
class ConvPadding:
    """How a convolution is padded.

    Attributes:
        kernel: padding on both sides that the kernel itself applies, at no cost.
        first: what `F.pad` adds before it (last axis first), where the two sides differ; else None.
    """

    kernel: tuple[int, ...]
    first: tuple[int, ...] | None = None


def fixed_conv_padding(window: Window) -> ConvPadding | None:
    """Return the padding of a convolution where it is the same for inputs of every size, else None."""
    if window.padding == "valid":
        return ConvPadding((0,) * len(window.kernel))
    spans = [extent(k, d) for k, d in zip(window.kernel, window.dilation, strict=True)]
    if window.padding == "causal":
        return _conv_padding([(span - 1, 0) for span in spans])
    if all(stride == 1 for stride in window.strides):
        return _conv_padding([((span - 1) // 2, span // 2) for span in spans])
    return None


def conv_padding(window: Window, sizes: tuple[int, ...]) -> ConvPadding:
    """Return the padding of a convolution over axes of these sizes."""
    fixed = fixed_conv_padding(window)
    if fixed is not None:
        return fixed
    return _conv_padding(
        [
            same_padding(size, k, s, d)
            for size, k, s, d in zip(sizes, window.kernel, window.strides, window.dilation, strict=True)
        ]
    )


def _conv_padding(pads: list[tuple[int, int]]) -> ConvPadding:
    if all(before == after for before, after in pads):
        return ConvPadding(tuple(before for before, _ in pads))
    return ConvPadding((0,) * len(pads), tuple(side for pair in reversed(pads) for side in pair))


@dataclass(frozen=True, slots=True)
class PoolPadding:
    """How a pooling is padded, without a copy of its input where that can be.

    Attributes:
        kernel: padding on both sides, which the kernel leaves out of maxima and averages.
        ceil_mode: whether the last window may reach over the end, onto the odd one of `"same"`.
        trim: results to leave out at the start of each axis, where both sides got the odd one; None for none.
        copied: copies of the border put around the input first, as `F.pad` takes them; None for none.
    """

    kernel: tuple[int, ...]
    ceil_mode: bool = False
    trim: tuple[int, ...] | None = None
    copied: tuple[int, ...] | None = None


def pool_padding(window: Window, sizes: tuple[int, ...]) -> PoolPadding:
    """Return the padding of a pooling over axes of these sizes."""
    if window.padding == "valid":
        return PoolPadding((0,) * len(window.kernel))
    pads = [same_padding(size, k, s) for size, k, s in zip(sizes, window.kernel, window.strides, strict=True)]
    # An odd one at the end: with strides, torch's ceil_mode gives exactly that window. With stride 1 it
    # gives none; padding both sides by the larger number and leaving out the first result does.
    odd = [after - before for before, after in pads]
    trim = tuple(extra if stride == 1 else 0 for extra, stride in zip(odd, window.strides, strict=True))
    kernel = tuple(before + cut for (before, _), cut in zip(pads, trim, strict=True))
    return PoolPadding(kernel, ceil_mode=True, trim=trim if any(trim) else None)


def average_padding(window: Window, sizes: tuple[int, ...]) -> PoolPadding:
    """Return the padding of an average pooling over axes of these sizes.

    As in Keras on torch: even padding does not count; where an odd pixel is added, copies of the border
    count.
    """
    if window.padding == "valid":
        return PoolPadding((0,) * len(window.kernel))
    pads = [same_padding(size, k, s) for size, k, s in zip(sizes, window.kernel, window.strides, strict=True)]
    if all(before == after for before, after in pads):
        return PoolPadding(tuple(before for before, _ in pads))
    copied = tuple(number for before, after in reversed(pads) for number in (before, after))
    return PoolPadding((0,) * len(window.kernel), copied=copied)


def smallest_input(window: Window) -> tuple[int, ...]:
    """Return the least sizes that give a result."""
    if window.padding != "valid":
        return (1,) * len(window.kernel)
    return tuple(extent(k, d) for k, d in zip(window.kernel, window.dilation, strict=True))


@dataclass(frozen=True, slots=True)
class TransposedPadding:
    """How a transposed convolution, whose full result is longer, is cut to Keras's length.

    Attributes:
        kernel: what the kernel leaves out on both sides.
        output_padding: what the kernel adds at the end.
        trim: what is still to be cut at the start and the end of each axis; None for nothing.
    """

    kernel: tuple[int, ...]
    output_padding: tuple[int, ...]
    trim: tuple[tuple[int, int], ...] | None


def transposed_length(
    size: int | None, kernel: int, stride: int, dilation: int, padding: str, output_padding: int | None
) -> int | None:
    """Return the length of a transposed convolution's result.

    Example:
        >>> [transposed_length(4, 3, 2, 1, padding, None) for padding in ("valid", "same")]
        [9, 8]
    """
    if size is None:
        return None
    before, after = _transposed_cuts(kernel, stride, dilation, padding, output_padding)
    return (size - 1) * stride + extent(kernel, dilation) - before - after


def transposed_padding(window: Window, output_padding: Sequence[int | None]) -> TransposedPadding:
    """Return how the full result of a transposed convolution is cut; the same for inputs of every size."""
    cuts = [
        _transposed_cuts(k, s, d, window.padding, extra)
        for k, s, d, extra in zip(window.kernel, window.strides, window.dilation, output_padding, strict=True)
    ]
    kernel = tuple(max(0, min(before, after)) for before, after in cuts)
    rest = tuple(
        (before - both, max(after, 0) - both) for (before, after), both in zip(cuts, kernel, strict=True)
    )
    return TransposedPadding(
        kernel=kernel,
        output_padding=tuple(max(0, -after) for _, after in cuts),
        trim=rest if any(start or end for start, end in rest) else None,
    )


def _transposed_cuts(
    kernel: int, stride: int, dilation: int, padding: str, output_padding: int | None
) -> tuple[int, int]:
    """What Keras leaves out of the full result at the start and at the end (negative: zeros are added)."""
    span = extent(kernel, dilation)
    if padding == "valid":
        return 0, -(max(span, stride) - span if output_padding is None else output_padding)
    if output_padding is None:
        total = span - stride  # the result is `stride` times as long
    else:
        total = span - span % 2 - output_padding
    before = max(0, total // 2)
    return before, total - before


class Plans(Generic[Plan]):
    """Plans of one window, made once for each size of input.

    Args:
        make: `conv_padding` or `pool_padding`.
        window: the window.
    """

    _most = 1024

    def __init__(self, make: Callable[[Window, tuple[int, ...]], Plan], window: Window) -> None:
        self._make = make
        self._window = window
        self._known: dict[tuple[int, ...], Plan] = {}

    def __call__(self, sizes: tuple[int, ...]) -> Plan:
        """Return the plan for inputs of these sizes."""
        if torch.compiler.is_compiling():  # sizes may be symbols; the plan becomes part of what is compiled
            return self._make(self._window, sizes)
        plan = self._known.get(sizes)
        if plan is None:
            if len(self._known) >= self._most:
                self._known.clear()
            plan = self._known[sizes] = self._make(self._window, sizes)
        return plan
