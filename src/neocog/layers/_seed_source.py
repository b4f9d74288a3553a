"""Where a layer's random numbers come from: its own seed, or torch's global generator."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import draws_for_all
from neocog.exceptions import ArgumentTypeError, message
from neocog.random import SeedGenerator


class SeedSource(SeedGenerator):
    """The `SeedGenerator` of a layer; without a seed, torch's global generator, which is faster.

    Args:
        where: how error texts name the layer.
        seed: a whole number, or None.

    Example:
        >>> import torch
        >>> source = SeedSource("Dropout", 7)
        >>> first = torch.rand(2, generator=source.generator("cpu"))
        >>> again = torch.rand(2, generator=SeedSource("Dropout", 7).generator("cpu"))
        >>> bool((first == again).all())
        True
    """

    draws_for_rows = True  # whether what draws from it knows the rows that a process has of a batch

    def __init__(self, where: str, seed: Any) -> None:
        try:
            super().__init__(0 if seed is None else seed, name="seed_generator")
        except ArgumentTypeError as error:
            expected = "seed to be a whole number or None"
            raise ArgumentTypeError(message(where, expected=expected, got=repr(seed))) from error
        if seed is None:
            self.seed = self._initial_seed = None

    def generator(self, device: torch.device | str = "cpu") -> torch.Generator | None:
        """Return torch's generator for the next draw; of several processes' common one, where that counts."""
        if self.seed is None:
            rows = draws_for_all()
            if rows is not None and not str(device).startswith("meta"):
                return rows.common
        return super().generator(device)
