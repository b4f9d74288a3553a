"""Norms of gradients of which each process holds a share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch

_sum: Callable[[torch.Tensor], object] | None = None


@contextmanager
def norms_summed_by(add_up: Callable[[torch.Tensor], object]) -> Iterator[None]:
    """Inside the block, norms are those of all shares together.

    Args:
        add_up: puts the sum over all processes into a tensor.
    """
    global _sum
    before, _sum = _sum, add_up
    try:
        yield
    finally:
        _sum = before


def whole_norms(norms: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Return the norms of whole gradients from those of this process's shares; the same where it has all."""
    if _sum is None:
        return list(norms)
    squares = torch.stack([norm.double().square() for norm in norms])
    _sum(squares)
    return [square.sqrt().to(norm.dtype) for square, norm in zip(squares, norms, strict=True)]
