"""Randomness: one seed for everything, and generators for the parts that ask for their own."""

from __future__ import annotations

import random

import numpy as np
import torch

from neocog.exceptions import ArgumentError


def set_random_seed(seed: int) -> None:
    """Seed Python, NumPy and torch, so that a program gives the same numbers on every run of the same
    machine.

    Args:
        seed: a whole number from 0 to 2**32 - 1.

    Example:
        >>> set_random_seed(1)
        >>> a = torch.rand(1)
        >>> set_random_seed(1)
        >>> bool(a == torch.rand(1))
        True
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ArgumentError(f"set_random_seed: expected a whole number from 0 to 2**32 - 1, got {seed!r}.")
    random.seed(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002 - users draw from it
    torch.manual_seed(int(seed))


def draw_seed() -> int:
    """Draw a fresh seed from torch's global generator: a part seeded by it repeats when the program is
    seeded.
    """
    return int(torch.randint(0, 2**31 - 1, (), dtype=torch.int64))


def make_generator(seed: int | None, device: torch.device | str = "cpu") -> torch.Generator | None:
    """Return a generator with its own seed, or None, which stands for torch's global one."""
    if seed is None:
        return None
    generator = torch.Generator(device=device)
    generator.manual_seed(int(seed))
    return generator
