"""From a compiled model and data to a model that is built, checked, placed and planned."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import default_device, keeping_states, tree_map
from neocog.data import Batch, Source, pack_x_y_sample_weight
from neocog.exceptions import ArgumentError, DataError, message
from neocog.optimizers import Optimizer
from neocog.training._cost import counted_forward, first_samples
from neocog.training._early_checks import (
    check_all_targets,
    check_validation,
    check_values,
    last_activations,
)
from neocog.training._feed import fed
from neocog.training._plan import make_plan, with_data
from neocog.training._trainable import Trainable, uses_own_loss
from neocog.training._world import join


def device_of(model: Any) -> torch.device:
    """Return the device of the model's first parameter, else the default one."""
    first = next(iter(model.parameters()), None)
    return default_device() if first is None else first.device


def place_model(model: Any) -> torch.device:
    """Move a model that still lies on the CPU to the accelerator, if there is one."""
    device = device_of(model)
    wanted = default_device()
    if device.type == "cpu" and wanted.type != "cpu":
        model.to(wanted)
        return device_of(model)  # "cuda:0" for "cuda": tensors there are known to lie there
    return device


def to_device(tree: Any, device: torch.device) -> Any:
    """Return nested tensors on a device; what lies there already is not touched."""
    if isinstance(tree, torch.Tensor):
        return tree if tree.device == device else tree.to(device, non_blocking=True)
    if tree is None:
        return None
    return tree_map(lambda leaf: to_device(leaf, device) if isinstance(leaf, torch.Tensor) else leaf, tree)


def packed(batch: Batch, device: torch.device) -> Any:
    """Return a batch on a device as steps get it: x, (x,), (x, y) or (x, y, sample_weight)."""
    x, y = to_device(batch.x, device), to_device(batch.y, device)
    if batch.sample_weight is not None:
        return x, y, to_device(batch.sample_weight, device)
    return pack_x_y_sample_weight(x, y)


def first_batch(where: str, source: Source) -> Batch:
    """Return the first batch; none is an error."""
    batch = source.peek()
    if batch is None:
        raise DataError(f"{where}: expected at least one batch, got data that give none.")
    return batch


def prepare_fit(model: Trainable, source: Source, validation: Source | None = None) -> Source:
    """Build the model, check data against it, place both, make the plan and the optimizer's state.

    Args:
        model: compiled.
        source: of the training.
        validation: checked as far as it is arrays.

    Returns:
        The source, with its data on the device where they fit.
    """
    settings = model.compile_settings
    batch = first_batch("fit", source)
    check_values("fit", source, batch)
    build_on(model, batch)
    stays = settings.sharded and not join().alone  # whole it may not fit anywhere else
    device = device_of(model) if stays else place_model(model)
    x, y = to_device(batch.x, device), to_device(batch.y, device)
    model.check_inputs((x,))  # the whole batch, so that an error shows its shape
    y_pred, flops = counted_forward(model, x) if model.has_call else (None, 0.0)
    if uses_own_loss(model) and model.has_call:
        settings.settle(y, y_pred, list(model.output_names))
        check_all_targets(settings, source, batch, y_pred, last_activations(model, y_pred))
    check_validation(model, settings, validation, y_pred)
    state = model.training_state
    state.prepare(model)
    build_optimizer(model)
    plan = make_plan(
        model,
        flops=flops * max(1, batch.size),
        device=default_device() if stays else device,
        optimizer=settings.optimizer,
        precision=settings.precision,
        compiled=settings.jit_compile,
    )
    source, held = fed(source, device, batch)
    state.use(with_data(plan, held), model)
    return source


def build_on(model: Trainable, batch: Batch) -> None:
    """Build the model's weights from a batch, in float32 and inference mode; on one sample, to be cheap."""
    if all_built(model) or not model.has_call:
        return
    with torch.no_grad(), keeping_states(model):
        model(to_device(first_samples(batch.x, 1), device_of(model)), training=False)


def all_built(model: Trainable) -> bool:
    """Whether the model and everything in it has its weights."""
    return model.built and all(getattr(module, "built", True) for module in model.modules())


def build_optimizer(model: Any) -> None:
    """Give the optimizer the trainable weights, in Keras's order."""
    optimizer = model.compile_settings.optimizer
    if optimizer is None or not (model.has_call or all_built(model)):
        return  # where a step of the user's makes the weights, its first `apply` builds the optimizer
    if not getattr(optimizer, "built", False):
        optimizer.build(model.trainable_weights)
    elif isinstance(optimizer, Optimizer):
        _refuse_unknown(model, optimizer)


def _refuse_unknown(model: Any, optimizer: Optimizer) -> None:
    """Raise where a weight trains that the optimizer was not built on: it would silently stay as it is."""
    unknown = [view for view in model.trainable_weights if not optimizer.knows(view)]
    if unknown:
        got = f"{len(unknown)} that it does not know ({unknown[0].path}, …)"
        do = "Call compile again after layers were unfrozen or added."
        expected = "trainable weights that the optimizer was built on"
        raise ArgumentError(message("fit", expected=expected, got=got, do=do))
