"""Clipping of gradients, without a device sync and without writing to the gradients themselves."""

from __future__ import annotations

import torch

from neocog.optimizers._groups import Batch
from neocog.optimizers._norms import whole_norms


def clip_by_value(batches: list[Batch], limit: float) -> None:
    """Cut every element to [−limit, limit]."""
    for batch in batches:
        grads = torch._foreach_clamp_max(batch.grads, limit)
        torch._foreach_clamp_min_(grads, -limit)
        batch.grads = list(grads)


def clip_by_norm(batches: list[Batch], limit: float) -> None:
    """Scale each gradient whose L2 norm is above `limit` down to it: g · limit / max(‖g‖, limit)."""
    for batch in batches:
        norms = whole_norms(torch._foreach_norm(batch.grads))
        torch._foreach_clamp_min_(norms, limit)
        grads = torch._foreach_mul(batch.grads, limit)
        torch._foreach_div_(grads, norms)
        batch.grads = list(grads)


def clip_by_global_norm(batches: list[Batch], limit: float) -> None:
    """Scale all gradients together where their common L2 norm is above `limit`; infinities give NaN."""
    first = batches[0].grads[0]
    norms = [
        norm.to(first.device, torch.promote_types(norm.dtype, torch.float32))
        for batch in batches
        for norm in whole_norms(torch._foreach_norm(batch.grads))
    ]
    norm = torch.linalg.vector_norm(torch.stack(norms))
    scale = limit * torch.clamp(norm.reciprocal(), max=1.0 / limit) + (norm - norm)
    for batch in batches:
        factor = scale.to(batch.grads[0].device, batch.grads[0].dtype)
        batch.grads = list(torch._foreach_mul(batch.grads, factor))
