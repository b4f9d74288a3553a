"""The blocks of a network, found from its graph and the names of its layers."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from torch import nn

from neocog.exceptions import UnknownNameError, message, nearest
from neocog.models._freezing import is_batch_norm
from neocog.transfer._graphs import boundaries, inlined, model_of

# Names of the same block, and what is common to them; the first that fits counts.
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(conv\d+_block\d+)_.+",  # ResNet, DenseNet
        r"conv_(?:dw|pw|pad)_(\d+)(?:_.+)?",  # MobileNet
        r"(expanded_conv(?:_\d+)?)[_/].+",  # MobileNetV2 and V3
        r"(layer\d+[_.]\d+)[_.].+",  # torchvision's ResNet
        r"(features[_.]\d+)(?:[_.].+)?",  # torchvision's others
        r"((?:\w+_)?[Bb]lock_?\d+[a-z]?)(?:_.+)?",  # VGG, Xception, MobileNetV2, EfficientNet
        r"((?:stage|group|layer)\d+_(?:block|unit|cell)?\d+)_.+",
        r"(fire\d+)[_/].+",  # SqueezeNet
        r"(mixed_?\d+\w?|inception_?\w+?)(?:_.+)?",  # Inception
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A stretch of a network that one tensor enters and one tensor leaves.

    Attributes:
        name: what its layers' names have in common; else that of its last layer.
        layers: its layers, in order.
        start, end: positions of its first and last node in the graph of `inlined(model)`.
        parameters: number of values in its weights.
    """

    name: str
    layers: tuple[Any, ...]
    start: int
    end: int
    parameters: int


def blocks(base: Any) -> list[Block]:
    """Return the blocks of a model or backbone that have weights, from the input to the output.

    A block begins and ends where a single tensor carries everything. Neighbours whose layers' names have a
    prefix in common (`conv5_block3_…`, `block_13_…`, `layer4_2_…`, `block5_…`) make one block; layers without
    weights, and batch normalisation that stands alone, go with the block before them.

    Args:
        base: a model with a graph, or a backbone.

    Raises:
        GraphError: the model has no graph.

    Example:
        >>> from neocog.layers import Conv2D, Input
        >>> from neocog.models import Model
        >>> x = image = Input((8, 8, 3))
        >>> for name in ("block1_conv1", "block1_conv2", "block2_conv1"):
        ...     x = Conv2D(4, 3, padding="same", name=name)(x)
        >>> [block.name for block in blocks(Model(image, x))]
        ['block1', 'block2']
    """
    model = inlined(model_of(base, "blocks"))
    nodes = model.graph_nodes()
    rows: list[tuple[str, int, int, bool]] = []  # name, first node, last node, whether it has weights
    first = 0
    for last in boundaries(model):
        layers = [node.operation for node in nodes[first : last + 1]]
        weighted = [layer for layer in layers if _parameters([layer])]
        name = _name(layers)
        before = rows[-1] if rows else None
        own = not weighted and _common(layers) not in (None, before and before[0])  # belongs to the next
        follows = all(is_batch_norm(layer) for layer in weighted) and not own
        if before and (follows or not before[3] or before[0] == name):
            rows[-1] = (name if not before[3] else before[0], before[1], last, before[3] or bool(weighted))
        else:
            rows.append((name, first, last, bool(weighted)))
        first = last + 1
    return [_block(name, nodes, start, end) for name, start, end, weighted in rows if weighted]


def find_block(base: Any, wanted: str) -> Block:
    """Return the block of that name, or the one that has a layer of that name.

    Raises:
        UnknownNameError: there is none; the nearest names are offered.
    """
    found = blocks(base)
    for block in found:
        if block.name == wanted or any(getattr(layer, "name", None) == wanted for layer in block.layers):
            return block
    known = [name for block in found for name in (block.name, *_names(block.layers))]
    close = ", ".join(map(repr, nearest(wanted, known) or [block.name for block in found[-5:]]))
    expected = "a block or a layer of the base"
    raise UnknownNameError(message("finetune", expected=expected, got=repr(wanted), do=f"Nearest: {close}."))


def _block(name: str, nodes: list[Any], start: int, end: int) -> Block:
    layers = {id(node.operation): node.operation for node in nodes[start : end + 1]}
    modules = tuple(layer for layer in layers.values() if isinstance(layer, nn.Module))
    return Block(name=name, layers=modules, start=start, end=end, parameters=_parameters(modules))


def _name(layers: list[Any]) -> str:
    """Return what most names of layers have in common, or the name of the last one."""
    names = _names(layers)
    return _common(layers) or (names[-1] if names else "start")


def _common(layers: list[Any]) -> str | None:
    keys = Counter(key for key in map(_key, _names(layers)) if key)
    return keys.most_common(1)[0][0] if keys else None


def _key(name: str) -> str | None:
    for pattern in _PATTERNS:
        if found := pattern.fullmatch(name):
            return f"block{found[1]}" if found[1].isdigit() else found[1]
    return None


def _names(layers: Any) -> list[str]:
    return [str(layer.name) for layer in layers if isinstance(getattr(layer, "name", None), str)]


def _parameters(layers: Any) -> int:
    tensors = {
        id(t): t for layer in layers if isinstance(layer, nn.Module) for t in layer.state_dict().values()
    }
    return sum(tensor.numel() for tensor in tensors.values())
