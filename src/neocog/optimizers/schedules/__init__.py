"""Learning rate schedules: the rate as a function of the number of steps done."""

from neocog.optimizers.schedules._base import SCHEDULES, LearningRateSchedule, deserialize, get, serialize
from neocog.optimizers.schedules._cosine import CosineDecay, CosineDecayRestarts
from neocog.optimizers.schedules._decays import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)

__all__ = [
    "SCHEDULES",
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "get",
    "serialize",
]
