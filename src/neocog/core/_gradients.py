"""Autograd's switches and engine with fewer Python frames around them: they are used at every step."""

from __future__ import annotations

from typing import Any

import torch

_engine: Any = torch.autograd.Variable._execution_engine
_ones: dict[torch.dtype, torch.Tensor] = {}


class no_gradients:
    """A block in which no gradients are recorded; `torch.no_grad` at a third of its cost.

    Example:
        >>> with no_gradients():
        ...     torch.is_grad_enabled()
        False
    """

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before = torch.is_grad_enabled()
        torch._C._set_grad_enabled(False)

    def __exit__(self, *details: object) -> None:
        torch._C._set_grad_enabled(self._before)


def backward(loss: torch.Tensor) -> None:
    """Add the gradients of a scalar loss to its leaves, as `loss.backward()` does.

    On the CPU torch's engine is called at once. Anything unusual (subclasses of tensors, a loss that needs no
    gradient, tracing, function transforms) goes torch's usual way, with its checks and its error texts.
    """
    usual = (
        type(loss) is torch.Tensor and loss.device.type == "cpu" and loss.dim() == 0 and loss.requires_grad
    )
    if not usual or torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
        loss.backward()  # type: ignore[no-untyped-call]
        return
    one = _ones.get(loss.dtype)
    if one is None:
        with torch.inference_mode(False):
            one = _ones[loss.dtype] = torch.ones((), dtype=loss.dtype)
    _engine.run_backward((loss,), (one,), False, False, (), allow_unreachable=True, accumulate_grad=True)
