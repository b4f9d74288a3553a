"""What layers measure while they are called: metrics of their own, and Keras 2's `add_metric`."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from neocog._old_spellings import warn_old
from neocog.core import check_one_of, to_tensor
from neocog.exceptions import ArgumentError, message
from neocog.graph import is_symbolic
from neocog.metrics import Mean, Metric

_KEY = "_added_metrics"


def add_metric(layer: nn.Module, value: Any, name: str | None, aggregation: str | None) -> None:
    """Take a value of the present batch into the mean of that name, made at the first call.

    Raises:
        ArgumentError: no name, a symbolic value, or an aggregation other than `"mean"`.
    """
    where = f"{type(layer).__name__}.add_metric"
    today = "metrics.Mean(name=…) in the constructor and its update_state(value) in call"
    warn_old(type(layer).__name__, "add_metric", today)
    check_one_of(where, "aggregation", aggregation, ("mean", None))
    if is_symbolic(value):
        got = "a symbolic tensor"
        raise ArgumentError(message(where, expected="a value computed in call", got=got, do=f"Use {today}."))
    if name is None:
        if own_metrics(layer):  # the result of one of them, which is among the model's metrics in any case
            return
        raise ArgumentError(message(where, expected="a name", got="none", do='Pass name="…".'))
    tensor = value if isinstance(value, torch.Tensor) else to_tensor(value)
    if tensor.device.type != "meta":  # else shapes alone are being worked out
        metrics = layer.__dict__.setdefault(_KEY, {})
        metrics.setdefault(name, Mean(name=name)).update_state(tensor)


def own_metrics(layer: nn.Module) -> list[Metric]:
    """Return the metrics that are a layer's attributes, and those that `add_metric` made."""
    added = layer.__dict__.get(_KEY, {})
    return [*(value for value in layer.__dict__.values() if isinstance(value, Metric)), *added.values()]
