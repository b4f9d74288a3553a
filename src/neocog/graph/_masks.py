"""Masks: which time steps of a tensor count.

A computed tensor carries its mask in the attribute `_keras_mask`, as Keras's do; a symbolic tensor carries
the mask's shape in `mask`, so that a graph knows which of its calls have to hand masks on.
"""

from __future__ import annotations

from typing import Any, TypeVar

import torch

T = TypeVar("T")


class _Masks:
    """Whether any tensor of this process ever had a mask: until then nothing looks for one."""

    used = False


MASKS = _Masks()


def mask_of(tensor: Any) -> Any:
    """Return the mask that a tensor carries (True where a time step counts), or None."""
    return getattr(tensor, "_keras_mask", None)


def set_mask(tensor: T, mask: Any) -> T:
    """Let a tensor carry a mask, and return it; None changes nothing."""
    if mask is not None and isinstance(tensor, torch.Tensor):
        MASKS.used = True
        tensor._keras_mask = mask  # type: ignore[attr-defined]
    return tensor


def with_mask_of(source: Any, result: T) -> T:
    """Return `result` (a converted copy of `source`) with the mask of `source`."""
    return set_mask(result, mask_of(source)) if MASKS.used else result
