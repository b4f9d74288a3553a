"""Which values dropout keeps, drawn at little cost."""

from __future__ import annotations

import torch

_FEW_BITS = 16


def keep_mask(like: torch.Tensor, rate: float, generator: torch.Generator | None = None) -> torch.Tensor:
    """Return a mask: nonzero with probability `1 - rate`, else 0.

    On a CPU the draws compare whole numbers of 16 bits, where these express `rate` exactly, else of 32, with
    a threshold: of the numbers that torch draws, of 64 bits each, all bits are used. `bernoulli_` spends one
    on each value and takes four times as long.

    Args:
        like: gives shape, memory layout (without gaps) and device, and the mask's type where it is not on a
            CPU; its values do not count.
        rate: probability of 0, within 2**-32.
        generator: of the random numbers; torch's global one where None.

    Returns:
        The mask: of bool on a CPU.
    """
    if like.device.type != "cpu" or torch.compiler.is_compiling():
        return torch.empty_like(like).bernoulli_(1 - rate, generator=generator)
    bits = _FEW_BITS if (rate * 2**_FEW_BITS).is_integer() else 32
    count = like.numel()
    words = torch.empty(-(-count * bits // 64), dtype=torch.int64)
    words.random_(-(2**63), None, generator=generator)
    drawn = words.view(torch.int16 if bits == _FEW_BITS else torch.int32)[:count]
    threshold = round(rate * 2**bits) - 2 ** (bits - 1)
    if threshold >= 2 ** (bits - 1):  # a rate of 1, as far as 32 bits can say
        return torch.zeros_like(like, dtype=torch.bool)
    kept: torch.Tensor = drawn >= threshold
    return kept.as_strided(like.shape, like.stride())
