"""What autocast does to a tensor's device, and how to leave it for a moment."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def autocasts(x: torch.Tensor) -> bool:
    """Return whether autocast is on for the device of `x`; tensors without values (meta) know no autocast."""
    return x.device.type != "meta" and torch.is_autocast_enabled(x.device.type)


def full_precision(x: torch.Tensor) -> AbstractContextManager[None]:
    """Return a context without autocast on the device of `x`: for products that must not be rounded."""
    return torch.autocast(x.device.type, enabled=False) if autocasts(x) else nullcontext()
