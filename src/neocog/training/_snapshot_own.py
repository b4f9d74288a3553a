"""What a snapshot keeps of the user's own: optimizers of a model's steps, attributes of metrics."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from neocog.core import is_generator, tree_flatten
from neocog.files import is_storable
from neocog.metrics._state import Variable
from neocog.optimizers import LossScaleOptimizer, MultiOptimizer, Optimizer, TorchOptimizer
from neocog.training._trainable import is_users

_OPTIMIZERS = (Optimizer, LossScaleOptimizer, MultiOptimizer, TorchOptimizer, torch.optim.Optimizer)
# Attributes of neocog's metrics that their variables bring back.
_KEPT_BY_METRICS = ("name", "_dtype", "_device", "_variables", "_running", "_seen", "_weighted")


def more_optimizers(model: Any) -> Iterator[tuple[str, Any]]:
    """Give the optimizers that a model has beside that of `compile`: as attributes, in lists, in dicts.

    Models inside it have theirs: the networks of a GAN are trained by `train_on_batch`, each with its own.
    """
    given = {id(model.optimizer)}
    for path, part in model.named_modules():
        inner = getattr(part, "optimizer", None) if getattr(part, "compiled", False) is True else None
        found = [("optimizer", inner)] if isinstance(inner, _OPTIMIZERS) else []
        if part is model or is_users(type(part)):
            found += _optimizers_of(part)
        for name, optimizer in found:
            if id(optimizer) not in given:
                given.add(id(optimizer))
                yield f"{path}.{name}" if path else name, optimizer


def _optimizers_of(part: Any) -> Iterator[tuple[str, Any]]:
    for name, value in vars(part).items():
        if isinstance(value, _OPTIMIZERS):
            yield name, value
        elif isinstance(value, (list, tuple, dict)) and not name.startswith("_"):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            yield from ((f"{name}.{key}", item) for key, item in items if isinstance(item, _OPTIMIZERS))


def attributes_of(metric: Any) -> dict[str, Any]:
    """Return what a metric of the user's keeps beside its variables, where that is plain data."""
    if type(metric).__module__.startswith("neocog."):
        return {}
    own = {name: value for name, value in vars(metric).items() if name not in _KEPT_BY_METRICS}
    return {name: copied(value) for name, value in own.items() if is_storable(value) and not _varies(value)}


def _varies(value: Any) -> bool:
    """Whether a value holds a metric's variables, which have a place of their own."""
    return any(isinstance(leaf, Variable) for leaf in tree_flatten(value))


def copied(value: Any) -> Any:
    """Return nested values with every tensor, array and generator copied to main memory, once each."""
    if isinstance(value, torch.Tensor):
        return value.detach().as_subclass(torch.Tensor).to("cpu", copy=True)
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, Mapping):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(copied(item) for item in value)
    if isinstance(value, deque):
        return deque(map(copied, value), value.maxlen)
    if isinstance(value, (set, frozenset)):
        return set(value)
    if is_generator(value):
        return copy.deepcopy(value)
    return [copied(item) for item in value] if isinstance(value, list) else value
