"""Attention as an operation."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from neocog.exceptions import ArgumentError, ShapeError, message
from neocog.ops._op import as_tensor, op, together
from neocog.ops._shared import same_float


@op("keras.src.ops.nn>DotProductAttention", call="query key value bias mask scale")
def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> torch.Tensor:
    """Return softmax(q kᵀ · scale + bias) v for each head.

    Args:
        query: (batch, queries, heads, size).
        key: (batch, keys, key heads, size); fewer heads than the query's are shared among them.
        value: (batch, keys, key heads, size).
        bias: added to the products, broadcast to (batch, heads, queries, keys); not together with `mask`.
        mask: True where a key counts, broadcast likewise.
        scale: factor of the products; None for 1/√size.
        is_causal: whether a query sees only the keys up to its own position.
        flash_attention: True demands torch's flash kernel; None and False leave the choice to torch.
        attn_logits_soft_cap: not supported; must be None.

    Raises:
        ShapeError: an argument has not 4 axes.
        ArgumentError: both `bias` and `mask` are given.

    Example:
        >>> x = torch.ones(1, 3, 2, 4)
        >>> dot_product_attention(x, x, x).shape
        torch.Size([1, 3, 2, 4])

    Reference:
        Vaswani et al., Attention Is All You Need, 2017, eq. 1.
    """
    where = "ops.dot_product_attention"
    if attn_logits_soft_cap is not None:
        raise ArgumentError(message(where, expected="attn_logits_soft_cap=None", got=attn_logits_soft_cap))
    if bias is not None and mask is not None:
        raise ArgumentError(message(where, expected="bias or mask", got="both"))
    query, key, value = same_float(*together(query, key, value))
    shapes = [tuple(tensor.shape) for tensor in (query, key, value)]
    if any(len(shape) != 4 for shape in shapes):
        raise ShapeError(message(where, expected="query, key and value of 4 axes", got=shapes))
    query, key, value = (tensor.transpose(1, 2) for tensor in (query, key, value))
    added: torch.Tensor | None
    if bias is not None:
        added = as_tensor(bias).to(query)
        if is_causal:  # torch takes one of them; Keras on torch lets the bias hide the order
            added, is_causal = added.masked_fill(~_causal(query, key), torch.finfo(added.dtype).min), False
    else:
        added, is_causal = _as_bias(mask, query, key, is_causal)
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    with _kernel(flash_attention):
        outputs = F.scaled_dot_product_attention(query, key, value, added, is_causal=is_causal, scale=scale)
    return outputs.transpose(1, 2)


def _as_bias(
    mask: Any, query: torch.Tensor, key: torch.Tensor, is_causal: bool
) -> tuple[torch.Tensor | None, bool]:
    """Return what is added to the products in place of a mask, and whether torch still sees to the order.

    A large negative number, not -∞: a query without any key gives the mean of the values, not NaN.
    """
    if mask is None:
        return None, is_causal
    allowed = as_tensor(mask).to(query.device, torch.bool)
    if is_causal:
        allowed = allowed & _causal(query, key)
    large = -0.7 * (65500.0 if query.dtype == torch.float16 else 3.38953e38)
    return torch.zeros_like(allowed, dtype=query.dtype).masked_fill(~allowed, large), False


def _causal(query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
    sizes = query.shape[2], key.shape[2]
    return torch.ones(sizes, dtype=torch.bool, device=query.device).tril()


def _kernel(flash_attention: bool | None) -> AbstractContextManager[Any]:
    return sdpa_kernel([SDPBackend.FLASH_ATTENTION]) if flash_attention else nullcontext()
