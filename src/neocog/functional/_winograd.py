"""3×3 convolutions by Winograd's minimal filtering: float32 on a CPU, with a quarter of the multiplications.

4 by 4 outputs of one channel need 144 multiplications as they are defined. Read as products of polynomials,
taken at 6 points along each axis, they need 36 (Lavin & Gray 2016, arXiv:1509.09308). The sums over channels
become 36 products of matrices; the way there and back is one product each with a small constant matrix.
The points 0, 1, -1, 1/2, -2 and infinity keep the rounding errors small (Barabasz et al. 2019,
arXiv:1803.10986): they are twice those of oneDNN's convolution, where 2, -2 in place of 1/2, -2 make four
times.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

import torch

from neocog.core import pages_apart
from neocog.functional._autocast import autocasts, full_precision, runs_now
from neocog.functional._conv_gradients import Gradients, takes_gradients, torch_gradients
from neocog.functional._conv_ways import conv_ways
from neocog.functional._padding import ConvPadding, Window, places

_TILE = 4  # outputs along each axis that are computed together
_SEEN = 6  # inputs along each axis that they see
# Values at the points: of 6 inputs (rows: points), of 3 weights, and 4 outputs from the values of products.
_OF_INPUTS = (
    (1, -1.5, -2, 1.5, 1, 0),
    (0, -1, 0.5, 2.5, 1, 0),
    (0, 1, -2.5, 0.5, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 0.5, -1, -0.5, 1, 0),
    (0, 1, -1.5, -2, 1.5, 1),
)
_OF_WEIGHTS = (
    (1, 0, 0),
    (1 / 3, 1 / 3, 1 / 3),
    (-1 / 3, 1 / 3, -1 / 3),
    (-16 / 15, -8 / 15, -4 / 15),
    (1 / 15, -2 / 15, 4 / 15),
    (0, 0, 1),
)
_TO_OUTPUTS = (
    (1, 1, 1, 1, 1, 0),
    (0, 1, -1, 0.5, -2, 0),
    (0, 1, 1, 0.25, 4, 0),
    (0, 1, -1, 0.125, -8, 1),
)
_AT_ONES = _SEEN + 1  # the product at the points (1, 1), which counts once in each of the 16 outputs

_VALUES_AT_ONCE = 65_536  # tiles times channels: what stays near the processor
_LARGEST_ROOM = 1 << 25  # float32 values

Finish = Callable[[torch.Tensor], Any]


@dataclass(frozen=True, slots=True)
class _Part:
    """Tiles that are computed at once: rows of tiles of some images."""

    images: slice
    row: int
    rows: int


def winograd(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    window: Window,
    padding: ConvPadding,
    groups: int = 1,
    finish: Finish | None = None,
) -> torch.Tensor | None:
    """Return the convolution by Winograd's filtering, or None where that is not faster, or not known.

    Args:
        x: (B, C, H, W), channels_last in memory for speed.
        weight: (filters, C, 3, 3).
        bias: (filters,), or None.
        window: strides and dilation.
        padding: from `conv_padding`; `first` is done.
        groups: number of independent parts that the channels are split into.
        finish: what is done to the outputs in place while they are near; only where no gradient is taken.
    """
    if weight.dim() != 4 or weight.shape[2:] != (3, 3) or groups != 1 or x.device.type != "cpu":
        return None
    if x.dim() != 4 or x.shape[1] != weight.shape[1]:
        return None  # torch's convolution says what is wrong
    if window.strides != (1, 1) or window.dilation != (1, 1) or max(padding.kernel) > 2:
        return None
    if x.dtype is not torch.float32 or weight.dtype is not torch.float32 or autocasts(x) or not runs_now(x):
        return None
    (filters, channels), (high, wide) = weight.shape[:2], places(x.shape[2:], window, padding)
    top, left = padding.kernel
    learns = takes_gradients(x, weight, bias)
    if not _pays(len(x), filters, channels, high, wide, learns) or not multiplies_exactly():
        return None
    if learns:
        if finish is not None:
            raise ValueError("`finish` is for outputs that no gradient is taken of")
        return _Winograd.apply(x, weight, bias, (top, left))  # type: ignore[no-any-return, no-untyped-call]
    return _convolved(x, weight, bias, (top, left), finish)


def _pays(batch: int, filters: int, channels: int, high: int, wide: int, learns: bool) -> bool:
    """Whether there are channels and tiles enough, and the tiles full enough."""
    limits = conv_ways().learned if learns else conv_ways().inferred
    if min(filters, channels) < limits.channels or filters * channels < limits.products:
        return False
    if high < 1 or wide < 1:
        return False
    tiles = batch * -(-high // _TILE) * -(-wide // _TILE)
    saved = 9 * batch * high * wide >= limits.saved * _SEEN**2 * tiles
    return saved and tiles >= limits.tiles


def multiplies_exactly() -> bool:
    """Whether products of float32 matrices are computed in float32, and by the libraries measured."""
    return bool(torch.backends.mkldnn.enabled) and torch.get_float32_matmul_precision() == "highest"


class _Winograd(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, padding: tuple[int, int]
    ) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        ctx.padding, ctx.biased = padding, bias is not None
        return _convolved(x, weight, bias, padding)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Gradients:
        x, weight = ctx.saved_tensors
        (gradient,) = gradients
        filters, channels = weight.shape[:2]
        wanted = [ctx.needs_input_grad[0], ctx.needs_input_grad[1], ctx.needs_input_grad[2] and ctx.biased]
        high, wide = x.shape[2:]
        again = torch.is_grad_enabled()  # gradients of gradients: by torch's own, which it can derive
        mine = wanted[0] and not again and _pays(len(x), channels, filters, high, wide, True)
        to_x = None
        if mine:
            wanted[0] = False
            turned = weight.flip(2, 3).transpose(0, 1)
            with full_precision(x):
                to_x = _convolved(gradient, turned, None, (2 - ctx.padding[0], 2 - ctx.padding[1]))
        if not any(wanted):
            return to_x, None, None, None
        found = torch_gradients(gradient, x, weight, (1, 1), ctx.padding, (1, 1), wanted)
        return to_x if mine else found[0], found[1], found[2], None


def _convolved(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    padding: tuple[int, int],
    finish: Finish | None = None,
) -> torch.Tensor:
    filters, channels = weight.shape[:2]
    high, wide = (size + 2 * side - 2 for size, side in zip(x.shape[2:], padding, strict=True))
    tall, broad = -(-high // _TILE), -(-wide // _TILE)
    outputs = torch.empty((len(x), filters, high, wide), memory_format=torch.channels_last)
    of_inputs, of_weights, to_outputs = _matrices()
    parts = list(_parts(len(x), tall, broad, _VALUES_AT_ONCE // max(filters, channels)))
    most = max((part.images.stop - part.images.start) * part.rows for part in parts) * broad
    some = max(_SEEN**2 * most * max(filters, channels), 9 * filters * channels)
    near, far, last = _room(some, some, _SEEN**2 * filters * channels)
    taps = _shaped(near, 9, filters * channels)
    taps.view(3, 3, filters, channels).copy_(weight.permute(2, 3, 0, 1))
    kernels = torch.mm(of_weights, taps, out=_shaped(last, _SEEN**2, filters * channels))
    kernels = kernels.view(_SEEN**2, filters, channels).mT
    for part in parts:
        images = x.permute(0, 2, 3, 1)[part.images]
        size = (len(images), part.rows, broad)
        count = math.prod(size)
        tiles = _shaped(near, _SEEN**2, count * channels)
        _gather(_padded(images, part, broad, padding, far), tiles.view(_SEEN**2, *size, channels))
        values = torch.mm(of_inputs, tiles, out=_shaped(far, _SEEN**2, count * channels))
        values = values.view(_SEEN**2, count, channels)
        products = torch.bmm(values, kernels, out=_shaped(near, _SEEN**2, count, filters))
        if bias is not None:
            products[_AT_ONES] += bias
        flat = products.view(_SEEN**2, -1)
        found = torch.mm(to_outputs, flat, out=_shaped(far, _TILE**2, count * filters))
        first = part.row * _TILE
        target = outputs.permute(0, 2, 3, 1)[part.images, first : first + part.rows * _TILE]
        _lay(found.view(_TILE**2, *size, filters), target)
        if finish is not None:
            finish(target)
    return outputs


class _Kept(threading.local):
    """The room of earlier calls of a thread."""

    values: torch.Tensor | None = None


_kept = _Kept()


def _room(*counts: int) -> list[torch.Tensor]:
    """Return flat tensors of these sizes, whatever they hold: the same memory from call to call.

    Up to 128 MB stay with the thread, apart from the blocks that activations are made of: taken there and
    freed by every layer, they left no room for the large ones (a quarter of VGG-16's memory).
    """
    total = sum(counts)
    values = _kept.values
    if values is None or values.numel() < total:
        with torch.inference_mode(False):
            pages = pages_apart(4 * total)
            values = torch.empty(total) if pages is None else torch.frombuffer(pages, dtype=torch.float32)
        _kept.values = values if total <= _LARGEST_ROOM else None
    ends = accumulate(counts)
    return [values[end - count : end] for count, end in zip(counts, ends, strict=True)]


@lru_cache
def _matrices() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the three matrices for both axes at once: (36, 36), (36, 9) and (16, 36)."""
    with torch.inference_mode(False):  # tensors of inference could not be used in training later
        matrices = (
            torch.tensor(rows, dtype=torch.float64) for rows in (_OF_INPUTS, _OF_WEIGHTS, _TO_OUTPUTS)
        )
        of_inputs, of_weights, to_outputs = (torch.kron(matrix, matrix).float() for matrix in matrices)
        return of_inputs, of_weights, to_outputs


def _parts(batch: int, tall: int, broad: int, limit: int) -> Iterator[_Part]:
    """Yield parts of about `limit` tiles: whole images, or rows of one where that has more."""
    several = max(1, round(limit / (tall * broad)))
    rows = tall if 2 * limit > tall * broad else max(1, limit // broad)
    for first in range(0, batch, several):
        for row in range(0, tall, rows):
            yield _Part(slice(first, min(first + several, batch)), row, min(rows, tall - row))


def _padded(
    images: torch.Tensor, part: _Part, broad: int, padding: tuple[int, int], room: torch.Tensor
) -> torch.Tensor:
    """Return what the tiles of a part see together, (B, height, width, C), in `room`."""
    (top, left), width = padding, images.shape[2]
    first, last = part.row * _TILE - top, (part.row + part.rows) * _TILE + 2 - top
    padded = _shaped(room, len(images), last - first, broad * _TILE + 2, images.shape[3]).zero_()
    images = images[:, max(first, 0) : last]
    padded[:, max(-first, 0) :, left : left + width][:, : images.shape[1]] = images
    return padded


# In both directions one axis of tiles after the other: torch keeps the sizes of tensors with over five axes
# in blocks of their own, which lie in the way of the next large tensor long after.


def _gather(padded: torch.Tensor, tiles: torch.Tensor) -> None:
    """Write what each tile sees, (36, B, rows, columns, C)."""
    _, batch, rows, columns, channels = tiles.shape
    outer, down, along, inner = padded.stride()
    strides = (along, outer, _TILE * down, _TILE * along, inner)
    for i in range(_SEEN):
        first = padded.storage_offset() + i * down
        seen = padded.as_strided((_SEEN, batch, rows, columns, channels), strides, first)
        tiles[i * _SEEN : (i + 1) * _SEEN].copy_(seen)


def _lay(tiles: torch.Tensor, target: torch.Tensor) -> None:
    """Write tiles, (16, B, rows, columns, filters), where they belong, but for what lies beyond the edge."""
    _, _, rows, columns, filters = tiles.shape
    batch, high, wide, _ = target.shape
    for i in range(_TILE):
        line = tiles[i * _TILE : (i + 1) * _TILE]
        if (high, wide) == (rows * _TILE, columns * _TILE):
            inner = target[:, i::_TILE].view(batch, rows, columns, _TILE, filters)
            inner.copy_(line.permute(1, 2, 3, 0, 4))
            continue
        for j in range(_TILE):
            inner = target[:, i::_TILE, j::_TILE]
            inner.copy_(line[j, :, : inner.shape[1], : inner.shape[2]])


def _shaped(memory: torch.Tensor, *shape: int) -> torch.Tensor:
    """Return the beginning of `memory` as a tensor of a shape."""
    return memory[: math.prod(shape)].view(shape)
