"""Whether code draws random numbers: what does must run in one thread, in order, to repeat under a seed."""

from __future__ import annotations

import random
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch

from neocog import core


class RandomWatch:
    """Notices whether a global generator (Python's, NumPy's, torch's) has moved since it was made."""

    def __init__(self) -> None:
        self._before = _state()

    def moved(self) -> bool:
        """Return whether one has."""
        return _state() != self._before


def _state() -> tuple[Any, ...]:
    _, keys, place, gauss, cached = np.random.get_state(legacy=True)  # noqa: NPY002 - users draw from it
    drawn = torch.get_rng_state().numpy().tobytes()
    return drawn, np.asarray(keys).tobytes(), place, gauss, cached, random.getstate()


@contextmanager
def same_random_state() -> Iterator[None]:
    """Put the global generators back afterwards."""
    kept = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        yield
    finally:
        torch.set_rng_state(kept[0])
        np.random.set_state(kept[1])  # noqa: NPY002
        random.setstate(kept[2])


def has_own_seed(function: Callable[..., Any]) -> bool:
    """Return whether a function is, or names, a layer with a seed of its own, as far as can be seen."""
    return next(own_generators(function), None) is not None


def own_generators(function: Callable[..., Any]) -> Iterator[Any]:
    """Give the generators with a seed of their own that a function names, as far as can be seen.

    They are torch's, NumPy's and Python's, and those of layers (objects with `state_dict` and
    `load_state_dict`).
    """
    for value in _named(function):
        if core.is_generator(value):
            yield value
        elif isinstance(value, torch.nn.Module):
            sources = (getattr(module, "seed_generator", None) for module in value.modules())
            yield from (one for one in sources if getattr(one, "seed", None) is not None)


def generator_state(generator: Any) -> Any:
    """Return how far a generator is."""
    return core.generator_state(generator) if core.is_generator(generator) else generator.state_dict()


def set_generator_state(generator: Any, state: Any) -> None:
    """Set a generator to what `generator_state` returned."""
    if core.is_generator(generator):
        core.set_generator_state(generator, state)
    else:
        generator.load_state_dict(state)


def _named(function: Any) -> Iterator[Any]:
    yield function
    if isinstance(function, partial):
        yield from (function.func, *function.args, *function.keywords.values())
        function = function.func
    if isinstance(function, types.MethodType):
        yield function.__self__
        function = function.__func__
    if isinstance(function, types.FunctionType):
        for cell in function.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:  # not filled yet
                continue
        names = function.__globals__
        yield from (names[name] for name in function.__code__.co_names if name in names)
