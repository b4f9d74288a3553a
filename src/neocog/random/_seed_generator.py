"""Where seeded random numbers come from: a seed, and a count of the draws so far."""

from __future__ import annotations

import numbers
from typing import Any, Self

import torch

from neocog.core import auto_name, draw_seed, make_generator
from neocog.exceptions import ArgumentTypeError, message

_GOLDEN = 0x9E3779B97F4A7C15  # spreads consecutive counts over all 64 bits


class SeedGenerator:
    """A source of random numbers with a state of its own: each draw differs, and the whole sequence repeats.

    The state is the seed and the number of draws so far, so that it is the same on every device.

    Args:
        seed: a whole number; None draws one from torch's global generator.
        name: name; made up when None.

    Example:
        >>> from neocog.random import normal
        >>> source = SeedGenerator(7)
        >>> first, second = normal((2,), seed=source), normal((2,), seed=source)
        >>> bool((first == second).any())
        False
        >>> bool((first == normal((2,), seed=SeedGenerator(7))).all())
        True
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        kwargs.pop("backend", None)
        if kwargs:
            expected = "seed and name"
            raise ArgumentTypeError(message("SeedGenerator", expected=expected, got=sorted(kwargs)))
        self.name = name or auto_name("seed_generator")
        self._initial_seed = checked_seed("SeedGenerator", seed)
        self.seed: int | None = draw_seed() if self._initial_seed is None else self._initial_seed
        self.count = 0

    @property
    def state(self) -> torch.Tensor:
        """The seed and the number of draws so far, (2,); Keras's files keep these two numbers."""
        return torch.tensor([self.seed or 0, self.count], dtype=torch.int64, device="cpu")

    @state.setter
    def state(self, value: Any) -> None:
        self.seed, self.count = (int(number) for number in value)

    def next(self, ordered: bool = True) -> torch.Tensor:
        """Return the state, and count one draw.

        Args:
            ordered: accepted for Keras's sake.
        """
        state = self.state
        self.count += 1
        return state

    def generator(self, device: torch.device | str = "cpu") -> torch.Generator | None:
        """Return torch's generator for the next draw on `device`; None where there are no values (meta)."""
        if str(device).startswith("meta") or self.seed is None:
            return None  # no numbers there, and no state to move on
        mixed = (self.seed + self.count * _GOLDEN) % 2**63
        self.count += 1
        return make_generator(mixed, device)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the generator that `get_config` described."""
        return cls(**config)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return the state by name."""
        return {} if self.seed is None else {"state": self.state}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Continue from what `state_dict` returned."""
        if "state" in state:
            self.state = state["state"]


def checked_seed(where: str, seed: Any) -> int | None:
    """Return a seed as a whole number or None."""
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, numbers.Integral)):
        raise ArgumentTypeError(message(where, expected="seed to be a whole number or None", got=repr(seed)))
    return None if seed is None else int(seed)
