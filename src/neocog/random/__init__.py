"""Keras's `random`: numbers by chance, with seeds that make them repeat."""

from neocog.random._distributions import (
    beta,
    binomial,
    gamma,
    normal,
    randint,
    truncated_normal,
    uniform,
)
from neocog.random._samples import categorical, dropout, shuffle
from neocog.random._seed_generator import SeedGenerator

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]
