"""`train_on_batch`, `test_on_batch`, `predict_on_batch`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch

from neocog.core import keep_freed_memory, subnormals_flushed, tree_map
from neocog.data import as_source
from neocog.exceptions import ArgumentError
from neocog.training._evaluate import to_numpy
from neocog.training._memory import Steps
from neocog.training._memory_inference import evaluated, predict_on
from neocog.training._prepare import build_on, build_optimizer, first_batch, packed, place_model, to_device
from neocog.training._step import LazyLogs
from neocog.training._trainable import Trainable


def train_on_batch(model: Trainable, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> dict[str, Any]:
    """Train on one batch, in float32, and return its loss and metrics."""
    if sample_weight is not None and class_weight is not None:
        raise ArgumentError("train_on_batch: expected sample_weight or class_weight, got both.")
    data = _one_batch(model, x, y, sample_weight, class_weight)
    build_optimizer(model)
    model.reset_metrics()
    model.train(True)
    try:
        with subnormals_flushed():
            logs = Steps(model, "train_on_batch")(data)
            keep_freed_memory()
    finally:
        model.train(False)
    return _numbers(logs)


def test_on_batch(model: Trainable, x: Any, y: Any, sample_weight: Any) -> dict[str, Any]:
    """Evaluate on one batch and return its loss and metrics."""
    data = _one_batch(model, x, y, sample_weight, None)
    model.reset_metrics()
    model.train(False)
    with torch.no_grad():
        return _numbers(evaluated(model, data, "test_on_batch"))


def predict_on_batch(model: Trainable, x: Any) -> Any:
    """Return the outputs for one batch as NumPy arrays."""
    batch = first_batch("predict_on_batch", as_source(x, batch_size=2**31, shuffle=False))
    build_on(model, batch)
    model.train(False)
    with torch.no_grad():
        outputs = predict_on(model, (to_device(batch.x, place_model(model)),), "predict_on_batch")
    return tree_map(to_numpy, outputs)


def as_list(model: Trainable, logs: Mapping[str, Any]) -> Any:
    """Return the values of logs as a list; a single one alone, as Keras does."""
    values = [logs[name] for name in names_in_list(model, logs)]
    return values[0] if len(values) == 1 else values


def names_in_list(model: Trainable, names: Iterable[str]) -> list[str]:
    """Return names of results in the order of Keras's lists: that of `metrics`, and what is left by name."""
    last = {id(metric) for metric in model.compile_settings.named_last()}
    first = dict.fromkeys(metric.name for metric in model.metrics if id(metric) not in last)
    given = set(names)
    return [*(name for name in first if name in given), *sorted(given.difference(first))]


def _one_batch(model: Trainable, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> Any:
    _ = model.compile_settings  # says what to do when there is none
    source = as_source(x, y, sample_weight, batch_size=2**31, shuffle=False, class_weight=class_weight)
    batch = first_batch("batch", source)
    build_on(model, batch)
    device = place_model(model)
    model.training_state.prepare(model)
    return packed(batch, device)


def _numbers(logs: Any) -> dict[str, Any]:
    found = logs.copy() if isinstance(logs, LazyLogs) else dict(logs)
    return {k: v.item() if isinstance(v, torch.Tensor) and v.dim() == 0 else v for k, v in found.items()}
