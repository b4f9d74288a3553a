"""Products of dense layers on a CPU, by the library that leaves the weights where they are changed.

Torch takes products of float32 matrices from MKL, which shares them out among the cores so that the
optimizer's step finds the rows of a kernel with another core than the one that changes them. Fetching them
from there cost little, or several times the step itself, by where the system puts the cores of a virtual
machine. oneDNN's products share out the rows as the optimizer does, and on AMD's processors are as fast as
MKL's or faster.
"""

from __future__ import annotations

from functools import lru_cache

import torch

from neocog.core import processor_vendor
from neocog.functional._winograd import multiplies_exactly

_LEAST_WEIGHTS = 1 << 16  # smaller kernels stay near both cores, and MKL is faster to begin


def shares_by_units(kernel: torch.Tensor) -> bool:
    """Return whether a layer's products go `by_units`: large kernels in float32 on AMD's processors."""
    return (
        kernel.dtype is torch.float32
        and kernel.numel() >= _LEAST_WEIGHTS
        and torch.get_num_threads() > 1
        and multiplies_exactly()
        and _known()
    )


def dense_product(
    a: torch.Tensor, b: torch.Tensor, bias: torch.Tensor | None, *, by_units: bool
) -> torch.Tensor:
    """Return a · bᵀ, plus a bias.

    Args:
        a: (M, K), on the CPU, without gradients to take.
        b: (N, K).
        bias: (N,), or None.
        by_units: by oneDNN, which shares out the rows of `b`; for what `shares_by_units` says.
    """
    if by_units:
        return torch.ops.mkldnn._linear_pointwise(_whole(a), _whole(b), bias, "none", [], "")  # type: ignore[no-any-return]
    return torch.mm(a, b.t()) if bias is None else torch.addmm(bias, a, b.t())


def _whole(matrix: torch.Tensor) -> torch.Tensor:
    """Return a matrix that fills its memory, by rows or by columns."""
    return matrix if matrix.is_contiguous() or matrix.t().is_contiguous() else matrix.contiguous()


@lru_cache
def _known() -> bool:
    """Whether it was measured on this kind of processor, and torch does it: tried once, on exact numbers."""
    if processor_vendor() != "AuthenticAMD" or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False
    a, b = torch.arange(6.0).view(2, 3), torch.arange(12.0).view(3, 4)
    try:
        with torch.no_grad():
            found = [
                dense_product(a, b.t(), torch.ones(4), by_units=True),
                dense_product(a.t(), a.t(), None, by_units=True),
            ]
    except (RuntimeError, TypeError):
        return False
    return torch.equal(found[0], a @ b + 1) and torch.equal(found[1], a.t() @ a)
