"""Floor 2: initializers, the first values of weights, for shapes in Keras's layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neocog._old_spellings import missing_name
from neocog.core import custom_object_scope
from neocog.initializers._constant import STFT, ArrayInitializer, Constant, Identity, Ones, Zeros
from neocog.initializers._initializer import INITIALIZERS, Initializer, compute_fans
from neocog.initializers._random import (
    Orthogonal,
    RandomInitializer,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)
from neocog.initializers._scaled import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
)

IdentityInitializer = Identity
OrthogonalInitializer = Orthogonal
STFTInitializer = STFT
constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
stft = STFT
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros


def get(identifier: Any) -> Any:
    """Return an initializer for None, a name, a config, a class, an object, a function, or an array.

    Raises:
        UnknownNameError: the name is not known; the message offers the nearest ones.

    Example:
        >>> get("zeros")((2,))
        tensor([0., 0.])
    """
    if isinstance(identifier, (torch.Tensor, np.ndarray, np.generic)):
        return ArrayInitializer(identifier)
    return INITIALIZERS.make(identifier)


def serialize(initializer: Any) -> Any:
    """Return the config of an initializer object, or the name of a function."""
    return INITIALIZERS.describe(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the initializer that `serialize` described.

    Args:
        config: a name or a config.
        custom_objects: the user's own classes and functions by name.
    """
    with custom_object_scope(custom_objects or {}):
        return get(config)


__all__ = [
    "INITIALIZERS",
    "STFT",
    "ArrayInitializer",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomInitializer",
    "RandomNormal",
    "RandomUniform",
    "STFTInitializer",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "compute_fans",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "stft",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]

if not TYPE_CHECKING:
    __getattr__ = missing_name(
        __name__,
        __all__,
        {
            "normal": "RandomNormal",
            "uniform": "RandomUniform",
        },
    )
