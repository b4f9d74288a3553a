"""Floor 2: activations, as functions of tensors and by name."""

from typing import TYPE_CHECKING

from neocog._old_spellings import missing_name
from neocog.activations._rectifiers import (
    celu,
    elu,
    exponential,
    gelu,
    hard_silu,
    leaky_relu,
    linear,
    mish,
    relu,
    relu6,
    selu,
    silu,
    softplus,
    sparse_plus,
    squareplus,
)
from neocog.activations._registry import ACTIVATIONS, deserialize, get, serialize
from neocog.activations._squashers import (
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_tanh,
    log_sigmoid,
    log_softmax,
    scaled_tanh,
    sigmoid,
    soft_shrink,
    softmax,
    softsign,
    sparse_sigmoid,
    sparsemax,
    tanh,
    tanh_shrink,
    threshold,
)

swish = silu
hard_swish = hard_silu

__all__ = [
    "ACTIVATIONS",
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "scaled_tanh",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]

if not TYPE_CHECKING:
    __getattr__ = missing_name(__name__, __all__)
