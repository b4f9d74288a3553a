"""Axes named, split, merged and put in another order by a pattern."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import torch

from neocog.exceptions import ArgumentError, message
from neocog.ops._op import as_tensor, op

_PART = re.compile(r"\(([^()]*)\)|(\w+)")


@op("keras.src.ops.einops>Rearrange", call="tensor pattern axes_lengths")
def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> torch.Tensor:
    """Return `tensor` with its axes as the right side of `pattern` has them.

    Args:
        tensor: numbers.
        pattern: names of the axes before and after, `"b h w c -> b c (h w)"`; axes in brackets are one.
        axes_lengths: sizes of axes in brackets on the left; one for each bracket may be left out.

    Example:
        >>> rearrange([[1, 2, 3, 4]], "b (h w) -> b w h", h=2).tolist()
        [[[1, 3], [2, 4]]]
    """
    x = as_tensor(tensor)
    left, arrow, right = pattern.partition("->")
    before, after = _groups(left), _groups(right)
    names, wanted = _names(before), _names(after)
    if not arrow or sorted(names) != sorted(wanted) or len(set(names)) != len(names) or len(before) != x.ndim:
        expected = f"a pattern with {x.ndim} axes on the left and the same names on both sides"
        raise ArgumentError(message("ops.rearrange", expected=expected, got=repr(pattern)))
    sizes = _sizes(before, tuple(x.shape), axes_lengths)
    x = x.reshape([sizes[name] for name in names]).permute([names.index(name) for name in wanted])
    return x.reshape([math.prod(sizes[name] for name in group) for group in after])


def _groups(side: str) -> list[list[str]]:
    """Return the names of each axis of one side of a pattern."""
    if _PART.sub("", side).strip():
        raise ArgumentError(message("ops.rearrange", expected="names of axes and brackets", got=repr(side)))
    return [(inner or name).split() for inner, name in _PART.findall(side)]


def _names(groups: list[list[str]]) -> list[str]:
    return [name for group in groups for name in group]


def _sizes(groups: list[list[str]], shape: tuple[int, ...], given: Mapping[str, int]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for group, size in zip(groups, shape, strict=True):
        known = {name: int(given[name]) for name in group if name in given}
        rest = [name for name in group if name not in known]
        product = math.prod(known.values())
        if len(rest) > 1 or size % max(product, 1) or (not rest and product != size):
            expected = f"sizes of ({' '.join(group)}) whose product is {size}, all but one of them given"
            raise ArgumentError(message("ops.rearrange", expected=expected, got=str(dict(given))))
        sizes |= known | dict.fromkeys(rest, size // product)
    return sizes
