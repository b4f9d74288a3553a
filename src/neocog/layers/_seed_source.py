"""Where a layer's random numbers come from: its own seed, or torch's global generator."""

from __future__ import annotations

import copy
import numbers
from typing import Any

import torch

from neocog.core import make_generator
from neocog.exceptions import ArgumentTypeError, message


class SeedSource:
    """Generators of one layer: with a seed, one for each device; without, torch's global ones.

    Copying it copies its state; `state_dict` and `load_state_dict` keep it in a snapshot.

    Args:
        where: how error texts name the layer.
        seed: a whole number, or None.

    Example:
        >>> source = SeedSource("Dropout", 7)
        >>> first = torch.rand(2, generator=source.generator("cpu"))
        >>> again = torch.rand(2, generator=SeedSource("Dropout", 7).generator("cpu"))
        >>> bool((first == again).all())
        True
    """

    def __init__(self, where: str, seed: int | None) -> None:
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, numbers.Integral)):
            raise ArgumentTypeError(
                message(where, expected="seed to be a whole number or None", got=repr(seed))
            )
        self.seed = None if seed is None else int(seed)
        self._generators: dict[str, torch.Generator] = {}

    def generator(self, device: torch.device | str) -> torch.Generator | None:
        """Return the generator for tensors on `device`; None stands for torch's global one."""
        if self.seed is None:
            return None
        place = str(device)
        if place.startswith("meta"):
            return None  # no numbers there, and no state to move on
        found = self._generators.get(place)
        if found is None:
            found = make_generator(self.seed, device)
            if found is not None:
                self._generators[place] = found
        return found

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return the state of each generator, by device."""
        return {place: generator.get_state() for place, generator in self._generators.items()}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Continue from what `state_dict` returned."""
        for place, values in state.items():
            generator = self.generator(place)
            if generator is not None:
                generator.set_state(values)

    def __deepcopy__(self, memo: dict[int, Any]) -> SeedSource:
        new = SeedSource("", self.seed)
        memo[id(self)] = new
        new.load_state_dict(copy.deepcopy(self.state_dict()))
        return new

    def __getstate__(self) -> dict[str, Any]:
        return {"seed": self.seed, "states": self.state_dict()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.seed = state["seed"]
        self._generators = {}
        self.load_state_dict(state["states"])
