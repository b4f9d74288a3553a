"""Generators of random numbers that people keep themselves: NumPy's, Python's and torch's."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


def is_generator(value: Any) -> bool:
    """Return whether a value is a generator whose state can be read and set.

    Example:
        >>> is_generator(np.random.default_rng(0)), is_generator(random.SystemRandom())
        (True, False)
    """
    if isinstance(value, np.random.Generator):
        return type(value.bit_generator).__name__ in _BIT_GENERATORS
    kinds = (torch.Generator, np.random.RandomState, random.Random)
    return isinstance(value, kinds) and not isinstance(value, random.SystemRandom)


def generator_state(generator: Any) -> dict[str, Any]:
    """Return how far a generator is: its kind, and numbers."""
    if isinstance(generator, torch.Generator):
        return {"kind": "torch", "state": generator.get_state().numpy().copy()}
    if isinstance(generator, np.random.Generator):
        return {"kind": "numpy", "state": dict(generator.bit_generator.state)}
    if isinstance(generator, np.random.RandomState):
        return {"kind": "numpy-legacy", "state": dict(generator.get_state(legacy=False))}
    return {"kind": "python", "state": generator.getstate()}


def set_generator_state(generator: Any, state: Mapping[str, Any]) -> None:
    """Set a generator to what `generator_state` returned of one of its kind.

    Example:
        >>> generator = np.random.default_rng(0)
        >>> before = generator_state(generator)
        >>> drawn = generator.random()
        >>> set_generator_state(generator, before)
        >>> bool(generator.random() == drawn)
        True
    """
    if isinstance(generator, torch.Generator):
        generator.set_state(torch.from_numpy(np.array(state["state"])))
    elif isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state["state"]
    elif isinstance(generator, np.random.RandomState):
        generator.set_state(state["state"])
    else:
        generator.setstate(state["state"])


def new_generator(state: Mapping[str, Any]) -> Any:
    """Return a generator that is as far as `generator_state` said; one of torch's on the CPU.

    Raises:
        ValueError: no such kind is known.
    """
    kind = state["kind"]
    made: Any = None
    if kind == "torch":
        made = torch.Generator()
    elif kind == "numpy" and state["state"]["bit_generator"] in _BIT_GENERATORS:
        made = np.random.Generator(getattr(np.random, state["state"]["bit_generator"])())
    elif kind == "numpy-legacy":
        made = np.random.RandomState()
    elif kind == "python":
        made = random.Random()
    if made is None:
        raise ValueError(f"no generator of the kind {kind!r}")
    set_generator_state(made, state)
    return made


def same_kind(one: Any, other: Any) -> bool:
    """Return whether a generator can take over the state of another value."""
    if not (is_generator(one) and is_generator(other)):
        return False
    states = generator_state(one), generator_state(other)
    kinds = [(state["kind"], _bits(state)) for state in states]
    return kinds[0] == kinds[1]


def _bits(state: Mapping[str, Any]) -> Any:
    return state["state"].get("bit_generator") if isinstance(state["state"], dict) else None
