"""From where on a convolution goes another way than oneDNN's own on a CPU: what was measured, by processor.

Both ways live on products of matrices, and torch takes those of float32 from MKL, which was written for
Intel's processors: on AMD's, oneDNN's convolution is the faster one more often.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import torch

from neocog.core import processor_vendor


@dataclass(frozen=True, kw_only=True, slots=True)
class Filtering:
    """Where Winograd's filtering pays, for 3 by 3 kernels.

    Attributes:
        channels: least of the inputs and of the outputs.
        products: least of inputs times outputs.
        tiles: least in a batch.
        saved: how many times fewer multiplications, at least.
    """

    channels: int
    products: int
    tiles: int
    saved: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ConvWays:
    """The ways of one kind of processor.

    Attributes:
        whole: places of an image up to which outputs and gradients are products of matrices, by type: with
            kernels of 1 by 1, and with larger ones.
        weights: places up to which the weights' gradient alone is one, between many channels.
        inferred: the filtering where no gradient is taken.
        learned: the filtering where one of the three convolutions of a step stays as it was.
    """

    whole: Mapping[torch.dtype, tuple[int, int]]
    weights: Mapping[torch.dtype, int] = field(default_factory=dict)
    inferred: Filtering
    learned: Filtering


# Two cores with AMX; the filtering with AVX-512 and with AVX2. See docs/speed.md.
_INTEL = ConvWays(
    whole={torch.float32: (16, 16), torch.bfloat16: (16, 16)},
    weights={torch.bfloat16: 100},
    inferred=Filtering(channels=64, products=64 * 128, tiles=48, saved=2.0),
    learned=Filtering(channels=64, products=128 * 128, tiles=192, saved=2.0),
)
# Two cores of Zen 4, also with oneDNN kept to AVX2.
_AMD = ConvWays(
    whole={torch.bfloat16: (25, 0)},
    inferred=Filtering(channels=256, products=256 * 256, tiles=48, saved=3.0),
    learned=Filtering(channels=256, products=256 * 256, tiles=192, saved=3.0),
)


@lru_cache
def conv_ways() -> ConvWays:
    """Return those of this processor; others than AMD's go as Intel's."""
    return _AMD if processor_vendor() == "AuthenticAMD" else _INTEL
