"""`evaluate` and `predict` over a source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from neocog.core import bounded, keep_freed_memory, keeping_states, max_steps_per_epoch, on_rows, tree_map
from neocog.data import Batch, Source, as_source
from neocog.exceptions import DataError
from neocog.training._batch_size import PREDICT_BATCHES, TEST_BATCHES, in_larger_batches, measures_samples
from neocog.training._early_checks import check_all_targets, last_activations
from neocog.training._executions import grouped
from neocog.training._gathered import Gathered
from neocog.training._hook import HookList
from neocog.training._memory_inference import evaluated, outputs_of, predict_on
from neocog.training._own_steps import logs_of_all
from neocog.training._prepare import build_on, first_batch, packed, place_model, to_device
from neocog.training._run_hooks import as_list, checked_verbose, make_hooks, steps_of
from neocog.training._shares import rows_of
from neocog.training._step import LazyLogs, results_of
from neocog.training._trainable import Trainable, runs_own, uses_own_loss
from neocog.training._world import ALONE, World


def evaluate(
    model: Trainable,
    x: Any,
    y: Any,
    sample_weight: Any,
    *,
    batch_size: int | None,
    steps: int | None,
    verbose: Any,
    callbacks: Any,
) -> dict[str, Any]:
    """Return loss and metrics on data by name, in the order of the metrics."""
    settings = model.compile_settings
    verbose = checked_verbose(verbose)
    source = as_source(x, y, sample_weight, batch_size=batch_size, steps=steps, shuffle=False)
    steps = bounded(steps, max_steps_per_epoch())
    batch = first_batch("evaluate", source)
    build_on(model, batch)
    device = place_model(model)
    model.training_state.prepare(model)
    if not settings.settled and uses_own_loss(model):
        y_pred = settle_on(model, batch, device)
        check_all_targets(settings, source, batch, y_pred, last_activations(model, y_pred))
    source = source.to(device)
    if batch_size is None and steps is None and measures_samples(model):
        source = in_larger_batches(model, source, as_list(callbacks), TEST_BATCHES)
    params = {"steps": steps_of(source, steps), "metrics": [metric.name for metric in model.metrics]}
    hooks = make_hooks(model, callbacks, verbose=verbose, params=params)
    return evaluate_source(model, source, hooks, steps)


def settle_on(model: Any, batch: Batch, device: torch.device, where: str = "evaluate") -> Any:
    """Give the outputs their losses and metrics by a batch, which leaves no trace, and return its outputs."""
    with torch.no_grad(), keeping_states(model):
        y_pred = outputs_of(model, to_device(batch.x, device), where)
    model.compile_settings.settle(to_device(batch.y, device), y_pred, list(model.output_names))
    return y_pred


def evaluate_source(
    model: Trainable,
    source: Any,
    hooks: HookList,
    steps: int | None,
    *,
    after_batch: Callable[[], None] | None = None,
    world: World = ALONE,
) -> dict[str, Any]:
    """Run `test_step` over a source, with the hooks' test verbs around, and return the metrics.

    Args:
        model: built and compiled.
        source: of batches.
        hooks: told of each batch.
        steps: most batches; None for all.
        after_batch: called after each batch; may raise to break off.
        world: the processes that each evaluate their part of every batch; all get the results of the whole.
    """
    device = place_model(model)
    begin, end, rest = grouped(
        hooks.calls("on_test_batch_begin"),
        hooks.calls("on_test_batch_end"),
        model.compile_settings.steps_per_execution,
    )
    logs: Any = None
    step = -1
    model.train(False)
    model.reset_metrics()
    hooks.on_test_begin()
    with torch.no_grad():
        for step, batch in enumerate(source.batches(0)):
            for call in begin:
                call(step, {})
            model.training_state.share, model.training_state.processes = batch.share, world.size
            if batch.share:
                with on_rows(rows_of(batch)):
                    logs = evaluated(model, packed(batch, device))
            elif model.training_state.sharded is not None:
                model(to_device(batch.x, device), training=False)  # the others put the weights together
            keep_freed_memory()
            for call in end:
                call(step, logs)
            if after_batch is not None:
                after_batch()
            if step + 1 == steps:
                break
        rest()
    share, own = model.training_state.share, not runs_own(model, "test_step")
    model.training_state.share, model.training_state.processes = 1.0, 1
    if step < 0:
        raise DataError("evaluate: expected at least one batch, got data that give none.")
    logs = logs_of_all(model, logs, share, world, own_step=own)
    results = logs.copy() if isinstance(logs, LazyLogs) else dict(logs or results_of(model.metrics))
    results = {k: v.item() if isinstance(v, torch.Tensor) and v.dim() == 0 else v for k, v in results.items()}
    hooks.on_test_end(results)
    return results


def predict(
    model: Trainable, x: Any, *, batch_size: int | None, steps: int | None, verbose: Any, callbacks: Any
) -> Any:
    """Return the outputs for data as NumPy arrays, nested as the model nests them."""
    source = as_source(x, batch_size=batch_size, steps=steps, shuffle=False)
    steps = bounded(steps, max_steps_per_epoch())
    build_on(model, first_batch("predict", source))
    device = place_model(model)
    if batch_size is None and steps is None and runs_own(model, "predict_step"):
        source = in_larger_batches(model, source, as_list(callbacks), PREDICT_BATCHES)
    hooks = make_hooks(
        model, callbacks, verbose=checked_verbose(verbose), params={"steps": steps_of(source, steps)}
    )
    return _predict_source(model, source, device, hooks, steps)


def _predict_source(
    model: Trainable, source: Source, device: torch.device, hooks: HookList, steps: int | None
) -> Any:
    begin, end = hooks.calls("on_predict_batch_begin"), hooks.calls("on_predict_batch_end")
    gathered: Gathered | None = None
    model.train(False)
    hooks.on_predict_begin()
    with torch.no_grad():
        for step, batch in enumerate(source.batches(0)):
            for call in begin:
                call(step, {})
            gathered = gathered or Gathered(_rows(source, steps, batch.size))
            gathered.add(tree_map(to_numpy, predict_on(model, (to_device(batch.x, device),))))
            keep_freed_memory()
            for call in end:
                call(step, {})
            if step + 1 == steps:
                break
    hooks.on_predict_end()
    if gathered is None:
        raise DataError("predict: expected at least one batch, got data that give none.")
    return gathered.result()


def _rows(source: Source, steps: int | None, first: int) -> int | None:
    """Return how many rows of outputs are expected, if that is known; no batch is larger than the first."""
    if source.num_samples is None or steps is None:
        return source.num_samples
    return min(source.num_samples, steps * first)


def to_numpy(tensor: Any) -> Any:
    """Return a tensor as a NumPy array; bfloat16, which NumPy does not know, as float32. Strings are one."""
    if isinstance(tensor, np.ndarray):
        return tensor
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
