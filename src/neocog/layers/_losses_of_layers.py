"""What layers add to the loss while they are called."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from neocog.core import to_tensor
from neocog.layers._weights import WeightSpec, WeightView


class _Calls(threading.local):
    """How deep the present thread is inside layers' calls, the outermost of them, whether one of these said
    `training=…`, and whether any layer ever added a loss.
    """

    depth = 0
    outermost: nn.Module | None = None
    mode_said = False
    losses_added = False


CALLS = _Calls()


def loss_tensors(loss: Any) -> list[torch.Tensor]:
    """Return what `add_loss` was given (a scalar, a function that returns one, or a list of them)."""
    items = loss if isinstance(loss, (list, tuple)) else [loss]
    return [to_tensor(item() if callable(item) else item) for item in items]


def weight_penalties(module: nn.Module, specs: Sequence[WeightSpec]) -> list[torch.Tensor]:
    """Return the weight regularizers' terms of these weights of a module."""
    return [
        spec.regularizer(WeightView(module, spec, spec.name).tensor())
        for spec in specs
        if spec.regularizer is not None
    ]
