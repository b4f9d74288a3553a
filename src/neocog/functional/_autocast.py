"""What autocast does to a tensor's device, how to leave it for a moment, and who else stands between."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def autocasts(x: torch.Tensor) -> bool:
    """Return whether autocast is on for the device of `x`; tensors without values (meta) know no autocast."""
    return x.device.type != "meta" and torch.is_autocast_enabled(x.device.type)


def full_precision(x: torch.Tensor) -> AbstractContextManager[None]:
    """Return a context without autocast on the device of `x`: for products that must not be rounded."""
    return torch.autocast(x.device.type, enabled=False) if autocasts(x) else nullcontext()


def as_autocast(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """Return the operands of a product as autocast would cast them; themselves where it is off, and in
    float64, which it leaves.
    """
    if x.dtype is torch.float64 or not autocasts(x):
        return x, weight, bias
    dtype = torch.get_autocast_dtype(x.device.type)
    return x.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype)


def runs_now(x: torch.Tensor) -> bool:
    """Return whether operations on `x` are computed here and now: nobody compiles, records or transforms
    them.
    """
    if type(x) is not torch.Tensor or torch.compiler.is_compiling():
        return False
    recorded = torch._C._get_tracing_state() is not None or torch._C._len_torch_dispatch_stack()
    return not recorded and not torch._C._are_functorch_transforms_active()
