"""One step, on one screen: forward, loss, backward, update, metrics. Everything stays on the device."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from inspect import Parameter, signature
from typing import Any

import torch

from neocog.core import backward, tree_flatten
from neocog.exceptions import ArgumentError, message
from neocog.graph import with_mask_of
from neocog.losses import Loss
from neocog.training._compiled import Head, targets_in_order
from neocog.training._memory_errors import update_metric
from neocog.training._trainable import Trainable, runs_own


def train_step(model: Trainable, data: Any) -> Mapping[str, Any]:
    """Train on one batch `(x, y, sample_weight)` and return the metrics, computed when read."""
    x, y, sample_weight = unpack(data)
    optimizer = model.compile_settings.optimizer
    share = model.training_state.share  # 1 unless several processes share the batch
    by_hand = model.training_state.by_hand
    computed = None if by_hand is None else by_hand(x, y, sample_weight)
    learns = True
    if computed is None:
        y_pred = model.training_state.forward(model, x)
        loss = loss_of_batch(model, x, y, y_pred, sample_weight)
        weighs = share != 1.0 and model.training_state.own_step is None  # there the gradients are weighed
        learns = loss.requires_grad
        if learns:
            backward(optimizer.scale_loss(loss * share if weighs else loss))
            model.training_state.complete_backward()
        else:
            _say_why(model)
    else:
        loss, y_pred = computed
    if learns:
        optimizer.step()
        optimizer.zero_grad()
        model.training_state.apply_constraints()
    if share == 0.0:
        return LazyLogs(model)
    track_loss(model, loss, x)
    return model.compute_metrics(x, y, y_pred, sample_weight)


def _say_why(model: Any) -> None:
    """Warn where no weight of a model trains, as Keras does: its loss and metrics are still worth logging.

    Raises:
        ArgumentError: weights train, and the loss that was computed does not depend on them.
    """
    if any(value.requires_grad for value in model.parameters()):
        where = getattr(model, "label", "model")
        expected, got = "a loss that depends on weights that train", "one without a gradient"
        do = "Its way may lead through NumPy, detach(), argmax or rounding, or through frozen layers alone."
        raise ArgumentError(message(where, expected=expected, got=got, do=do))
    text = "The model does not have any trainable weights: its loss and metrics are computed alone."
    warnings.warn(text, UserWarning, stacklevel=2)


def test_step(model: Trainable, data: Any, forward: Callable[[Any], Any] | None) -> Mapping[str, Any]:
    """Evaluate on one batch `(x, y, sample_weight)` and return the metrics, computed when read.

    Args:
        model: built and compiled.
        data: the batch.
        forward: what gives the outputs; None runs the model in inference mode.
    """
    x, y, sample_weight = unpack(data)
    with model.training_state.autocast():
        y_pred = model.infer(x) if forward is None else forward(x)
    settings = model.compile_settings
    settings.settle(y, y_pred, list(model.output_names))
    compiled = any(head.loss is not None for head in settings.heads)
    if compiled or not runs_own(model, "compute_loss") or model.training_state.penalties():
        loss = loss_of_batch(model, x, y, y_pred, sample_weight, training=False)
        track_loss(model, loss, x)
    return model.compute_metrics(x, y, y_pred, sample_weight)


def loss_of_batch(
    model: Any, x: Any, y: Any, y_pred: Any, sample_weight: Any, *, training: bool = True
) -> torch.Tensor:
    """Return what `compute_loss` gives; one of the user's may do without `training`, as in Keras."""
    compute: Callable[..., torch.Tensor] = model.compute_loss
    if not runs_own(model, "compute_loss"):
        takes = signature(compute).parameters.values()
        if not any(one.name == "training" or one.kind is Parameter.VAR_KEYWORD for one in takes):
            return compute(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)
    return compute(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=training)


def predict_step(model: Trainable, data: Any, forward: Callable[[Any], Any] | None) -> Any:
    """Return the outputs for one batch; `forward` as for `test_step`."""
    x = unpack(data)[0]
    return model.infer(x) if forward is None else forward(x)


def compute_loss(
    model: Trainable, y: Any, y_pred: Any, sample_weight: Any, exactly: bool = False
) -> torch.Tensor:
    """Return the weighted sum of the outputs' losses and of what layers and regularizers add.

    `exactly` sums in float64, as evaluation does: no gradients are taken of it.
    """
    heads = _heads(model, y, y_pred)
    total: torch.Tensor | None = None
    if len(heads) == 1:  # the common case, without any walk
        total = _head_loss(heads[0], y, y_pred, sample_weight, exactly)
        if total is not None:
            total = _weighed(heads[0], _for_all(model, heads[0], total))
    else:
        for head, value in _losses_of_outputs(heads, y, y_pred, sample_weight, exactly):
            value = _for_all(model, head, value)
            # A process that computes on another's row, to stay in step, counts none.
            if head.tracker is not None and model.training_state.share:
                head.tracker.add(value, _size(y_pred))
            value = _weighed(head, value)
            total = value if total is None else total + value
    for extra in model.training_state.penalties():
        total = extra if total is None else total + extra
    if total is None:
        raise ArgumentError(
            f"{getattr(model, 'label', 'model')}: there is nothing to minimise: compile was given no loss "
            "and no layer "
            'adds one. Give compile a loss, such as "mse".'
        )
    return total


def _heads(model: Trainable, y: Any, y_pred: Any) -> list[Head]:
    """Return the outputs' losses and metrics, worked out by whichever of loss and metrics asks first."""
    settings = model.compile_settings
    if not settings.settled:
        settings.settle(y, y_pred, list(model.output_names))
    return settings.heads


