"""Where a layer's random numbers come from: its own seed, or torch's global generator."""

from __future__ import annotations

from typing import Any

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

    def __init__(self, where: str, seed: Any) -> None:
        try:
            super().__init__(0 if seed is None else seed, name="seed_generator")
        except ArgumentTypeError as error:
            expected = "seed to be a whole number or None"
            raise ArgumentTypeError(message(where, expected=expected, got=repr(seed))) from error
        if seed is None:
            self.seed = self._initial_seed = None
