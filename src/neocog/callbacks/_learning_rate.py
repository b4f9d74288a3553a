"""The learning rates of a model that may have several optimizers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from neocog.exceptions import NotCompiledError, message
from neocog.training._hook import EpochLogs


def optimizers_of(model: Any) -> Iterator[tuple[str, Any]]:
    """Yield (name, optimizer); the name is empty where there is only one."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or not (hasattr(optimizer, "optimizers") or hasattr(optimizer, "learning_rate")):
        raise NotCompiledError(
            message(
                "callback", expected="a model with an optimizer and its learning_rate", got=repr(optimizer)
            )
        )
    if hasattr(optimizer, "optimizers"):
        for inner in optimizer.optimizers:
            yield inner.name, inner
    else:
        yield "", optimizer


def record_learning_rates(model: Any, logs: EpochLogs) -> None:
    """Put the current learning rates into the logs of an epoch."""
    for name, optimizer in optimizers_of(model):
        logs[f"learning_rate_{name}" if name else "learning_rate"] = float(optimizer.learning_rate)
