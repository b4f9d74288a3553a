"""Products, maxima and minima of inputs with masks: places that do not count take no part."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from neocog.graph import MASKS, mask_of, set_mask


def any_masked(inputs: Sequence[torch.Tensor]) -> bool:
    """Return whether one of the inputs carries a mask."""
    return MASKS.used and any(mask_of(x) is not None for x in inputs)


def masked_product(inputs: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the product in which masked places count as 1; 0 where no input counts, if all have masks."""
    factors, masks = [], []
    for x in inputs:
        mask = _spread(x)
        factors.append(x if mask is None else torch.where(mask, x, torch.ones_like(x)))
        masks.append(mask)
    product = factors[0]
    for x in factors[1:]:
        product = product * x
    known = [mask for mask in masks if mask is not None]
    if len(known) < len(masks):
        return product
    joined = _union(known)
    return set_mask(torch.where(joined, product, torch.zeros_like(product)), joined.any(-1))


def masked_extreme(
    choose: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], inputs: Sequence[torch.Tensor]
) -> torch.Tensor:
    """Return the maximum or minimum, one input after another, each where it counts."""
    output, seen = inputs[0], _spread(inputs[0])
    for x in inputs[1:]:
        mask = _spread(x)
        if mask is not None:
            x = torch.where(mask, x, output)
        if seen is not None:
            output = torch.where(seen, output, x)
        seen = None if mask is None or seen is None else seen | mask
        output = choose(output, x)
    return output if seen is None else set_mask(output, seen.any(-1))


def _spread(x: torch.Tensor) -> torch.Tensor | None:
    """Return the mask of a tensor, repeated along its last axis."""
    mask = mask_of(x)
    return None if mask is None else mask.bool().unsqueeze(-1).expand(x.shape)


def _union(masks: Sequence[torch.Tensor]) -> torch.Tensor:
    joined = masks[0]
    for mask in masks[1:]:
        joined = joined | mask
    return joined
