"""Scaled dot-product attention over heads, and the masks that go with it."""

from __future__ import annotations

import torch
from torch.nn import functional as F


def fused_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    scale: float | None = None,
    mask: torch.Tensor | None = None,
    causal: bool = False,
) -> torch.Tensor:
    """Return `softmax(query · key * scale) · value` from torch's fused kernels, which keep no scores.

    Args:
        query: (B, T, N, H): batch, places, heads, features.
        key: (B, S, M, H); a head of it serves N / M heads of the query.
        value: (B, S, M, E).
        scale: of the scores; 1 / sqrt(H) when None.
        mask: broadcasts to (B, N, T, S); False where a place is not seen. Where a query sees nothing, it gets
            the mean of all values, as in Keras.
        causal: a query sees no place after its own.

    Returns:
        (B, T, N, E).
    """
    query, key, value = (x.transpose(1, 2) for x in (query, key, value))  # (B, N, T, H)
    repeats = query.shape[1] // key.shape[1]
    if repeats > 1:
        key, value = key.repeat_interleave(repeats, 1), value.repeat_interleave(repeats, 1)
    bias = None
    if mask is not None:
        if causal:
            mask = mask & causal_mask(query.shape[2], key.shape[2], query.device)
        bias = torch.zeros((), dtype=query.dtype, device=query.device)
        bias = torch.where(mask, bias, 0.7 * torch.finfo(query.dtype).min)
    outputs = F.scaled_dot_product_attention(
        query, key, value, attn_mask=bias, is_causal=causal and mask is None, scale=scale
    )
    return outputs.transpose(1, 2)


def causal_mask(queries: int, keys: int, device: torch.device) -> torch.Tensor:
    """Return (T, S), True where place s is not after place t."""
    return torch.ones(queries, keys, dtype=torch.bool, device=device).tril()


def window_mask(queries: int, keys: int, window: int, device: torch.device) -> torch.Tensor:
    """Return (T, S), True where places t and s are less than `window` apart."""
    rows = torch.arange(queries, device=device).unsqueeze(1)
    return (rows - torch.arange(keys, device=device)).abs() < window
