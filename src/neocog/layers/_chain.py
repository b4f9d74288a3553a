"""Blocks that follow each other, in oneDNN's own tensors as long as images are large.

The numbers are those of the blocks one by one: the same kernels, without torch's pooling between them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from neocog.functional import (
    Layout,
    from_onednn,
    onednn_conv,
    onednn_max_pool,
    onednn_pays,
    places,
    to_onednn,
)
from neocog.layers._block import Block
from neocog.layers._conv import Conv2D

# Values of a batch: below, the caches hold them, and torch's own pooling costs little.
_LARGE = 1 << 23
_SMALL = 1 << 21
# How many of them lie in what goes in, at most: it is copied.
_SHARE_OF_INPUTS = 4


class Chain:
    """Blocks of convolution, rectifier and max pooling, each on the outputs of the one before.

    Args:
        blocks: two or more of which each `may_follow`, or one that pools.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = list(blocks)

    def __call__(self, inputs: Any) -> Any:
        """Compute what the blocks, one after the other, stand for."""
        count = self._count(inputs) if isinstance(inputs, torch.Tensor) and onednn_pays(inputs) else 0
        x = inputs
        if count:
            head = _layout_of(self.blocks[0])
            x = to_onednn(head.inward(x))
            for block in self.blocks[:count]:
                x = _run(block, x)
            x = head.outward(from_onednn(x))
        for block in self.blocks[count:]:
            x = block(x)
        return x

    def _count(self, inputs: torch.Tensor) -> int:
        """How many blocks run in oneDNN's tensors: up to the last pooling before images are small."""
        shape = tuple(_layout_of(self.blocks[0]).inward(inputs).shape)
        found = 0
        for number, block in enumerate(self.blocks, 1):
            layer: Any = block.convolution
            if block.must_run_plainly(inputs) or not layer.built:
                break
            before, shape = shape, _after(block, shape)
            made = len(inputs) * layer.filters * before[2] * before[3]
            if number == 1 and (made < _LARGE or _SHARE_OF_INPUTS * inputs.numel() > made):
                break
            if block.pooling is not None:
                found = number
            if min(shape) < 1 or math.prod(shape) < _SMALL:
                break
        return found if min(shape) > 0 else 0


def may_start(block: Any) -> bool:
    """Return whether a chain can have this block."""
    if not isinstance(block, Block) or type(block.convolution) is not Conv2D or block.normalization:
        return False
    layer = block.convolution
    if layer.parts != 1 or block.ceiling is not None or layer._padding is None or layer._padding.first:
        return False
    if not block.rectifies and not block.is_linear:
        return False
    pooling = block.pooling
    return pooling is None or (pooling._padding is not None and pooling._layout == layer._layout)


def may_follow(before: Block, block: Any) -> bool:
    """Return whether `block` can stand behind `before` in a chain."""
    return may_start(block) and _layout_of(block) == _layout_of(before)


def _layout_of(block: Block) -> Layout:
    return block.convolution._layout  # type: ignore[union-attr]


def _after(block: Block, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape (B, C, H, W) that a block makes of another."""
    layer: Any = block.convolution
    sizes = places(shape[2:], layer._window, layer._padding)
    if block.pooling is not None:
        padding: Any = block.pooling._padding
        sizes = places(sizes, block.pooling._window, padding)
    return shape[0], layer.filters, *sizes


def _run(block: Block, x: torch.Tensor) -> torch.Tensor:
    layer: Any = block.convolution
    x = onednn_conv(x, layer.weight, layer.bias, layer._window, layer._padding)
    if block.pooling is None:
        return torch.relu_(x) if block.rectifies else x
    padding: Any = block.pooling._padding
    x = onednn_max_pool(x, block.pooling._window, padding)
    return torch.relu(x) if block.rectifies else x  # not in place: the pooling's gradient reads its outputs
