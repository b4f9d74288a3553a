"""What several operations share: a common float type."""

from __future__ import annotations

import torch

from neocog.core import result_type, torch_dtype


def same_float(*tensors: torch.Tensor) -> list[torch.Tensor]:
    """Return tensors of one float type: their own where they agree, else Keras's common one."""
    kinds = {tensor.dtype for tensor in tensors}
    if len(kinds) == 1 and tensors[0].is_floating_point():
        return list(tensors)
    common = torch_dtype(result_type(*(tensor.dtype for tensor in tensors), float))
    return [tensor.to(common) for tensor in tensors]


def as_float(x: torch.Tensor) -> torch.Tensor:
    """Return whole numbers as the default float; floats as they are."""
    return x if x.is_floating_point() else x.to(torch_dtype(None))
