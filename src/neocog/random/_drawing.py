"""What all draws share: the generator that a seed stands for, the type, the place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from neocog.core import make_generator, standardize_dtype, torch_dtype
from neocog.exceptions import ArgumentError, message
from neocog.random._seed_generator import SeedGenerator, checked_seed


def generator_of(where: str, seed: Any, device: torch.device) -> torch.Generator | None:
    """Return the generator of a seed, None for torch's global one; a number repeats the same draw."""
    if device.type == "meta":
        return None
    if hasattr(seed, "generator"):
        source: SeedGenerator = seed
        return source.generator(device)
    return make_generator(checked_seed(where, seed), device)


def place() -> torch.device:
    """Return where new tensors go."""
    return torch.get_default_device()


def sizes_of(shape: Any) -> tuple[int, ...]:
    """Return a shape as whole numbers."""
    items: Sequence[Any] = (shape,) if isinstance(shape, int) else shape
    return tuple(int(size) for size in items)


def float_dtype(where: str, dtype: Any) -> torch.dtype:
    """Return the type of a draw, which must be one of floats; None is `floatx()`."""
    kind = torch_dtype(standardize_dtype(dtype))
    if not kind.is_floating_point:
        raise ArgumentError(message(where, expected="a float dtype", got=repr(dtype)))
    return kind