def _head_loss(head: Head, y: Any, y_pred: Any, sample_weight: Any, exactly: bool) -> torch.Tensor | None:
    if head.loss is None:
        return None
    if not isinstance(y_pred, torch.Tensor) or not (y is None or isinstance(y, torch.Tensor)):
        y_pred = tree_flatten(y_pred)[0]
        y = targets_in_order(y, [head.name])[0]
        sample_weight = targets_in_order(sample_weight, [head.name])[0]
    if y is None:
        raise ArgumentError(
            f'output "{head.name}": its loss needs targets, and the data have none (y is None).'
        )
    loss = head.loss.summed_exactly if exactly and isinstance(head.loss, Loss) else head.loss
    value = loss(y, y_pred, sample_weight)
    return value.mean() if value.dim() else value


def _weighed(head: Head, value: torch.Tensor) -> torch.Tensor:
    return value if head.weight is None else value * head.weight


def _for_all(model: Trainable, head: Head, value: torch.Tensor) -> torch.Tensor:
    """Return a loss so that its mean over the rows of several processes is that of the whole batch."""
    state = model.training_state
    if state.processes == 1 or not state.share or getattr(head.loss, "reduction", None) != "sum":
        return value
    return value * (state.processes / state.share)


def _losses_of_outputs(
    heads: list[Head], y: Any, y_pred: Any, sample_weight: Any, exactly: bool
) -> Iterator[tuple[Head, torch.Tensor]]:
    names = [head.name for head in heads]
    targets = targets_in_order(y, names)
    single = sample_weight is None or isinstance(sample_weight, torch.Tensor)
    weights = [sample_weight] * len(heads) if single else targets_in_order(sample_weight, names)
    for head, target, output, weight in zip(heads, targets, tree_flatten(y_pred), weights, strict=True):
        value = _head_loss(head, target, output, weight, exactly)
        if value is not None:
            yield head, value


def track_loss(model: Trainable, loss: torch.Tensor, x: Any) -> None:
    """Add the loss of a batch to its mean over the epoch."""
    model.compile_settings.loss_tracker.add(loss, _size(x))


def compute_metrics(model: Trainable, y: Any, y_pred: Any, sample_weight: Any) -> Mapping[str, Any]:
    """Update the metrics of all outputs and return their values, computed when read."""
    heads = _heads(model, y, y_pred)
    if len(heads) == 1 and isinstance(y_pred, torch.Tensor) and isinstance(y, torch.Tensor):
        _update(heads[0], y, y_pred, sample_weight)
    elif y is not None:
        names = [head.name for head in heads]
        single = sample_weight is None or isinstance(sample_weight, torch.Tensor)
        weights = [sample_weight] * len(heads) if single else targets_in_order(sample_weight, names)
        for head, target, output, weight in zip(
            heads, targets_in_order(y, names), tree_flatten(y_pred), weights, strict=True
        ):
            if target is not None:
                _update(head, target, output, weight)
    return LazyLogs(model)


def _update(head: Head, y: torch.Tensor, y_pred: torch.Tensor, sample_weight: Any) -> None:
    if head.metrics or head.weighted_metrics:
        if y_pred.requires_grad:
            y_pred = with_mask_of(y_pred, y_pred.detach())
        for metric in head.metrics:
            if not metric.take_later(y, y_pred):
                update_metric(metric, y, y_pred)
        for metric in head.weighted_metrics:
            update_metric(metric, y, y_pred, sample_weight)


class LazyLogs(Mapping[str, Any]):
    """Values of metrics by name, computed (a device sync) only when one is read."""

    def __init__(self, model: Trainable) -> None:
        self._model = model
        self._values: dict[str, float] | None = None

    def _read(self) -> dict[str, float]:
        if self._values is None:
            self._values = results_of(self._model.metrics)
        return self._values

    def __getitem__(self, key: str) -> Any:
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def copy(self) -> dict[str, Any]:
        """Return the values as a dict of its own."""
        return dict(self._read())

    def __repr__(self) -> str:
        return repr(self._read())


def results_of(metrics: list[Any]) -> dict[str, Any]:
    """Return the present values of metrics by name, as Python numbers where they are scalars, in one sync."""
    found: dict[str, Any] = {}
    for metric in metrics:
        result = metric.result()
        items = result.items() if isinstance(result, dict) else [(metric.name, result)]
        found.update(items)
    scalars = {k: v for k, v in found.items() if isinstance(v, torch.Tensor) and v.dim() == 0}
    if scalars:
        device = next(iter(scalars.values())).device
        stacked = torch.stack([value.detach().to(device, torch.float64) for value in scalars.values()])
        found.update(zip(scalars, stacked.tolist(), strict=True))
    return {k: v.detach().cpu().numpy() if isinstance(v, torch.Tensor) else v for k, v in found.items()}


def metric_results(model: Trainable) -> dict[str, Any]:
    """Return the present values of all of a model's metrics."""
    return results_of(model.metrics)


def unpack(data: Any) -> tuple[Any, Any, Any]:
    """Return (x, y, sample_weight) from `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`."""
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ArgumentError(f"batch: expected (x, y, sample_weight), got {len(data)} parts.")
    return (*data, None, None)[:3]


def _size(tree: Any) -> int:
    leaf = tree
    while not hasattr(leaf, "ndim"):  # a tensor, or a NumPy array of strings
        leaf = next(iter(leaf.values())) if isinstance(leaf, dict) else leaf[0]
    return int(leaf.shape[0]) if leaf.ndim else 1
